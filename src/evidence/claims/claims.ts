// Claims: clauses that state something to be seen or heard, whether the clip has it or not. A clip's own cues say what is right;
// that a clause says something else, and not nothing, shows in the cues of other clips: the claim bank. Needs cues and an embedder
// only, so it works for every annotated corpus.
// B cues of the bank, C own cues, K clauses, D dimension
import { createRandom, drawSome } from "../../random.ts";
import type { Cue, Embedder } from "../cue.ts";
import type { EvidenceRouting } from "../route.ts";
import { routeBatch } from "../route-batch.ts";
import { dot, matrixRows } from "../similarity.ts";

/** Video and audio cues of a corpus, each text once. */
export type ClaimBank = readonly Cue[];

/** A cue of the bank that is this close to an own one is the same in other words (MEP-Bench's threshold). */
export const sameCue = 0.6;
/** More phrases find no more claims, and every clause is compared with each. */
const mostCues = 2048;

export interface Claim {
  readonly kind: "video" | "audio";
  /** Index of the clip's own cue that is stated; -1: the clip has no such cue. */
  readonly cue: number;
  /** Index of the same in the bank; -1: the bank does not have it. */
  readonly bank: number;
}

/** The bank of a corpus' rows; of more cues than are useful, some that the seed draws. */
export function claimBank(rows: readonly { readonly cues: readonly Cue[] }[], seed: number): ClaimBank {
  const distinct = new Map<string, Cue>();
  for (const { cues } of rows) {
    for (const cue of cues) if (cue.kind !== "emotion" && !distinct.has(cue.text)) distinct.set(cue.text, cue);
  }
  return drawSome([...distinct.values()], mostCues, createRandom(seed));
}

/**
 * The claims of every routing's clauses. A clause states its closest cue, own or of the bank, where the cosine exceeds the
 * threshold; it is supported where that cue is an own one, or the same as an own one of its kind in other words.
 */
export async function findClaims(
  routings: readonly EvidenceRouting[],
  bank: ClaimBank,
  threshold: number,
  embedder: Embedder,
): Promise<Claim[][]> {
  const ofBank = await routeBatch(
    routings.map(({ clauses }) => ({ cues: bank, clauses })),
    embedder,
  );
  const isSame = await sameCues([...bank, ...routings.flatMap(({ cues }) => cues)], embedder);
  return routings.map((routing, i) => {
    const { clauses, cues } = routing;
    return clauses.flatMap((_, k): Claim[] => {
      const own = closest(routing, k, threshold);
      const other = closest(ofBank[i]!, k, threshold);
      if (own.cue < 0 && other.cue < 0) return [];
      if (own.similarity >= other.similarity) {
        const said = cues[own.cue]!;
        const isKnown = other.cue >= 0 && isSame(bank[other.cue]!, said);
        return [{ kind: heard(said), cue: own.cue, bank: isKnown ? other.cue : -1 }];
      }
      const meant = bank[other.cue]!;
      return [{ kind: heard(meant), cue: cues.findIndex((cue) => isSame(cue, meant)), bank: other.cue }];
    });
  });
}

const heard = ({ kind }: Cue): "video" | "audio" => (kind === "audio" ? "audio" : "video");

/** The video or audio cue that clause k is most like, above the threshold; -1 and the threshold for none. */
function closest(
  { cues, clauses, similarity }: EvidenceRouting,
  k: number,
  threshold: number,
): { readonly cue: number; readonly similarity: number } {
  let best = { cue: -1, similarity: threshold };
  cues.forEach(({ kind }, c) => {
    const value = similarity[c * clauses.length + k]!;
    if (kind !== "emotion" && value > best.similarity) best = { cue: c, similarity: value };
  });
  return best;
}

/** Whether two of the cues are of one kind and say the same, maybe in other words. One embedding call. */
export async function sameCues(cues: readonly Cue[], embedder: Embedder): Promise<(a: Cue, b: Cue) => boolean> {
  const texts = [...new Set(cues.map(({ text }) => text))];
  const rows = matrixRows(await embedder.embed(texts, "cue"), embedder.dimension);
  const rowOf = new Map(texts.map((text, row) => [text, rows[row]!]));
  return (a, b) => a.kind === b.kind && (a.text === b.text || dot(rowOf.get(a.text)!, rowOf.get(b.text)!) > sameCue);
}
