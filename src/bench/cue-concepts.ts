// Free-form cues as concepts. Annotators write "a furrowed brow" and "furrowed brows"; counted apart, nothing would ever
// co-occur, and a cue of one clip would pass for absent in a clip that has it in other words. A concept is the most frequent
// wording with all wordings within the threshold of it. Order of frequency, then of the alphabet: the same cues give the
// same concepts, however the samples are ordered.
import type { Sample } from "../data/sample.ts";
import type { Cue, Embedder } from "../evidence/cue.ts";
import { cosineMatrix, dot } from "../evidence/similarity.ts";
import { type CueBank, sameCueThreshold } from "./cue-bank.ts";

export interface CueConcepts {
  /** One cue per concept: its most frequent wording. */
  readonly bank: CueBank;
  /** In how many samples each concept is. */
  readonly counts: readonly number[];
  /** Index of a cue's concept in the bank. */
  conceptOf(cue: Cue): number;
}

/** Rows of one similarity product: bounds the memory, changes nothing. */
const blockSize = 256;

interface Wording {
  readonly cue: Cue;
  count: number;
}

/** Concepts of the video and audio cues of some samples; the kinds are kept apart. */
export async function cueConceptsOf(
  samples: readonly Sample[],
  embedder: Embedder,
  threshold = sameCueThreshold,
): Promise<CueConcepts> {
  const wordings = frequentFirst(samples);
  const vectors = await embedder.embed(wordings.map(({ cue }) => cue.text));
  const { leaders, leaderOf } = cluster(wordings, vectors, embedder.dimension, threshold);
  const concept = new Map(wordings.map(({ cue }, i) => [keyOf(cue), leaderOf[i]!]));
  const { dimension } = embedder;
  const bankVectors = new Float32Array(leaders.length * dimension);
  for (const [row, i] of leaders.entries()) {
    bankVectors.set(vectors.subarray(i * dimension, (i + 1) * dimension), row * dimension);
  }
  const conceptOf = (cue: Cue): number => concept.get(keyOf(cue)) ?? -1;
  const counts = leaders.map(() => 0);
  for (const sample of samples) {
    const own = new Set(sample.cues.map(conceptOf));
    own.delete(-1);
    for (const index of own) counts[index]!++;
  }
  return {
    bank: { cues: leaders.map((i) => wordings[i]!.cue), vectors: bankVectors, embedder },
    counts,
    conceptOf,
  };
}

function keyOf({ kind, text }: Cue): string {
  return `${kind}\u0000${text}`;
}

function frequentFirst(samples: readonly Sample[]): Wording[] {
  const wordings = new Map<string, Wording>();
  for (const sample of samples) {
    for (const cue of sample.cues) {
      if (cue.kind === "emotion") continue;
      const known = wordings.get(keyOf(cue));
      if (known === undefined) wordings.set(keyOf(cue), { cue: { kind: cue.kind, text: cue.text }, count: 1 });
      else known.count++;
    }
  }
  const alphabetical = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return [...wordings.values()].sort(
    (a, b) => b.count - a.count || alphabetical(a.cue.text, b.cue.text) || alphabetical(a.cue.kind, b.cue.kind),
  );
}

/** Each wording joins the nearest leader of its kind above the threshold, or becomes a leader itself. */
function cluster(wordings: readonly Wording[], vectors: Float32Array, dimension: number, threshold: number) {
  const leaders: number[] = [];
  const leaderOf = new Int32Array(wordings.length);
  const row = (i: number) => vectors.subarray(i * dimension, (i + 1) * dimension);
  for (let start = 0; start < wordings.length; start += blockSize) {
    const end = Math.min(wordings.length, start + blockSize);
    // Leaders of earlier blocks in one product, those of this block one by one.
    const numBefore = leaders.length;
    const before = new Float32Array(numBefore * dimension);
    for (const [at, leader] of leaders.entries()) before.set(row(leader), at * dimension);
    const cosines = cosineMatrix(vectors.subarray(start * dimension, end * dimension), before, dimension);
    for (let i = start; i < end; i++) {
      let best = -1;
      let highest = threshold;
      for (const [at, leader] of leaders.entries()) {
        if (wordings[leader]!.cue.kind !== wordings[i]!.cue.kind) continue;
        const cosine = at < numBefore ? cosines[(i - start) * numBefore + at]! : dot(row(i), row(leader));
        if (cosine > highest) {
          highest = cosine;
          best = at;
        }
      }
      leaderOf[i] = best < 0 ? leaders.push(i) - 1 : best;
    }
  }
  return { leaders, leaderOf };
}
