// A drawn half of the masked branches: unbiased, which is shown by going through every draw there can be, and how far a
// draw's gradient lies from the whole one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DrawNumber, drawViews, type ViewDraw } from "../../src/rl/draw-views.ts";
import type { ScoredGroup } from "../../src/rl/types.ts";
import { neededViews, viewSelectors } from "../../src/rl/views.ts";
import { scoredRollout, testSample, textRollout } from "../support/rollouts.ts";
import { gradientsOf, largestDifference, oppoOptions, type World, worldTest } from "../support/step-world.ts";

type Key = readonly (string | number)[];
const spelled = (key: Key) => key.join("/");

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) => permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]));
}

/** Every outcome of the draws, all of them equally likely: each coin both ways, each set of ranks in every order. */
function outcomes(groups: readonly ScoredGroup[], draw: ViewDraw): DrawNumber[] {
  const sets = new Map<string, string[]>();
  drawViews(viewSelectors.oppo, groups, draw, (...key) => {
    const set = spelled(key.at(-1) === "odd" ? key : key.slice(0, -1));
    sets.set(set, [...(sets.get(set) ?? []), spelled(key)]);
    return 0;
  });
  let all: Map<string, number>[] = [new Map()];
  for (const keys of sets.values()) {
    const isCoin = keys[0]!.endsWith("odd");
    const choices = isCoin
      ? [0.25, 0.75].map((value) => [[keys[0]!, value] as const])
      : permutations(keys).map((order) => order.map((key, rank) => [key, rank / order.length] as const));
    all = all.flatMap((before) => choices.map((choice) => new Map([...before, ...choice])));
  }
  return all.map(
    (values) =>
      (...key: Key) =>
        values.get(spelled(key))!,
  );
}

function scoredGroups({ groups }: World): ScoredGroup[] {
  return groups.map(({ rollouts }, g) => ({ sample: testSample(`clip-${g}`), rollouts }));
}

for (const [draw, numOutcomes] of [
  ["half-of-rollouts", 8],
  ["half-of-views", 4],
] as const) {
  worldTest(`${draw}: the mean gradient over all draws is the whole one`, (world) => {
    const whole = gradientsOf(world, oppoOptions);
    const groups = scoredGroups(world);
    const numbers = outcomes(groups, draw);
    assert.equal(numbers.length, numOutcomes);
    const drawn = numbers.map((number) =>
      gradientsOf(world, { ...oppoOptions, views: drawViews(viewSelectors.oppo, groups, draw, number) }),
    );
    const average = whole.gradient.map((_, i) =>
      drawn.reduce((sum, { gradient }) => sum + gradient[i]! / numOutcomes, 0),
    );
    assert.ok(largestDifference(average, whole.gradient) < 1e-12);
    for (const name of ["loss", "omni/objective", "omni/anchor_kl"]) {
      const mean = drawn.reduce((sum, { metrics }) => sum + metrics[name]! / numOutcomes, 0);
      assert.ok(Math.abs(mean - whole.metrics[name]!) < 1e-12, name);
    }
    // negative control: one draw is not the whole, and without the weight of 2 the mean is not either
    for (const { gradient } of drawn) assert.ok(largestDifference(gradient, whole.gradient) > 1e-4);
    const unweighted = numbers.map((number) => {
      const views = drawViews(viewSelectors.oppo, groups, draw, number);
      return gradientsOf(world, {
        ...oppoOptions,
        views: (rollout) => views(rollout).map((v) => ({ ...v, weight: 1 })),
      });
    });
    const biased = whole.gradient.map((_, i) =>
      unweighted.reduce((sum, { gradient }) => sum + gradient[i]! / numOutcomes, 0),
    );
    assert.ok(largestDifference(biased, whole.gradient) > 1e-4);
  });
}

const rollouts = (count: number) =>
  Array.from({ length: count }, () => scoredRollout(textRollout("a b c"), 0, { video: [0], audio: [1, 2] }));

test("of odd and even numbers of owners each is kept in exactly half of the draws, about half at once", () => {
  for (const count of [1, 2, 3, 4]) {
    const groups = [{ sample: testSample("clip"), rollouts: rollouts(count) }];
    const kept = new Map(groups[0]!.rollouts.map((rollout) => [rollout, 0]));
    const numbers = outcomes(groups, "half-of-rollouts");
    for (const number of numbers) {
      const views = drawViews(viewSelectors.oppo, groups, "half-of-rollouts", number);
      const own = groups[0]!.rollouts.filter((rollout) => views(rollout).some(({ name }) => name === "video"));
      assert.ok(Math.abs(own.length - count / 2) <= 0.5, `${own.length} of ${count}`);
      for (const rollout of own) kept.set(rollout, kept.get(rollout)! + 1);
    }
    for (const times of kept.values()) assert.equal(times, numbers.length / 2);
  }
});

test("half of the views is one of two for all rollouts of a prompt; a single view is drawn too", () => {
  const groups = [{ sample: testSample("clip"), rollouts: rollouts(3) }];
  const needed = (numbers: DrawNumber, selector = viewSelectors.oppo as typeof viewSelectors.papo) =>
    neededViews(groups[0]!.rollouts, drawViews(selector, groups, "half-of-views", numbers));
  assert.deepEqual(
    outcomes(groups, "half-of-views").map((number) => needed(number)),
    [["video"], ["audio"]],
  );
  assert.deepEqual([needed(() => 0.4, viewSelectors.papo), needed(() => 0.6, viewSelectors.papo)], [["both"], []]);
});

test("drawing nothing is the selector itself, and every draw is keyed by its sample", () => {
  const groups = ["a", "b"].map((id) => ({ sample: testSample(id), rollouts: rollouts(2) }));
  assert.equal(
    drawViews(viewSelectors.oppo, groups, "all", () => assert.fail()),
    viewSelectors.oppo,
  );
  const asked = new Set<string | number>();
  drawViews(viewSelectors.oppo, groups, "half-of-views", (...key) => {
    asked.add(key[0]!);
    return 0;
  });
  assert.deepEqual([...asked], ["a", "b"]);
});
