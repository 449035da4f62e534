// The correction of what another engine sampled: exactly 1 where the engine is the trainer, and the gradient of the weighted
// policy's term where it is not, by finite differences of an objective that is written down here once more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sequenceFactors, tokenFactors } from "../../src/rl/objectives/correction.ts";
import { defaultStepOptions, type StepOptions } from "../../src/rl/step-options.ts";
import type { ScoredRollout } from "../../src/rl/types.ts";
import { viewSelectors } from "../../src/rl/views.ts";
import { indices, noGrad } from "../../src/tensor/index.ts";
import { onDevice } from "../support/device.ts";
import { gradientsOf, largestDifference, oppoOptions, type World, worldTest } from "../support/step-world.ts";

const exactTolerance = 1e-12;
const finiteDifferenceStep = 1e-5;
/** Factors, weights and advantages are float32. */
const float32Tolerance = 3e-7;

/** The policy's term alone. */
const policyOnly: StepOptions = {
  ...defaultStepOptions,
  views: viewSelectors.none,
  referenceKl: { weight: 0, estimator: "k3" },
};
const corrected = (form: "token" | "sequence", cap = 3): StepOptions => ({ ...policyOnly, correction: { form, cap } });

test("factors are exp of the difference up to the cap, of a token or of a rollout's sum", () => {
  const old = Float32Array.of(-1, -2, -3, -1);
  const engine = Float32Array.of(-1.5, -2, -9, -0.5);
  const near = (values: Float32Array, expected: readonly number[]) => {
    for (const [i, value] of expected.entries()) {
      assert.ok(Math.abs(values[i]! - value) < 1e-6 * Math.max(1, value), `${i}: ${values[i]}`);
    }
  };
  near(tokenFactors(old, engine, 3), [Math.exp(0.5), 1, 3, Math.exp(-0.5)]);
  near(sequenceFactors([2, 2], old, engine, 3), [Math.exp(0.5), Math.exp(0.5), 3, 3]);
  near(sequenceFactors([2, 2], old, engine, 1000), [1.648721, 1.648721, Math.exp(5.5), Math.exp(5.5)]);
  near(tokenFactors(old, Float32Array.of(-9999, -1, -1, -1), 3), [3, Math.exp(-1), Math.exp(-2), 1]);
});

/** log pi of every token of a rollout. */
function logprobsOf(
  { policy }: World,
  prompt: World["groups"][number]["prompt"],
  { rollout }: ScoredRollout,
): number[] {
  const at = onDevice(indices(rollout.ids, [rollout.ids.length, 1]));
  return noGrad(() =>
    policy
      .logits(policy.hidden([prompt.policy], [[rollout.ids]]).select(0, 0))
      .logSoftmax(-1)
      .gather(-1, at)
      .view([-1])
      .toNumbers(),
  );
}

/** The world with other log-probabilities of the engine. @param engine of a token's own */
function withEngine(world: World, engine: (logprob: number, t: number, n: number) => number): World {
  let n = 0;
  const groups = world.groups.map((group) => ({
    ...group,
    rollouts: group.rollouts.map((scored) => {
      const own = logprobsOf(world, group.prompt, scored);
      const logprobs = Float32Array.from(own, (logprob, t) => engine(logprob, t, n));
      n++;
      return { ...scored, rollout: { ...scored.rollout, logprobs } };
    }),
  }));
  return { ...world, groups };
}

const shift = (t: number, n: number) => 0.4 * Math.sin(3 * n + t) - 0.3;

worldTest("an engine that is the trainer is weighed by exactly 1", (world) => {
  const same = withEngine(world, (logprob) => logprob);
  const plain = gradientsOf(same, policyOnly);
  for (const form of ["token", "sequence"] as const) {
    const { gradient, metrics } = gradientsOf(same, corrected(form));
    assert.deepEqual(gradient, plain.gradient, form);
    assert.deepEqual(
      [metrics["sampling/correction/mean"], metrics["sampling/correction/min"], metrics["sampling/correction/max"]],
      [1, 1, 1],
    );
    assert.equal(metrics["sampling/correction/capped"], 0);
  }
  assert.equal("sampling/correction/mean" in plain.metrics, false);
});

