// Masked branches for a drawn half of what a selector asks for, with weight 2: half of the work, the same gradient on
// average, since every view is kept with probability 1/2 and the loss is linear in views. A draw is keyed by sample and step,
// so neither micro-batches nor processes change it. Host data only.
import type { ScoredGroup, ScoredRollout, ViewName, ViewSelector } from "./types.ts";
import { neededViews } from "./views.ts";

/**
 * "all": every view. "half-of-rollouts": of the rollouts of a prompt that own tokens of a view, half; of an odd number one
 * more or one less. "half-of-views": of the views of a prompt, half for all its rollouts: video or audio, where there are both;
 * the other view's masked input is not even made.
 */
export type ViewDraw = "all" | "half-of-rollouts" | "half-of-views";

/** A number in [0, 1) that its key alone decides; the key begins with the sample's id. */
export type DrawNumber = (...key: readonly (string | number)[]) => number;

/** The probability of 1/2 with which a view is kept, undone. */
const halfWeight = 2;

/** The selector with a draw over it, for the rollouts of these groups; others have no view then. */
export function drawViews(
  selector: ViewSelector,
  groups: readonly ScoredGroup[],
  draw: ViewDraw,
  number: DrawNumber,
): ViewSelector {
  if (draw === "all") return selector;
  const kept = new Map<ScoredRollout, Set<ViewName>>();
  for (const { sample, rollouts } of groups) {
    const needed = neededViews(rollouts, selector);
    const names = draw === "half-of-views" ? half(needed, number, sample.id) : needed;
    for (const name of names) {
      const owners = rollouts.filter((rollout) => selector(rollout).some((view) => view.name === name));
      const own = draw === "half-of-views" ? owners : half(owners, number, sample.id, name);
      for (const rollout of own) kept.set(rollout, (kept.get(rollout) ?? new Set()).add(name));
    }
  }
  return (rollout) =>
    selector(rollout)
      .filter(({ name }) => kept.get(rollout)?.has(name) ?? false)
      .map((view) => ({ ...view, weight: halfWeight * (view.weight ?? 1) }));
}

/** Every item with probability 1/2; of an odd number one more or one less. Keeps the order. */
function half<T>(items: readonly T[], number: DrawNumber, ...key: readonly (string | number)[]): T[] {
  const odd = items.length % 2 === 1 && number(...key, "odd") < 0.5 ? 1 : 0;
  const count = Math.floor(items.length / 2) + odd;
  const places = items.map((_, i) => ({ i, rank: number(...key, i) })).sort((a, b) => a.rank - b.rank || a.i - b.i);
  const chosen = new Set(places.slice(0, count).map(({ i }) => i));
  return items.filter((_, i) => chosen.has(i));
}
