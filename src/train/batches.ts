// Which samples a step sees: a function of (seed, step) alone, so that a resumed run goes on with the same data.
import { createRandom, permutation } from "../random.ts";
import { deriveSeed } from "../seeds.ts";

/** The items of one step: every epoch goes through all of them in a fresh order; a batch may straddle two epochs. */
export function batchOf<T>(items: readonly T[], size: number, seed: number, step: number): T[] {
  const batch: T[] = [];
  let epoch = -1;
  let order: number[] = [];
  for (let at = step * size; at < (step + 1) * size; at++) {
    const current = Math.floor(at / items.length);
    if (current !== epoch) {
      epoch = current;
      order = permutation(items.length, createRandom(deriveSeed(seed, "epoch", epoch)));
    }
    batch.push(items[order[at % items.length]!]!);
  }
  return batch;
}
