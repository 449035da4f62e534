// Which prompts of a step each of its updates learns from.
import { createRandom, permutation } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";

export interface UpdatePlan {
  readonly updatesPerRollout: number;
  readonly miniBatches: number;
  readonly seed: number;
  readonly step: number;
}

/**
 * The items of every update: rounds through all of them, each cut into so many parts of nearly equal size, in an order drawn for the
 * round; one part is everything as it stands. Of fewer items than parts some parts are empty and left out.
 */
export function miniBatches<T>(items: readonly T[], plan: UpdatePlan): readonly (readonly T[])[] {
  const { updatesPerRollout, miniBatches: parts, seed, step } = plan;
  return Array.from({ length: updatesPerRollout / parts }, (_, round) => {
    if (parts === 1) return [items];
    const order = permutation(items.length, createRandom(deriveSeed(seed, "mini-batch", step, round)));
    const bound = (part: number) => Math.floor((part * items.length) / parts);
    return Array.from({ length: parts }, (_, part) => order.slice(bound(part), bound(part + 1)).map((i) => items[i]!));
  })
    .flat()
    .filter((part) => part.length > 0);
}
