// A scored rollout as one plain object for logs and reports: what was said, what it earned, and which clause was taken as
// evidence of which cue.
import type { EngineMark, ScoredRollout } from "./types.ts";

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
}

export function recordRollout({
  rollout,
  response,
  routing,
  rewards,
  advantage,
  evidence,
}: ScoredRollout): RolloutRecord {
  const numClauses = routing.clauses.length;
  return {
    text: rollout.text,
    numTokens: rollout.ids.length,
    truncated: rollout.truncated,
    wellFormed: response.wellFormed,
    problem: response.problem ?? null,
    reward: rewards.total,
    rewards: rewards.parts,
    advantage,
    clauses: routing.clauses.map((clause, k) => {
      const cue = evidence.clauseCues[k] ?? -1;
      const kind = cue < 0 ? null : routing.cues[cue]!.kind;
      return {
        text: clause.text,
        chars: [clause.chars.start, clause.chars.end],
        cue,
        kind: kind === "emotion" ? null : kind,
        similarity: cue < 0 ? 0 : routing.similarity[cue * numClauses + k]!,
      };
    }),
    ...(rollout.engine && { engine: rollout.engine }),
  };
}
