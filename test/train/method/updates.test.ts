// Several updates on the tiny policy in float64, beside a loop written down once more; and a reference that moves, in numbers.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { OmniModel } from "../../../src/models/omni-model.ts";
import { accumulateGradients } from "../../../src/rl/gradients.ts";
import type { StepOptions } from "../../../src/rl/step-options.ts";
import { tokenLogprobs } from "../../../src/rl/token-logprobs.ts";
import { noGrad, op, scope, tensor } from "../../../src/tensor/index.ts";
import { miniBatches } from "../../../src/train/method/mini-batches.ts";
import { referenceSync } from "../../../src/train/method/reference-sync.ts";
import { runUpdates, type UpdatesOptions } from "../../../src/train/method/updates.ts";
import { largestDifference, makeWorld, oppoOptions, type World, worldTest } from "../../support/step-world.ts";

const rate = 0.05;
const plan = { updatesPerRollout: 4, miniBatches: 2, seed: 5, step: 1 };
const options: StepOptions = { ...oppoOptions, oldLogprobs: "start" };

const parametersOf = ({ policy }: World) => [...policy.parameters().values()];
const numbersOf = (world: World) => parametersOf(world).flatMap((parameter) => parameter.toNumbers());

function descend(world: World): void {
  noGrad(() => {
    for (const parameter of parametersOf(world)) {
      if (parameter.grad !== null) parameter.sub_(parameter.grad.mul(rate));
      parameter.grad = null;
    }
  });
}

function task(world: World, change: Partial<UpdatesOptions> = {}): UpdatesOptions {
  const models = { policy: world.policy, reference: world.reference };
  return { models, options, plan, update: () => descend(world), backward: () => undefined, renew: null, ...change };
}

worldTest(
  "updates are gradients of the parts in their order, each with both branches of the policy as it is",
  (world) => {
    const counted: number[] = [];
    const update = () => {
      counted.push(1);
      descend(world);
    };
    const metrics = runUpdates(world.groups, task(world, { update })).values();
    descend(world);
    assert.equal(counted.length, 3, "the last update is the loop's");
    assert.equal(metrics["optim/updates"], 4);

    using other = makeWorld();
    const start = tokenLogprobs(other.policy, other.groups, options);
    const groups = other.groups.map((group, g) => ({ ...group, startLogprobs: start[g]! }));
    const losses = miniBatches([...groups.keys()], plan).map((places) => {
      const part = places.map((place) => groups[place]!);
      const { policy, reference } = other;
      const { loss } = accumulateGradients({ policy, reference }, part, options).values();
      descend(other);
      return loss!;
    });
    assert.ok(largestDifference(numbersOf(world), numbersOf(other)) < 1e-12);
    assert.ok(
      Math.abs(metrics.loss! - losses.reduce((sum, loss) => sum + loss, 0) / 4) < 1e-12,
      "the mean over updates",
    );
    for (const parameter of parametersOf(other)) parameter.grad = null;
  },
);

worldTest("one update is the gradient of the step and nothing else", (world) => {
  const none = () => assert.fail("no update before the last");
  const metrics = runUpdates(
    world.groups,
    task(world, { plan: { ...plan, updatesPerRollout: 1, miniBatches: 1 }, update: none }),
  );
  assert.equal("optim/updates" in metrics.values(), false);
});

worldTest("later updates of towers are given their rows anew, and the gradient goes through those", (world) => {
  const asked: (readonly number[])[] = [];
  const sent = { first: 0, later: 0 };
  const renew: UpdatesOptions["renew"] = (places) => {
    asked.push(places);
    const groups = places.map((place) => world.groups[place]!);
    return { groups, backward: () => void sent.later++, [Symbol.dispose]: () => undefined };
  };
  runUpdates(world.groups, task(world, { renew, backward: () => void sent.first++ }));
  assert.deepEqual([asked.length, sent.first, sent.later], [3, 1, 3]);
  assert.deepEqual(asked, miniBatches([0, 1, 2], plan).slice(1));
});

worldTest("a part in which everything is left out is no update", (world) => {
  const masked: StepOptions = { ...options, truncated: "mask" };
  const groups = world.groups.map((group, g) => ({
    ...group,
    rollouts: group.rollouts.map((one) => (g === 2 ? { ...one, rollout: { ...one.rollout, truncated: true } } : one)),
  }));
  const one = { ...plan, updatesPerRollout: 3, miniBatches: 3 };
  const metrics = runUpdates(groups, task(world, { options: masked, plan: one })).values();
  assert.equal(metrics["optim/updates"], 2);
});

test("the reference moves by its share of the policy, of its master where there is one, when it is due", () =>
  scope(() => {
    const numbers = (...values: number[]) => tensor(Float32Array.from(values));
    const [own, half] = [numbers(1, 2), numbers(8, 8).to({ dtype: "bfloat16" })];
    const frozen = numbers(5);
    const reference = {
      parameters: () =>
        new Map([
          ["a", own],
          ["b", half],
          ["c", frozen],
        ]),
    } as unknown as OmniModel;
    const trainable = new Map([
      ["a", numbers(3, 6)],
      ["b", op.zeros([2]).to({ dtype: "bfloat16" })],
    ]);
    const masters = new Map([["b", numbers(4, 2)]]);
    const sync = referenceSync({ reference, trainable, masters }, 2, 0.25);
    assert.deepEqual([...sync.moving.keys()], ["a", "b"]);
    sync.afterStep(0);
    assert.deepEqual(own.toNumbers(), [1, 2]);
    sync.afterStep(1);
    assert.deepEqual(own.toNumbers(), [1.5, 3]);
    assert.deepEqual(half.to({ dtype: "float32" }).toNumbers(), [7, 6.5]);
    assert.deepEqual(frozen.toNumbers(), [5]);
  }));
