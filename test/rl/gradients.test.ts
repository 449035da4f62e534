// The whole step on a tiny differentiable policy in float64: finite differences, a plainly written GRPO, and what each
// option must and must not touch.
import assert from "node:assert/strict";
import { tokenDivergence } from "../../src/rl/divergence.ts";
import { accumulateGradients } from "../../src/rl/gradients.ts";
import { checkInvariants } from "../../src/rl/invariants.ts";
import type { StepMetrics } from "../../src/rl/metrics.ts";
import { sampleGroups } from "../../src/rl/rollout.ts";
import { defaultStepOptions, type StepOptions } from "../../src/rl/step-options.ts";
import { alikeView, viewSelectors } from "../../src/rl/views.ts";
import { grad, indices, noGrad, tensor } from "../../src/tensor/index.ts";
import { onDevice, testDevice } from "../support/device.ts";
import { scoredRollout, testSample } from "../support/rollouts.ts";
import {
  assertFiniteDifferences,
  gradientsOf,
  largestDifference,
  oppoOptions,
  type World,
  worldTest,
} from "../support/step-world.ts";
import { type TinyPolicy, tinyPolicy } from "../support/tiny-policy.ts";

const exactTolerance = 1e-12;
/** Weights and advantages are float32 whatever the model is. */
const float32Tolerance = 3e-7;
worldTest("the whole OPPO loss matches finite differences", (world) => {
  assertFiniteDifferences(world, oppoOptions);
});

worldTest(
  "PAPO with double entropy, sums, no cap and a full-vocabulary reference KL match finite differences",
  (world) => {
    assertFiniteDifferences(world, {
      ...defaultStepOptions,
      oldLogprobs: "sampler",
      aggregation: "token-mean",
      referenceKl: { weight: 0.04, estimator: "full-vocab" },
      views: viewSelectors.papo,
      perception: {
        ...oppoOptions.perception,
        weight: 0.02,
        estimator: "k3",
        reduction: "sum",
        cap: null,
        fullEntropyWeight: 0.03,
        maskedEntropyWeight: 0.03,
      },
    });
  },
);

/** Of every view's tokens a share that depends on their place: 0, .3, .6 ... */
const partlyReadable: StepOptions["views"] = (rollout) =>
  viewSelectors
    .oppo(rollout)
    .map((view) => ({ ...view, readable: Float32Array.from(view.tokens, (t) => (t % 4) * 0.3) }));

worldTest("views of which a part can be read: finite differences, and any split gives the same", (world) => {
  const pressed: StepOptions = { ...oppoOptions, views: partlyReadable };
  assertFiniteDifferences(world, pressed);
  const aimed: StepOptions = {
    ...pressed,
    // far enough that every token is short of its target: a held one has no gradient through the full branch by design
    perception: { ...oppoOptions.perception, target: "calibrated", cap: 8, holdWeight: 0.5 },
  };
  assertFiniteDifferences(world, aimed);
  const plain = gradientsOf(world, oppoOptions).gradient;
  const near = { ...aimed, perception: { ...aimed.perception, cap: 0.4 } };
  for (const options of [pressed, aimed, near]) {
    const whole = gradientsOf(world, options);
    // short of every target the slope is that of the divergence itself
    const isOther = largestDifference(whole.gradient, plain) > 1e-4;
    assert.equal(isOther, options !== aimed);
    for (const change of [{ promptsPerMicroBatch: 1 }, { tokensPerChunk: 1 }, { viewPasses: "one" as const }]) {
      const split = gradientsOf(world, { ...options, ...change });
      assert.ok(largestDifference(split.gradient, whole.gradient) < exactTolerance, JSON.stringify(change));
      for (const [name, value] of Object.entries(whole.metrics)) {
        assert.ok(Math.abs(split.metrics[name]! - value) < exactTolerance, `${name} ${JSON.stringify(change)}`);
      }
    }
  }
  // nothing readable is the plain objective, to the bit
  const none: StepOptions["views"] = (rollout) =>
    viewSelectors.oppo(rollout).map((view) => ({ ...view, readable: new Float32Array(view.tokens.length) }));
  assert.ok(largestDifference(gradientsOf(world, { ...oppoOptions, views: none }).gradient, plain) < exactTolerance);
});

