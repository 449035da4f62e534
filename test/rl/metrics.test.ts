// Numbers that carry how they add up: parts give what the whole would have given, whichever way it was cut.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom } from "../../src/random.ts";
import { Metrics, rolloutMetrics } from "../../src/rl/metrics.ts";
import type { ScoredGroup } from "../../src/rl/types.ts";
import { scoredRollout, testSample, textRollout } from "../support/rollouts.ts";

const tolerance = 1e-12;

test("sums, extremes, weighted means and deviations of parts are those of the whole", () => {
  const whole = new Metrics();
  whole.sum("sum", 7);
  whole.max("max", 5);
  whole.min("min", -1);
  whole.mean("mean", 12, 4);
  whole.std("std", [1, 2, 3, 10]);
  const parts = [new Metrics(), new Metrics()] as const;
  parts[0].sum("sum", 3);
  parts[1].sum("sum", 4);
  parts[0].max("max", 5);
  parts[1].max("max", 2);
  parts[0].min("min", 0);
  parts[1].min("min", -1);
  parts[0].mean("mean", 9, 1);
  parts[1].mean("mean", 3, 3);
  parts[0].std("std", [1]);
  parts[1].std("std", [2, 3, 10]);
  parts[0].merge(parts[1]);
  // mean 4, squared deviations 9 + 4 + 1 + 36 = 50, over n - 1 = 3
  const expected = { sum: 7, max: 5, min: -1, mean: 3, std: Math.sqrt(50 / 3) };
  assert.deepEqual(whole.values(), expected);
  for (const [name, value] of Object.entries(parts[0].values())) {
    assert.ok(Math.abs(value - expected[name as keyof typeof expected]) < tolerance, `${name}: ${value}`);
  }
});

test("nothing to divide by reads 0, and a name keeps its kind", () => {
  const metrics = new Metrics();
  metrics.mean("none", 0, 0);
  metrics.std("one", [4]);
  metrics.std("empty", []);
  assert.deepEqual(metrics.values(), { none: 0, one: 0, empty: 0 });
  assert.throws(() => metrics.sum("none", 1), /metric none: expected a mean as before, got a sum/);
});

test("rollout metrics of two halves of a step are those of the step", () => {
  const random = createRandom(4);
  const groups = Array.from({ length: 5 }, (_, g): ScoredGroup => {
    const rollouts = Array.from({ length: 3 }, () => {
      const rollout = textRollout("word ".repeat(1 + random.int(6)), random.next() < 0.5);
      const total = random.int(4);
      return { ...scoredRollout(rollout, 0, { video: [0] }), rewards: { total, parts: { format: total / 4 } } };
    });
    return { sample: testSample(`s${g}`), rollouts };
  });
  const whole = rolloutMetrics(groups).values();
  const cut = rolloutMetrics(groups.slice(0, 2));
  cut.merge(rolloutMetrics(groups.slice(2)));
  const parts = cut.values();
  assert.deepEqual(Object.keys(parts), Object.keys(whole));
  for (const [name, value] of Object.entries(whole)) {
    assert.ok(Math.abs(value - parts[name]!) < tolerance, `${name}: ${value} ${parts[name]}`);
  }
  assert.ok(whole["rewards/format/std"]! > 0 && whole["completions/max_length"]! > whole["completions/min_length"]!);
});
