// Which samples a step sees: a function of (seed, step) alone, so that a resumed run goes on with the same data.
import { createRandom } from "../random.ts";
import { deriveSeed } from "../run/seeds.ts";

/** A shuffle of 0 .. count - 1 (Fisher-Yates). */
export function permutation(count: number, seed: number): number[] {
  const random = createRandom(seed);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** The items of one step: every epoch goes through all of them in a fresh order; a batch may straddle two epochs. */
export function batchOf<T>(items: readonly T[], size: number, seed: number, step: number): T[] {
  const batch: T[] = [];
  let epoch = -1;
  let order: number[] = [];
  for (let at = step * size; at < (step + 1) * size; at++) {
    const current = Math.floor(at / items.length);
    if (current !== epoch) {
      epoch = current;
      order = permutation(items.length, deriveSeed(seed, "epoch", epoch));
    }
    batch.push(items[order[at % items.length]!]!);
  }
  return batch;
}
