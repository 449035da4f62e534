// Group-relative advantages: hand-computed values, sums of zero, and what is no reward.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decoupledAdvantages, defaultAdvantageOptions, groupAdvantages, sampleStd } from "../../src/rl/advantage.ts";
import { deriveUniform } from "../../src/seeds.ts";

const vectorTolerance = 5e-9;

function near(actual: readonly number[], expected: readonly number[], tolerance: number): boolean {
  return (
    actual.length === expected.length && actual.every((value, i) => Math.abs(value - (expected[i] ?? NaN)) <= tolerance)
  );
}

// rewards [1, 0, .5, 2.5]: mean 1, squares 0 + 1 + .25 + 2.25 = 3.5, std sqrt(3.5 / 3) = 1.0801234497;
// A_4 = 1.5 / (1.0801234497 + 1e-4) = 1.38860159
const rewards = [1, 0, 0.5, 2.5];
const expected = [0, -0.92573439, -0.4628672, 1.38860159];

test("group scaling uses the sample standard deviation", () => {
  assert.ok(Math.abs(sampleStd(rewards) - 1.0801234497) < vectorTolerance);
  const [advantages] = groupAdvantages([rewards]);
  assert.ok(near(advantages!, expected, vectorTolerance));
  // negative control: the population form (divisor n) must not pass
  const population = rewards.map((r) => (r - 1) / (Math.sqrt(3.5 / 4) + 1e-4));
  assert.ok(!near(population, expected, vectorTolerance));
});

test("no scaling (Dr.GRPO) and batch scaling", () => {
  assert.deepEqual(groupAdvantages([rewards], { ...defaultAdvantageOptions, scale: "none" }), [[0, -1, -0.5, 1.5]]);
  // all eight rewards: mean 1.5; squares .25 + 2.25 + 1 + 1 and 4 x .25 -> 5.5; std sqrt(5.5 / 7)
  const [first, second] = groupAdvantages([rewards, [2, 2, 2, 2]], {
    ...defaultAdvantageOptions,
    scale: "batch",
    epsilon: 0,
  });
  const std = Math.sqrt(5.5 / 7);
  assert.ok(near(first!, [0, -1 / std, -0.5 / std, 1.5 / std], vectorTolerance));
  assert.deepEqual(second, [0, 0, 0, 0]);
});

test("equal rewards, single rollouts and the floor of the spread", () => {
  assert.deepEqual(groupAdvantages([[0.5, 0.5, 0.5]]), [[0, 0, 0]]);
  assert.deepEqual(groupAdvantages([[3], []]), [[0], []]);
  const tiny = [0, 0.001];
  const [plain] = groupAdvantages([tiny]);
  const [floored] = groupAdvantages([tiny], { ...defaultAdvantageOptions, minStd: 0.1 });
  // std of [0, .001] is .001 / sqrt(2) = 7.0711e-4: .0005 / (7.0711e-4 + 1e-4) = 0.6195; with the floor .0005 / .1001
  assert.ok(Math.abs(plain![1]! - 0.0005 / (0.001 / Math.SQRT2 + 1e-4)) < vectorTolerance);
  assert.ok(Math.abs(floored![1]! - 0.0005 / 0.1001) < vectorTolerance);
});

test("advantages of a group sum to zero", () => {
  for (let trial = 0; trial < 50; trial++) {
    const group = Array.from({ length: 2 + (trial % 7) }, (_, i) => deriveUniform(1, "reward", trial, i) * 3);
    for (const scale of ["group", "none"] as const) {
      const [advantages] = groupAdvantages([group], { ...defaultAdvantageOptions, scale });
      assert.ok(Math.abs(advantages!.reduce((a, b) => a + b, 0)) < 1e-9);
    }
  }
});

test("a reward that is not finite names its rollout", () => {
  assert.throws(
    () =>
      groupAdvantages([
        [1, 2],
        [1, Number.NaN],
      ]),
    {
      code: "ERR_REWARD",
      message: /got NaN for rollout 1 of group 1/,
    },
  );
});

test("leave-one-out compares with the mean of the others (RLOO)", () => {
  // of [1, 0, .5, 2.5] the others' means are 1, 4/3, 7/6, .5
  const [advantages] = groupAdvantages([rewards], {
    ...defaultAdvantageOptions,
    baseline: "leave-one-out",
    scale: "none",
  });
  assert.ok(near(advantages!, [0, -4 / 3, -2 / 3, 2], vectorTolerance));
  // negative control: the group's own mean gives three quarters of it
  const [group] = groupAdvantages([rewards], { ...defaultAdvantageOptions, scale: "none" });
  assert.ok(near(group!, [0, -1, -0.5, 1.5], vectorTolerance));
  assert.deepEqual(groupAdvantages([[3]], { ...defaultAdvantageOptions, baseline: "leave-one-out" }), [[0]]);
});

test("terms are normalised one by one, summed, and normalised over the step (GDPO)", () => {
  const options = { ...defaultAdvantageOptions, epsilon: 1e-12 };
  // group 1: a = [0, 2] -> [-1, 1] / sqrt(2), b = [10, 0] -> [1, -1] / sqrt(2); group 2: a equal -> 0, b = [0, 20] -> [-1, 1] / sqrt(2)
  const a = {
    weight: 1,
    groups: [
      [0, 2],
      [1, 1],
    ],
  };
  const b = {
    weight: 0.5,
    groups: [
      [10, 0],
      [0, 20],
    ],
  };
  // sums: [-.5, .5, -.5, .5] / sqrt(2); mean 0, squares 4 x .125 = .5, std sqrt(.5 / 3)
  const value = 0.5 / Math.SQRT2 / Math.sqrt(0.5 / 3);
  const [first, second] = decoupledAdvantages([a, b], options);
  assert.ok(near(first!, [-value, value], vectorTolerance));
  assert.ok(near(second!, [-value, value], vectorTolerance));
  // negative control: summed first, b's larger spread turns group 1 around
  const [summed] = groupAdvantages([[0 + 5, 2 + 0]], options);
  assert.ok(summed![0]! > 0);
  // a term that is only measured takes no part
  assert.deepEqual(decoupledAdvantages([a, { ...b, weight: 0 }], options), decoupledAdvantages([a], options));
  assert.throws(() => decoupledAdvantages([{ weight: 1, groups: [[Number.NaN, 1]] }], options), { code: "ERR_REWARD" });
});
