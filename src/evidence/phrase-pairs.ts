// Pairs of phrases of which a person has said whether they state the same cue: what a similarity threshold is calibrated
// on. From a bank, every two phrases of a concept are the same and those of two concepts differ. Bounded: beyond a number
// of pairs a seeded sample stands for all.
import { OppoError } from "../error.ts";
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";

export interface PhrasePairs {
  readonly texts: readonly string[];
  /** Group of every text (a concept, a label); pairs of one group rise and fall together, so intervals resample groups. */
  readonly groups: readonly number[];
  readonly same: readonly IndexPair[];
  readonly different: readonly IndexPair[];
}

/** Two indices into the texts. */
export type IndexPair = readonly [left: number, right: number];

export interface PairLimits {
  readonly seed: number;
  /** Of either sort. */
  readonly maxPairs: number;
}

export const defaultPairLimits: PairLimits = { seed: 0, maxPairs: 50_000 };

/** @throws OppoError ERR_CALIBRATION when the bank has no pair of one of the two sorts */
export function bankPairs(
  bank: readonly { readonly name: string; readonly phrases: readonly string[] }[],
  limits: PairLimits = defaultPairLimits,
): PhrasePairs {
  const texts = bank.flatMap(({ phrases }) => phrases);
  const groups = bank.flatMap(({ phrases }, group) => phrases.map(() => group));
  const random = createRandom(deriveSeed(limits.seed, "phrase-pairs"));
  const same = sampled(samePairs(groups), limits.maxPairs, random);
  const different = differentPairs(groups, limits.maxPairs, random);
  return requireBoth({ texts, groups, same, different }, "a bank with two concepts, one of them with two phrases");
}

/** @throws OppoError ERR_CALIBRATION */
export function requireBoth(pairs: PhrasePairs, expected: string): PhrasePairs {
  if (pairs.same.length > 0 && pairs.different.length > 0) return pairs;
  throw new OppoError(
    "ERR_CALIBRATION",
    `calibrate: expected ${expected}, got ${pairs.same.length} pairs of the same cue and ${pairs.different.length} of ` +
      "different cues. Give a bank of concepts with paraphrases (--bank BANK.json).",
  );
}

/** Pairs of two texts of one group. */
export function* samePairs(groups: readonly number[]): Generator<IndexPair> {
  const members = new Map<number, number[]>();
  for (const [index, group] of groups.entries()) {
    const earlier = members.get(group);
    if (earlier === undefined) members.set(group, [index]);
    else {
      for (const other of earlier) yield [other, index];
      earlier.push(index);
    }
  }
}

/** All of them, or a uniform sample of that size (reservoir). */
export function sampled(pairs: Iterable<IndexPair>, count: number, random: Random): IndexPair[] {
  const kept: IndexPair[] = [];
  let seen = 0;
  for (const pair of pairs) {
    seen++;
    if (kept.length < count) kept.push(pair);
    else {
      const place = random.int(seen);
      if (place < count) kept[place] = pair;
    }
  }
  return kept;
}

/** Pairs of texts of two groups: all, or that many distinct ones drawn at random. */
export function differentPairs(groups: readonly number[], count: number, random: Random): IndexPair[] {
  const n = groups.length;
  // Enumerating twice as many as are wanted is cheaper than drawing most of them.
  if ((n * (n - 1)) / 2 <= 2 * count) return sampled(allDifferent(groups), count, random);
  const drawn = new Map<number, IndexPair>();
  for (let tries = 0; drawn.size < count && tries < 20 * count; tries++) {
    const a = random.int(n);
    const b = random.int(n);
    if (groups[a] === groups[b]) continue;
    const [left, right] = a < b ? [a, b] : [b, a];
    drawn.set(left * n + right, [left, right]);
  }
  return [...drawn.values()];
}

function* allDifferent(groups: readonly number[]): Generator<IndexPair> {
  for (let left = 0; left < groups.length; left++) {
    for (let right = left + 1; right < groups.length; right++) {
      if (groups[left] !== groups[right]) yield [left, right];
    }
  }
}
