// Which part of a step each process takes. The unit is a part of an item: one completion of a prompt's group, one sample of a cold
// start; units are dealt in runs, so that whole items stay together where there are enough. Every process knows all items and
// reads all clips of a step.
import { OppoError } from "../../error.ts";
import type { World } from "../../tensor/index.ts";

/** Of an item's units, those from `start` to before `end`. */
export interface Part {
  readonly start: number;
  readonly end: number;
}

/** This rank's part of each of so many items; an empty one where it has none. */
export function partsOf({ rank, size }: Pick<World, "rank" | "size">, numItems: number, units = 1): Part[] {
  const all = numItems * units;
  const bound = (r: number) => Math.floor((r * all) / size);
  return Array.from({ length: numItems }, (_, item) => {
    const inside = (unit: number) => Math.min(units, Math.max(0, unit - item * units));
    return { start: inside(bound(rank)), end: inside(bound(rank + 1)) };
  });
}

export const hasUnits = ({ start, end }: Part): boolean => end > start;

/** The items that every rank can show. @throws OppoError ERR_RANKS_DIFFER where there is none */
export function agreedItems<T extends { readonly id: string }>(world: World, items: readonly T[]): readonly T[] {
  if (world.size === 1) return items;
  const shown = world.gather(
    "clips that can be read",
    items.map(({ id }) => id),
  );
  const agreed = items.filter(({ id }) => shown.every((ids) => ids.includes(id)));
  if (agreed.length > 0 || shown.every((ids) => ids.length === 0)) return agreed;
  throw new OppoError(
    "ERR_RANKS_DIFFER",
    `rank ${world.rank}: expected a clip of the step that every rank can read, got none. Their disks must hold the same files.`,
  );
}