/** Sum of weight * factor * exp(l - l at the start) * advantage, factors as they were at the start. */
function objective(world: World, start: readonly number[][], factors: readonly number[][]): number {
  const rollouts = world.groups.flatMap(({ prompt, rollouts: own }) => own.map((scored) => ({ prompt, scored })));
  return rollouts.reduce((sum, { prompt, scored }, n) => {
    const terms = logprobsOf(world, prompt, scored).map(
      (logprob, t) => factors[n]![t]! * Math.exp(logprob - start[n]![t]!) * Math.fround(scored.advantage),
    );
    return sum + terms.reduce((total, term) => total + term, 0) / (terms.length * rollouts.length);
  }, 0);
}

for (const [form, cap] of [
  ["token", 3],
  ["token", 1.2],
  ["sequence", 3],
  ["sequence", 1.2],
] as const) {
  worldTest(`a perturbed engine: the gradient of the weighted term, ${form}, cap ${cap}`, (world) => {
    const other = withEngine(world, (logprob, t, n) => logprob + shift(t, n));
    const { gradient, metrics } = gradientsOf(other, corrected(form, cap));
    const rollouts = other.groups.flatMap(({ prompt, rollouts: own }) => own.map((scored) => ({ prompt, scored })));
    const start = rollouts.map(({ prompt, scored }) => logprobsOf(other, prompt, scored));
    const factors = rollouts.map(({ scored }, n) => {
      const differences = start[n]!.map((logprob, t) => logprob - scored.rollout.logprobs[t]!);
      const whole = differences.reduce((sum, one) => sum + one, 0);
      return differences.map((one) => Math.min(Math.exp(form === "token" ? one : whole), cap));
    });
    const all = factors.flat();
    const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
    assert.ok(Math.abs(mean - 1) > 0.05, `a correction that is none: ${mean}`);
    assert.ok(Math.abs(metrics["sampling/correction/mean"]! - mean) < 1e-6);
    assert.equal(
      metrics["sampling/correction/capped"]! > 0,
      all.some((factor) => factor === cap),
    );
    let offset = 0;
    let largest = 0;
    for (const parameter of world.policy.parameters().values()) {
      for (let entry = 0; entry < parameter.numel; entry += 7) {
        const at = (step: number) => {
          noGrad(() => parameter.view([-1]).narrow(0, entry, 1).add_(step));
          const value = objective(other, start, factors);
          noGrad(() => parameter.view([-1]).narrow(0, entry, 1).sub_(step));
          return value;
        };
        const slope = -(at(finiteDifferenceStep) - at(-finiteDifferenceStep)) / (2 * finiteDifferenceStep);
        largest = Math.max(largest, Math.abs(slope - gradient[offset + entry]!));
      }
      offset += parameter.numel;
    }
    assert.ok(largest < float32Tolerance, `finite differences differ by ${largest}`);
    const plain = gradientsOf(other, policyOnly).gradient;
    assert.ok(largestDifference(plain, gradient) > 1e-3, "without the correction it is another one");
  });
}

worldTest("the correction touches the policy's term alone, and chunks and micro-batches do not change it", (world) => {
  const other = withEngine(world, (logprob, t, n) => logprob + shift(t, n));
  const whole = { ...oppoOptions, oldLogprobs: "current" as const };
  for (const form of ["token", "sequence"] as const) {
    const correction = { form, cap: 3 };
    const full = gradientsOf(other, { ...whole, correction });
    // What it adds is what it adds to the policy's term by itself.
    const without = gradientsOf(other, whole).gradient;
    const added = full.gradient.map((value, i) => value - without[i]!);
    const alone = gradientsOf(other, { ...policyOnly, correction }).gradient;
    const plain = gradientsOf(other, policyOnly).gradient;
    assert.ok(
      largestDifference(
        added,
        alone.map((value, i) => value - plain[i]!),
      ) < exactTolerance,
    );
    for (const change of [{ tokensPerChunk: 1 }, { tokensPerChunk: 3 }, { promptsPerMicroBatch: 1 }]) {
      const split = gradientsOf(other, { ...whole, correction, ...change });
      assert.ok(largestDifference(split.gradient, full.gradient) < exactTolerance, `${form} ${JSON.stringify(change)}`);
    }
  }
});