worldTest(
  "an alike view draws what is said of another input to what is said of the prompt, which stands still",
  (world) => {
    const groups = world.groups.map((group) => ({
      ...group,
      masked: {},
      alike: [group.masked.both!, group.masked.video!],
    }));
    const alike: StepOptions = {
      ...defaultStepOptions,
      oldLogprobs: "sampler",
      views: alikeView,
      perception: { ...oppoOptions.perception, weight: 0 },
      alikeWeight: 0.7,
    };
    const both = gradientsOf({ ...world, groups }, alike);
    const none = gradientsOf({ ...world, groups }, { ...alike, alikeWeight: 0 });
    assert.ok(both.metrics["omni/kl_alike"]! > 1e-3 && !("omni/kl_alike" in none.metrics));
    // no view was compared, and none reads 0
    assert.ok(!("omni/kl_video" in both.metrics) && !("omni/anchor_kl" in both.metrics));
    // .7 times the mean over rollouts and their two inputs of the mean over tokens of KL(p || q), p without gradient
    const parameters = [...world.policy.parameters().values()];
    let loss = tensor(Float64Array.of(0), [1], { device: testDevice });
    const rollouts = groups.flatMap(({ prompt, alike: others, rollouts: own }) =>
      others.flatMap((other) => own.map((scored) => ({ prompt, other, scored }))),
    );
    for (const { prompt, other, scored } of rollouts) {
      const { ids } = scored.rollout;
      const rows = (pair: typeof prompt) =>
        world.policy.logits(world.policy.hidden([pair.policy], [[ids]]).select(0, 0)).logSoftmax(-1);
      const [p, q] = [noGrad(() => rows(prompt)), rows(other)];
      loss = loss.add(
        p
          .exp()
          .mul(p.sub(q))
          .sum(-1)
          .mean()
          .mul(0.7 / rollouts.length),
      );
    }
    const expected = grad([loss.sum()], parameters).flatMap((gradient) => gradient!.toNumbers());
    const added = both.gradient.map((value, i) => value - none.gradient[i]!);
    assert.ok(largestDifference(added, expected) < float32Tolerance);
    assert.ok(expected.some((value) => Math.abs(value) > 1e-3));
    for (const change of [{ promptsPerMicroBatch: 1 }, { tokensPerChunk: 2 }, { sharesPrefixes: true }]) {
      const split = gradientsOf({ ...world, groups }, { ...alike, ...change }).gradient;
      assert.ok(largestDifference(split, both.gradient) < exactTolerance, JSON.stringify(change));
    }
  },
);

/** J_GRPO written down once more, without chunks, cuts or weights: mean over rollouts of the mean over tokens. */
function plainGrpoGradient({ policy, reference, groups }: World): number[] {
  const parameters = [...policy.parameters().values()];
  const rollouts = groups.flatMap(({ prompt, rollouts: own }) => own.map((scored) => ({ prompt, scored })));
  let loss = tensor(Float64Array.of(0), [1], { device: testDevice });
  for (const { prompt, scored } of rollouts) {
    const { ids, logprobs: sampled } = scored.rollout;
    const at = onDevice(indices(ids, [ids.length, 1]));
    const logprobs = (model: TinyPolicy) =>
      model
        .logits(model.hidden([prompt.policy], [[ids]]).select(0, 0))
        .logSoftmax(-1)
        .gather(-1, at)
        .view([-1]);
    const current = logprobs(policy);
    const d = noGrad(() => logprobs(reference)).sub(current);
    const ratio = current.sub(onDevice(tensor(sampled))).exp();
    const clipped = ratio.clamp({ min: 0.8, max: 1.2 });
    const surrogate = ratio.mul(scored.advantage).minimum(clipped.mul(scored.advantage));
    const objective = surrogate.sub(d.exp().sub(d).sub(1).mul(0.04));
    loss = loss.sub(objective.mean().mul(1 / rollouts.length));
  }
  return grad([loss.sum()], parameters).flatMap((gradient) => gradient!.toNumbers());
}

