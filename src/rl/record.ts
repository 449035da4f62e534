// A scored group as one plain object for logs and pages: what was said, what it earned, which clause was taken as evidence of
// which cue, and how much each evidence token depends on its modality.
import type { Cue } from "../evidence/cue.ts";
import type { ComparedWith } from "./full-branch.ts";
import type { AskedProbe, EngineMark, ScoredGroup, ScoredRollout } from "./types.ts";

/** Example clause: `{ text: "the video shows a furrowed brow", cue: 0, kind: "video", similarity: 0.97 }` */
export interface ClauseRecord {
  readonly text: string;
  /** Half-open character span in the completion. */
  readonly chars: readonly [start: number, end: number];
  /** Index of the sample's cue that the clause is evidence of; -1 for none. */
  readonly cue: number;
  readonly kind: "video" | "audio" | null;
  /** With that cue; 0 without one. */
  readonly similarity: number;
  /** Of a clause that is evidence of none: the cue of any kind that comes nearest. Left out where the sample has no cues. */
  readonly nearest?: { readonly cue: number; readonly similarity: number };
}

export interface TokenRecord {
  /** Where each token ends, in characters of the text. */
  readonly ends: readonly number[];
  /**
   * Nats at token positions: per masked view that was compared the divergence (Eq. 7, 8), and of the reference, where its KL has a weight,
   * the KL as it was estimated (a sampled estimate may be below 0).
   */
  readonly divergence: Readonly<Partial<Record<ComparedWith, readonly (readonly [position: number, nats: number])[]>>>;
}

export interface RolloutRecord {
  readonly text: string;
  readonly numTokens: number;
  readonly truncated: boolean;
  readonly wellFormed: boolean;
  /** Why it is malformed; null where it is not. */
  readonly problem: string | null;
  readonly reward: number;
  readonly rewards: Readonly<Record<string, number>>;
  readonly advantage: number;
  readonly clauses: readonly ClauseRecord[];
  /** Which engine drew it, where it was not this process. */
  readonly engine?: EngineMark;
  /** Left out where nothing was compared, and of completions longer than pages show. */
  readonly tokens?: TokenRecord;
}

/** One line of rollouts.jsonl, without its step. */
export interface GroupRecord {
  readonly sample: string;
  /** Those that clauses point to. */
  readonly cues: readonly Cue[];
  /** In place of the task's question; left out: that. */
  readonly asked?: AskedProbe;
  readonly rollouts: readonly RolloutRecord[];
}

/** A longer completion's tokens are not written down: the log would be mostly they. */
const maxTokens = 1024;
const digits = 4;
/** Of the reference, where nats are the difference of nearly equal log-probabilities in float32: a fourth digit is its rounding. */
const referenceDigits = 3;

/** The divergences of a step's tokens, by the completion that they stand in: those of its first update. */
export class TokenDivergences {
  readonly #of = new Map<Int32Array, Partial<Record<ComparedWith, Map<number, number>>>>();

  readonly add = (ids: Int32Array, view: ComparedWith, position: number, nats: number): void => {
    const views = this.#of.get(ids) ?? {};
    this.#of.set(ids, views);
    views[view] ??= new Map();
    const known = view === "reference" ? referenceDigits : digits;
    if (!views[view].has(position)) views[view].set(position, Number(nats.toPrecision(known)));
  };

  of(ids: Int32Array): TokenRecord["divergence"] | null {
    const views = this.#of.get(ids);
    if (views === undefined) return null;
    return Object.fromEntries(Object.entries(views).map(([view, values]) => [view, [...values]]));
  }
}

export function recordGroup({ sample, asked, rollouts }: ScoredGroup, divergences: TokenDivergences): GroupRecord {
  return {
    sample: sample.id,
    ...(asked && { asked }),
    cues: sample.cues.map(({ kind, text }) => ({ kind, text })),
    rollouts: rollouts.map((scored) => recordRollout(scored, divergences)),
  };
}

function recordRollout(scored: ScoredRollout, divergences: TokenDivergences): RolloutRecord {
  const { rollout, response, routing, rewards, advantage } = scored;
  const divergence = rollout.ids.length > maxTokens ? null : divergences.of(rollout.ids);
  return {
    text: rollout.text,
    numTokens: rollout.ids.length,
    truncated: rollout.truncated,
    wellFormed: response.wellFormed,
    problem: response.problem ?? null,
    reward: rewards.total,
    rewards: rewards.parts,
    advantage,
    clauses: routing.clauses.map((_, k) => recordClause(scored, k)),
    ...(divergence === null ? {} : { tokens: { ends: endsOf(rollout.pieces), divergence } }),
    ...(rollout.engine && { engine: rollout.engine }),
  };
}

function recordClause({ routing: { cues, clauses, similarity }, evidence }: ScoredRollout, k: number): ClauseRecord {
  const { text, chars } = clauses[k]!;
  const similarityWith = (cue: number) => similarity[cue * clauses.length + k]!;
  const cue = evidence.clauseCues[k] ?? -1;
  const kind = cue < 0 ? null : cues[cue]!.kind;
  const record = {
    text,
    chars: [chars.start, chars.end] as const,
    cue,
    kind: kind === "emotion" ? null : kind,
    similarity: cue < 0 ? 0 : similarityWith(cue),
  };
  if (cue >= 0 || cues.length === 0) return record;
  let nearest = 0;
  for (let c = 1; c < cues.length; c++) if (similarityWith(c) > similarityWith(nearest)) nearest = c;
  return { ...record, nearest: { cue: nearest, similarity: Number(similarityWith(nearest).toPrecision(digits)) } };
}

function endsOf(pieces: readonly string[]): number[] {
  let end = 0;
  return pieces.map((piece) => {
    end += piece.length;
    return end;
  });
}
