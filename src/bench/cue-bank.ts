// All cues that a corpus can speak of, as vectors: what turns a statement into the one cue that it states. Needs texts and
// an embedder only, so it works for corpora without structured annotation. Every comparison in MEP-Bench goes through
// the bank's numbering, hence is exact: a statement counts as its single best cue or as none. Statements are embedded as
// cues are, without a role: both are short phrases about one clip, and neither asks for the other.

import type { Sample } from "../data/sample.ts";
import type { Cue, CueKind, Embedder } from "../evidence/cue.ts";
import { cosineMatrix } from "../evidence/similarity.ts";

export interface CueBank {
  readonly cues: readonly Cue[];
  /** Row-major [cues, dimension]. */
  readonly vectors: Float32Array;
  readonly embedder: Embedder;
}

/** The paper's threshold for "the same cue" (MEP-Bench). */
export const sameCueThreshold = 0.6;

export async function buildCueBank(cues: readonly Cue[], embedder: Embedder): Promise<CueBank> {
  return {
    cues,
    vectors: await embedder.embed(cues.map((cue) => cue.text)),
    embedder,
  };
}

/** For every list of texts, the bank indices that its texts state (distinct, ascending). One embedding call for all. */
export async function matchCues(
  bank: CueBank,
  textLists: readonly (readonly string[])[],
  threshold = sameCueThreshold,
): Promise<number[][]> {
  const distinct = [...new Set(textLists.flat())];
  const vectors = await bank.embedder.embed(distinct);
  const cosines = cosineMatrix(vectors, bank.vectors, bank.embedder.dimension);
  const numCues = bank.cues.length;
  const match = new Map(
    distinct.map((text, i) => [text, bestAbove(cosines.subarray(i * numCues, (i + 1) * numCues), threshold)]),
  );
  return textLists.map((texts) => {
    const stated = new Set(texts.map((text) => match.get(text)!));
    stated.delete(-1);
    return [...stated].sort((a, b) => a - b);
  });
}

/** Index of the largest value above the threshold (the first of equals); -1 when there is none. */
function bestAbove(cosines: Float32Array, threshold: number): number {
  let best = -1;
  let highest = threshold;
  for (let c = 0; c < cosines.length; c++) {
    if (cosines[c]! > highest) {
      highest = cosines[c]!;
      best = c;
    }
  }
  return best;
}

/** Per sample and cue, the bank's cue of the same kind that it states; -1 for none, and for emotion cues. */
export async function cueIndices(bank: CueBank, samples: readonly Sample[]): Promise<number[][]> {
  const result = samples.map(({ cues }) => cues.map(() => -1));
  for (const kind of ["video", "audio"] as const) {
    const places = samples.flatMap(({ cues }, i) =>
      cues.flatMap((cue, c) => (cue.kind === kind ? [[i, c] as const] : [])),
    );
    const part = partOfKind(bank, kind);
    const matched = await matchCues(
      part.bank,
      places.map(([i, c]) => [samples[i]!.cues[c]!.text]),
    );
    for (const [at, [i, c]] of places.entries()) {
      const index = matched[at]![0];
      if (index !== undefined) result[i]![c] = part.indices[index]!;
    }
  }
  return result;
}

/** The sample's own video and audio cues as bank indices (distinct, ascending). */
export async function presentCues(bank: CueBank, samples: readonly Sample[]): Promise<number[][]> {
  const indices = await cueIndices(bank, samples);
  return indices.map((own) => [...new Set(own.filter((index) => index >= 0))].sort((a, b) => a - b));
}

function partOfKind(bank: CueBank, kind: CueKind): { bank: CueBank; indices: number[] } {
  const { dimension } = bank.embedder;
  const indices = ofKind(bank, [...bank.cues.keys()], kind);
  const vectors = new Float32Array(indices.length * dimension);
  for (const [row, index] of indices.entries()) {
    vectors.set(bank.vectors.subarray(index * dimension, (index + 1) * dimension), row * dimension);
  }
  return { bank: { cues: indices.map((index) => bank.cues[index]!), vectors, embedder: bank.embedder }, indices };
}

/** What a response states, as bank indices; null where that could not be read. */
export type StatedCues = readonly number[] | null;

export function ofKind(bank: CueBank, indices: readonly number[], kind: CueKind): number[];
export function ofKind(bank: CueBank, indices: StatedCues, kind: CueKind): number[] | null;
export function ofKind(bank: CueBank, indices: StatedCues, kind: CueKind): number[] | null {
  return indices === null ? null : indices.filter((index) => bank.cues[index]!.kind === kind);
}

/** Share of `wanted` that is in `given`; NaN when nothing is wanted, or either is not known. */
export function shareIn(wanted: StatedCues, given: StatedCues): number {
  if (wanted === null || given === null || wanted.length === 0) return Number.NaN;
  return wanted.filter((index) => given.includes(index)).length / wanted.length;
}