worldTest("zero views are exactly GRPO", (world) => {
  const none = gradientsOf(world, { ...oppoOptions, views: viewSelectors.none });
  assert.ok(largestDifference(none.gradient, plainGrpoGradient(world)) < float32Tolerance);
  const weightless = { ...oppoOptions, anchorWeight: 0, perception: { ...oppoOptions.perception, weight: 0 } };
  assert.deepEqual(gradientsOf(world, weightless).gradient, none.gradient);
  assert.equal("omni/kl_video" in gradientsOf(world, weightless).metrics, false);
  // negative control: with views the gradient is another one
  assert.ok(largestDifference(gradientsOf(world, oppoOptions).gradient, none.gradient) > 1e-3);
});

worldTest("micro-batches and logit chunks do not change the result", (world) => {
  const whole = gradientsOf(world, oppoOptions);
  for (const change of [
    { promptsPerMicroBatch: 1 },
    { promptsPerMicroBatch: 2 },
    { tokensPerChunk: 1 },
    { tokensPerChunk: 3 },
  ]) {
    const split = gradientsOf(world, { ...oppoOptions, ...change });
    assert.ok(largestDifference(split.gradient, whole.gradient) < exactTolerance, JSON.stringify(change));
    for (const [name, value] of Object.entries(whole.metrics)) {
      assert.ok(Math.abs(split.metrics[name]! - value) < exactTolerance, `${name} ${JSON.stringify(change)}`);
    }
  }
});

worldTest("a mask that changes nothing has divergence 0 and no perception gradient", (world) => {
  const groups = world.groups.map((group) => ({
    ...group,
    masked: { video: group.prompt, audio: group.prompt, both: group.prompt },
  }));
  const same = gradientsOf({ ...world, groups }, { ...oppoOptions, anchorWeight: 0 });
  const none = gradientsOf(world, { ...oppoOptions, views: viewSelectors.none });
  assert.ok(largestDifference(same.gradient, none.gradient) < exactTolerance);
  assert.ok(same.metrics["omni/kl_max"]! < exactTolerance);
  assert.ok(gradientsOf(world, oppoOptions).metrics["omni/kl_max"]! > 1e-3);
});

worldTest("masked forwards run for owners only, up to the last evidence token", (world) => {
  const { policy } = world;
  const count = (options: StepOptions) => {
    Object.assign(policy.calls, { completions: 0, tokens: 0, forwards: 0 });
    gradientsOf(world, options);
    return { ...policy.calls };
  };
  assert.deepEqual(count({ ...oppoOptions, views: viewSelectors.none }), { forwards: 1, completions: 6, tokens: 23 });
  // video: rollouts ending at 3 and 1 tokens; audio: at 4 and 2 tokens
  assert.deepEqual(count({ ...oppoOptions, anchorWeight: 0 }), { forwards: 3, completions: 10, tokens: 23 + 4 + 6 });
  // the anchor reads the owners' whole completions: 5 + 6 and 6 + 3
  assert.deepEqual(count(oppoOptions), { forwards: 3, completions: 10, tokens: 23 + 11 + 9 });
});

worldTest(
  "an anchor until the last token of a view reads no further, and anchors what lies before as before",
  (world) => {
    const until: StepOptions = { ...oppoOptions, anchorUntil: "last-token" };
    const { policy } = world;
    Object.assign(policy.calls, { completions: 0, tokens: 0, forwards: 0 });
    const near = gradientsOf(world, until);
    assert.deepEqual(policy.calls, { forwards: 3, completions: 10, tokens: 23 + 4 + 6 });
    assertFiniteDifferences(world, until);
    const far = gradientsOf(world, oppoOptions);
    assert.ok(near.metrics["omni/anchor_kl"]! < far.metrics["omni/anchor_kl"]! - 1e-3);
    // where every view ends with its completion the two are the same
    const groups = world.groups.map((group) => ({
      ...group,
      rollouts: group.rollouts.map((scored) => {
        const last = scored.rollout.ids.length - 1;
        return scoredRollout(scored.rollout, scored.advantage, { video: [0, last], audio: [last] });
      }),
    }));
    const [a, b] = [until, oppoOptions].map((options) => gradientsOf({ ...world, groups }, options).gradient);
    assert.deepEqual(a, b);
  },
);

