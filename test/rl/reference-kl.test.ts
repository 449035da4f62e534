// The KL to the reference of every token, as a watcher of a step is told it.
import assert from "node:assert/strict";
import { accumulateGradients } from "../../src/rl/gradients.ts";
import type { StepOptions } from "../../src/rl/step-options.ts";
import { gradientsOf, oppoOptions, worldTest } from "../support/step-world.ts";

/** Weights and advantages are float32 whatever the model is. */
const float32Tolerance = 3e-7;

worldTest("the KL to the reference is told token by token, however a step is split, and changes no number", (world) => {
  const options: StepOptions = { ...oppoOptions, referenceKl: { weight: 0.04, estimator: "full-vocab" } };
  const plain = gradientsOf(world, options);
  const told = (change: Partial<StepOptions>) => {
    const values = new Map<Int32Array, Map<number, number>>();
    const { policy, reference, groups } = world;
    for (const parameter of policy.parameters().values()) parameter.grad = null;
    const onDivergence = (ids: Int32Array, view: string, position: number, nats: number) => {
      if (view !== "reference") return;
      const own = values.get(ids) ?? new Map();
      values.set(ids, own.set(position, nats));
    };
    const metrics = accumulateGradients({ policy, reference, onDivergence }, groups, {
      ...options,
      ...change,
    }).values();
    const gradient = [...policy.parameters().values()].flatMap((parameter) => parameter.grad!.toNumbers());
    return { values, metrics, gradient };
  };
  const whole = told({});
  assert.deepEqual(whole.gradient, plain.gradient);
  assert.deepEqual(whole.metrics, plain.metrics);
  const all = [...whole.values.values()].flatMap((own) => [...own.values()]);
  const rollouts = world.groups.flatMap((group) => group.rollouts.map(({ rollout }) => rollout));
  for (const { ids } of rollouts) assert.equal(whole.values.get(ids)!.size, ids.length);
  const mean = all.reduce((sum, nats) => sum + nats, 0) / all.length;
  assert.ok(Math.abs(mean - whole.metrics.kl!) < float32Tolerance && mean > 1e-3);
  for (const change of [{ promptsPerMicroBatch: 1 }, { tokensPerChunk: 1 }]) {
    const split = told(change);
    for (const [ids, own] of whole.values) {
      for (const [t, nats] of own) assert.ok(Math.abs(split.values.get(ids)!.get(t)! - nats) < float32Tolerance);
    }
  }
  // nothing is told where the reference is not asked
  assert.equal(told({ referenceKl: { ...options.referenceKl, weight: 0 } }).values.size, 0);
});
