// Training steps that train: a policy learns what it is paid for, and a gradient that is not finite changes nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AdamW, updateParameters } from "../../src/nn/index.ts";
import { groupAdvantages } from "../../src/rl/advantage.ts";
import { accumulateGradients, type StepModels } from "../../src/rl/gradients.ts";
import type { TrainGroup } from "../../src/rl/plan.ts";
import { sampleGroups } from "../../src/rl/rollout.ts";
import { defaultStepOptions, type StepOptions } from "../../src/rl/step-options.ts";
import type { Rollout } from "../../src/rl/types.ts";
import { viewSelectors } from "../../src/rl/views.ts";
import { numLiveTensors, type Tensor } from "../../src/tensor/index.ts";
import { scoredRollout, testSample } from "../support/rollouts.ts";
import { clipRows, promptTokens, randomRows, type TinyPolicy, tinyPolicy } from "../support/tiny-policy.ts";

const numSteps = 25;
const lr = 0.05;
const maxGradNorm = 1;

interface Trainer extends StepModels {
  readonly optimizer: AdamW;
  readonly trainable: readonly Tensor[];
}

/** What the training loop does with one step of the method. */
function trainStep({ optimizer, trainable, ...models }: Trainer, groups: readonly TrainGroup[], options: StepOptions) {
  optimizer.zeroGrad();
  const metrics = accumulateGradients(models, groups, options).values();
  const { gradNorm, isSkipped } = updateParameters(optimizer, trainable, lr, maxGradNorm);
  return { ...metrics, grad_norm: gradNorm, isSkipped };
}

/** Share of tokens that are `wanted`: what the policy is paid for. */
const rewardOf = (rollout: Rollout, wanted: number): number =>
  rollout.ids.reduce((count, id) => count + (id === wanted ? 1 : 0), 0) / rollout.ids.length;

/** Trains a tiny policy to say token 3, with OPPO's views on those tokens. Returns rewards and metrics per step. */
function trainRun(policy: TinyPolicy, reference: TinyPolicy) {
  const media = [1, 2, 3].map((seed) => randomRows(seed, 2, "float32"));
  const [video, audio, noise] = media;
  const tokens = promptTokens([1, 4, 2]);
  const pair = (v = video!, a = audio!) => ({ policy: { tokens, rows: clipRows(v, a) } });
  const trainable = [...policy.parameters().values()];
  const optimizer = new AdamW([{ parameters: trainable }], { lr });
  const options = { ...defaultStepOptions, views: viewSelectors.oppo, anchorWeight: 0.2 };
  let now = 0;
  const trainer = { policy, reference, optimizer, trainable, clock: () => now++ };
  const history = [];
  for (let step = 0; step < numSteps; step++) {
    const prompts = [{ sample: testSample("clip"), prompt: pair().policy }];
    const sampling = { groupSize: 8, maxNewTokens: 8, temperature: 1, seed: 7, step };
    const [sampled] = sampleGroups(policy, prompts, sampling);
    const rewards = sampled!.rollouts.map((rollout) => rewardOf(rollout, 3));
    const [advantages] = groupAdvantages([rewards]);
    const rollouts = sampled!.rollouts.map((rollout, i) => {
      const evidence = Array.from(rollout.ids.keys()).filter((t) => rollout.ids[t] === 3);
      return scoredRollout(rollout, advantages![i]!, { video: evidence });
    });
    const group: TrainGroup = { prompt: pair(), masked: { video: pair(noise) }, rollouts };
    const metrics = trainStep(trainer, [group], options);
    history.push({ reward: rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length, metrics });
  }
  optimizer[Symbol.dispose]();
  for (const row of media) row.dispose();
  return history;
}

function freshRun() {
  using policy = tinyPolicy(5, "float32", 0.4);
  using reference = tinyPolicy(5, "float32", 0.4);
  const history = trainRun(policy, reference);
  for (const parameter of policy.parameters().values()) parameter.grad = null;
  return history;
}

test("a policy learns what it is paid for, the same on every run, and leaks nothing", () => {
  const before = numLiveTensors();
  const history = freshRun();
  assert.equal(numLiveTensors(), before);
  const mean = (from: number, to: number) =>
    history.slice(from, to).reduce((sum, { reward }) => sum + reward, 0) / (to - from);
  assert.ok(mean(0, 3) < 0.3, `starts at ${mean(0, 3)}`);
  assert.ok(mean(numSteps - 3, numSteps) > 0.7, `ends at ${mean(numSteps - 3, numSteps)}`);
  const first: Record<string, unknown> = history[0]!.metrics;
  assert.equal(first.kl, 0);
  assert.ok(Number((history.at(-1)!.metrics as unknown as Record<string, number>).kl) > 0);
  for (const name of ["loss", "grad_norm", "entropy", "omni/kl_video", "omni/logp_drop", "timing_s/bwd"]) {
    assert.ok(Number.isFinite(first[name]), name);
  }
  assert.deepEqual(
    freshRun().map(({ metrics }) => metrics),
    history.map(({ metrics }) => metrics),
  );
});

test("a gradient that is not finite changes nothing and is counted", () => {
  using policy = tinyPolicy(5, "float32");
  const tokens = promptTokens([1, 4, 2]);
  const rollout = {
    ids: Int32Array.of(3, 0),
    logprobs: Float32Array.of(-1, -1),
    pieces: ["d", "a"],
    text: "da",
    truncated: false,
  };
  const group: TrainGroup = {
    prompt: { policy: { tokens, rows: null } },
    masked: {},
    rollouts: [scoredRollout(rollout, Number.POSITIVE_INFINITY)],
  };
  const trainable = [...policy.parameters().values()];
  using optimizer = new AdamW([{ parameters: trainable }], { lr });
  const options = { ...defaultStepOptions, referenceKl: { weight: 0, estimator: "k3" as const } };
  const values = () => trainable.map((parameter) => parameter.toNumbers());
  const before = values();
  const metrics = trainStep({ policy, reference: null, optimizer, trainable }, [group], options);
  assert.equal(metrics.isSkipped, true);
  assert.deepEqual(values(), before);
  // negative control: a finite advantage moves the parameters
  const usable = { ...group, rollouts: [scoredRollout(rollout, 1)] };
  assert.equal(trainStep({ policy, reference: null, optimizer, trainable }, [usable], options).isSkipped, false);
  assert.notDeepEqual(values(), before);
  for (const parameter of trainable) parameter.grad = null;
});

test("whether the prompt opened the thinking is read off its end", () => {
  using policy = tinyPolicy(5, "float32");
  const opened = {
    ...policy,
    decodePieces: (ids: Int32Array) => Array.from(ids, (id) => (id === 2 ? "<think>" : "x")),
  };
  const ask = (ids: readonly number[]) => ({
    sample: testSample("clip"),
    prompt: { tokens: promptTokens(ids), rows: null },
  });
  const sampling = { groupSize: 2, maxNewTokens: 2, temperature: 1, seed: 7, step: 0 };
  const groups = sampleGroups(opened, [ask([1, 4, 2]), ask([2, 1, 4])], sampling);
  assert.deepEqual(
    groups.map(({ thinkIsOpen }) => thinkIsOpen),
    [true, false],
  );
});