worldTest("views in one pass give what a pass for each gives", (world) => {
  for (const change of [{}, { anchorWeight: 0 }, { anchorTo: "full" as const }]) {
    const each = gradientsOf(world, { ...oppoOptions, ...change });
    Object.assign(world.policy.calls, { forwards: 0 });
    const one = gradientsOf(world, { ...oppoOptions, ...change, viewPasses: "one" });
    assert.equal(world.policy.calls.forwards, 2);
    assert.ok(largestDifference(one.gradient, each.gradient) < exactTolerance);
    for (const [name, value] of Object.entries(each.metrics)) {
      assert.ok(Math.abs(one.metrics[name]! - value) < exactTolerance, name);
    }
  }
});

worldTest("ascent on the perception objective raises the KL at evidence tokens, and there most", (world) => {
  const options: StepOptions = {
    ...oppoOptions,
    anchorWeight: 0,
    referenceKl: { weight: 0, estimator: "k3" },
    perception: { ...oppoOptions.perception, weight: 1, cap: null },
  };
  const flat = {
    ...world,
    groups: world.groups.map((group) => ({
      ...group,
      rollouts: group.rollouts.map((scored) => ({ ...scored, advantage: 0 })),
    })),
  };
  const divergences = () =>
    world.groups.flatMap((group) => {
      const completions = group.rollouts.map((scored) => scored.rollout.ids);
      return (["video", "audio"] as const).flatMap((name) => {
        const rows = tokenDivergence(world.policy, group.prompt.policy, group.masked[name]!.policy, completions);
        return rows.flatMap((values, i) =>
          Array.from(values, (value, t) => ({ value, isEvidence: group.rollouts[i]!.evidence[name].includes(t) })),
        );
      });
    });
  const mean = (list: ReturnType<typeof divergences>, isEvidence: boolean) => {
    const values = list.filter((token) => token.isEvidence === isEvidence).map(({ value }) => value);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const before = divergences();
  for (let i = 0; i < 60; i++) {
    gradientsOf(flat, options);
    for (const parameter of world.policy.parameters().values()) noGrad(() => parameter.sub_(parameter.grad!.mul(0.3)));
  }
  const after = divergences();
  const risen = mean(after, true) - mean(before, true);
  assert.ok(risen > 0.1, `evidence tokens rose by ${risen}`);
  assert.ok(risen > 2 * (mean(after, false) - mean(before, false)));
});

worldTest(
  "outside the views nothing but the trunk is touched: tokens after the last evidence token do not matter",
  (world) => {
    const options: StepOptions = {
      ...oppoOptions,
      anchorWeight: 0,
      referenceKl: { weight: 0, estimator: "k3" },
    };
    const withTail = (ids: readonly number[]): World => {
      const [first] = world.groups;
      const rollout = { ...first!.rollouts[0]!.rollout, ids: Int32Array.from(ids) };
      return { ...world, groups: [{ ...first!, rollouts: [scoredRollout(rollout, 0, { video: [1, 2] })] }] };
    };
    const one = gradientsOf(withTail([3, 5, 7, 2, 0]), options).gradient;
    assert.ok(largestDifference(one, gradientsOf(withTail([3, 5, 7, 9, 8]), options).gradient) < exactTolerance);
    // negative control: the evidence tokens' own prefix does
    assert.ok(largestDifference(one, gradientsOf(withTail([4, 5, 7, 2, 0]), options).gradient) > 1e-6);
  },
);

worldTest("truncated completions can be left out", (world) => {
  const masked = gradientsOf(world, { ...oppoOptions, truncated: "mask", views: viewSelectors.none });
  const without = world.groups.map((group) => ({
    ...group,
    rollouts: group.rollouts.filter((scored) => !scored.rollout.truncated),
  }));
  const dropped = gradientsOf({ ...world, groups: without }, { ...oppoOptions, views: viewSelectors.none });
  // five of six sequences remain; the mean over sequences still divides by six
  const rescaled = dropped.gradient.map((value) => (value * 5) / 6);
  assert.ok(largestDifference(masked.gradient, rescaled) < float32Tolerance);
});

worldTest(
  "step 0: sampler and trainer agree, the KL to the reference is 0",
  (world) => {
    using twin = tinyPolicy(1, "float32");
    const prompts = world.groups.map((group, i) => ({ sample: testSample(`clip ${i}`), prompt: group.prompt.policy }));
    const rollouts = { groupSize: 3, maxNewTokens: 6, temperature: 1, seed: 4, step: 0 };
    const sampled = sampleGroups(world.policy, prompts, rollouts);
    assert.deepEqual(sampled, sampleGroups(world.policy, prompts, rollouts));
    assert.notDeepEqual(sampled, sampleGroups(world.policy, prompts, { ...rollouts, step: 1 }));
    const groups = world.groups.map((group, i) => ({
      ...group,
      rollouts: sampled[i]!.rollouts.map((rollout) => scoredRollout(rollout, 1)),
    }));
    const metricsOf = (reference: TinyPolicy): StepMetrics =>
      accumulateGradients({ policy: world.policy, reference }, groups, defaultStepOptions).values();
    const metrics = metricsOf(twin);
    checkInvariants(metrics);
    assert.equal(metrics.kl, 0);
    assert.throws(() => checkInvariants(metricsOf(world.reference)), {
      code: "ERR_REFERENCE_KL",
      message: /step 0: expected a KL to the reference of 0/,
    });
    const wrong = { ...metrics, "sampling/sampling_logp_difference/max": Number.NaN };
    assert.throws(() => checkInvariants(wrong), {
      code: "ERR_SAMPLING_DIFFERENCE",
      message: /largest difference of NaN/,
    });
  },
  "float32",
);

worldTest("missing inputs are named", (world) => {
  const { policy, groups } = world;
  assert.throws(() => accumulateGradients({ policy, reference: null }, groups, oppoOptions), {
    code: "ERR_MISSING_REFERENCE",
    message: /referenceKl.weight 0.04 and anchorWeight 0.2/,
  });
  const unmasked = groups.map((group) => ({ ...group, masked: {} }));
  assert.throws(() => gradientsOf({ ...world, groups: unmasked }, oppoOptions), {
    code: "ERR_MISSING_VIEW",
    message: /masked input for view "video"/,
  });
  const silent = [{ ...groups[0]!, rollouts: [] }];
  assert.throws(() => gradientsOf({ ...world, groups: silent }, oppoOptions), { code: "ERR_EMPTY_STEP" });
});

/** Near the median of the fake reference's entropies, so that some evidence tokens stay and some go. */
const someChoiceEntropy = 2;

worldTest("tokens that the reference was sure of leave the view for the anchor", (world) => {
  const all = gradientsOf(world, oppoOptions);
  const viewed = (metrics: StepMetrics) => metrics["omni/view_tokens"]!;
  assert.equal(viewed(all.metrics), 6);
  assert.deepEqual(gradientsOf(world, { ...oppoOptions, minChoiceEntropy: 0 }).gradient, all.gradient);
  const some = gradientsOf(world, { ...oppoOptions, minChoiceEntropy: someChoiceEntropy });
  assert.ok(viewed(some.metrics) > 0 && viewed(some.metrics) < 6, `${viewed(some.metrics)} of 6 stay`);
  const none = gradientsOf(world, { ...oppoOptions, minChoiceEntropy: 1e9 });
  assert.equal(viewed(none.metrics), 0);
  assert.equal(none.metrics["omni/objective"], 0);
  assert.ok(none.metrics["omni/anchor_kl"]! > all.metrics["omni/anchor_kl"]!);
  assertFiniteDifferences(world, { ...oppoOptions, minChoiceEntropy: someChoiceEntropy });
});

worldTest("the anchor to the full branch wants nothing of a mask that changes nothing", (world) => {
  const options = { ...oppoOptions, anchorTo: "full" as const };
  const moved = gradientsOf(world, options).metrics["omni/anchor_kl"]!;
  assert.ok(moved > 1e-4, `a real mask: ${moved}`);
  const unmasked = {
    ...world,
    groups: world.groups.map((group) => ({ ...group, masked: { video: group.prompt, audio: group.prompt } })),
  };
  assert.ok(Math.abs(gradientsOf(unmasked, options).metrics["omni/anchor_kl"]!) < float32Tolerance);
});
