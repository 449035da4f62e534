// A small world for tests of the whole step: three prompts with masked inputs and rollouts over the tiny policy, in float64.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accumulateGradients } from "../../src/rl/gradients.ts";
import type { TrainGroup } from "../../src/rl/plan.ts";
import { defaultStepOptions, type StepOptions } from "../../src/rl/step-options.ts";
import { viewSelectors } from "../../src/rl/views.ts";
import { noGrad, numLiveTensors, scope, type Tensor } from "../../src/tensor/index.ts";
import { scoredRollout } from "./rollouts.ts";
import { clipRows, promptTokens, randomRows, type TinyPolicy, tinyPolicy } from "./tiny-policy.ts";

export const oppoOptions: StepOptions = {
  ...defaultStepOptions,
  oldLogprobs: "sampler",
  views: viewSelectors.oppo,
  anchorWeight: 0.2,
};

export interface World extends Disposable {
  readonly policy: TinyPolicy;
  readonly reference: TinyPolicy;
  readonly groups: readonly TrainGroup[];
}

/** Three prompts of 2, 3 and 1 rollouts; evidence of video, of both, of none. The reference has other weights. */
export function makeWorld(dtype: "float32" | "float64" = "float64"): World {
  const policy = tinyPolicy(1, dtype);
  const reference = tinyPolicy(2, dtype);
  const tensors: Tensor[] = [];
  const rows = (seed: number) => {
    const row = randomRows(10 + seed, 2, dtype);
    tensors.push(row);
    return row;
  };
  const rollout = (ids: readonly number[]) => ({
    ids: Int32Array.from(ids),
    // log-probabilities that are near the policy's, so that ratios are near 1 and some are clipped
    logprobs: Float32Array.from(ids, (id, t) => -2.2 - 0.3 * Math.sin(id + t)),
    pieces: ids.map(String),
    text: "",
    truncated: ids[ids.length - 1] !== 0,
  });
  const group = (seed: number, rollouts: TrainGroup["rollouts"]): TrainGroup => {
    const tokens = promptTokens([1 + seed, 4, 2 + seed]);
    const [video, audio] = [rows(10 * seed), rows(10 * seed + 1)];
    const pair = (v: Tensor, a: Tensor) => ({ policy: { tokens, rows: clipRows(v, a) } });
    const [maskedVideo, maskedAudio] = [rows(10 * seed + 2), rows(10 * seed + 3)];
    return {
      prompt: pair(video, audio),
      masked: {
        video: pair(maskedVideo, audio),
        audio: pair(video, maskedAudio),
        both: pair(maskedVideo, maskedAudio),
      },
      rollouts,
    };
  };
  const groups = [
    group(1, [
      scoredRollout(rollout([3, 5, 7, 2, 0]), 0.9, { video: [1, 2] }),
      scoredRollout(rollout([6, 1, 0]), -0.9),
    ]),
    group(2, [
      scoredRollout(rollout([8, 9, 4, 4, 10, 0]), 1.1, { video: [0], audio: [2, 3] }),
      scoredRollout(rollout([2, 2, 0]), -0.3, { audio: [1] }),
      scoredRollout(rollout([5, 3, 1, 7]), -0.8),
    ]),
    group(3, [scoredRollout(rollout([1, 0]), 0)]),
  ];
  return {
    policy,
    reference,
    groups,
    [Symbol.dispose]: () => {
      for (const owner of [policy, reference]) owner[Symbol.dispose]();
      for (const row of tensors) row.dispose();
    },
  };
}

/** Runs the body on a fresh world and checks that nothing stays alive. */
export function worldTest(name: string, body: (world: World) => void, dtype?: "float32" | "float64"): void {
  test(name, () => {
    const before = numLiveTensors();
    {
      using world = makeWorld(dtype);
      scope(() => body(world));
      for (const parameter of world.policy.parameters().values()) parameter.grad = null;
    }
    assert.equal(numLiveTensors(), before, "tensors left alive");
  });
}

export function gradientsOf({ policy, reference, groups }: World, options: StepOptions) {
  const parameters = [...policy.parameters().values()];
  for (const parameter of parameters) parameter.grad = null;
  const metrics = accumulateGradients({ policy, reference }, groups, options).values();
  return { metrics, gradient: parameters.flatMap((parameter) => parameter.grad!.toNumbers()) };
}

export function largestDifference(a: readonly number[], b: readonly number[]): number {
  assert.equal(a.length, b.length);
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
}

const finiteDifferenceStep = 1e-5;
const finiteDifferenceTolerance = 2e-8;

/** Central differences of metrics.loss at a few entries of every parameter. */
export function assertFiniteDifferences(world: World, options: StepOptions): void {
  const { gradient } = gradientsOf(world, options);
  let offset = 0;
  for (const parameter of world.policy.parameters().values()) {
    for (let entry = 0; entry < parameter.numel; entry += 7) {
      const lossAt = (shift: number): number => {
        noGrad(() => parameter.view([-1]).narrow(0, entry, 1).add_(shift));
        const { loss } = gradientsOf(world, options).metrics;
        noGrad(() => parameter.view([-1]).narrow(0, entry, 1).sub_(shift));
        return loss!;
      };
      const slope = (lossAt(finiteDifferenceStep) - lossAt(-finiteDifferenceStep)) / (2 * finiteDifferenceStep);
      const difference = Math.abs(slope - gradient[offset + entry]!);
      assert.ok(
        difference < finiteDifferenceTolerance,
        `entry ${offset + entry}: ${slope} vs ${gradient[offset + entry]}`,
      );
    }
    offset += parameter.numel;
  }
  assert.ok(
    gradient.some((value) => Math.abs(value) > 1e-3),
    "the gradient is not all zero",
  );
}
