// What GRPO's users expect to be able to set, by hand-computed numbers and finite differences in float64: ratios of sequences
// (GSPO), the old policy of several updates, the entropy bonus, advantages of spans. What is off changes nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultAdvantageOptions } from "../../src/rl/advantage.ts";
import { accumulateGradients } from "../../src/rl/gradients.ts";
import { clippedSurrogate, sequenceRatio, spreadRatio } from "../../src/rl/objectives/grpo.ts";
import { planStep, type TrainGroup } from "../../src/rl/plan.ts";
import { type CompareOptions, compareRollouts, hasSpread } from "../../src/rl/rewards/compare.ts";
import { defaultStepOptions, type StepOptions } from "../../src/rl/step-options.ts";
import { tokenLogprobs } from "../../src/rl/token-logprobs.ts";
import type { ScoredRollout } from "../../src/rl/types.ts";
import { viewSelectors } from "../../src/rl/views.ts";
import { noGrad, scope, tensor } from "../../src/tensor/index.ts";
import { scoredRollout, textRollout } from "../support/rollouts.ts";
import {
  assertFiniteDifferences,
  gradientsOf,
  largestDifference,
  oppoOptions,
  type World,
  worldTest,
} from "../support/step-world.ts";

const exact = 1e-12;
const clear = 1e-4;
/** Weights and advantages are float32 whatever the model is. */
const float32Tolerance = 3e-7;

const grpoOptions: StepOptions = { ...oppoOptions, views: viewSelectors.none, anchorWeight: 0 };
const gspo = (clipLow: number, clipHigh: number): StepOptions => ({
  ...grpoOptions,
  ratioLevel: "sequence",
  clip: { clipLow, clipHigh, dualClip: null },
});

test("GSPO of two short sequences is the number worked out by hand", () => {
  const logs = (values: readonly number[]) => values.map(Math.log);
  const now = [logs([0.5, 0.2, 0.9]), logs([0.4, 0.4, 0.1, 0.7, 0.3])];
  const old = [logs([0.45, 0.3, 0.9]), logs([0.3, 0.4, 0.15, 0.7, 0.2])];
  // exp of the mean log-ratios: (.5 / .45 * .2 / .3)^(1/3) and (.4 / .3 * .1 / .15 * .3 / .2)^(1/5)
  const ratios = now.map((own, i) => sequenceRatio(own, old[i]!));
  assert.ok(Math.abs(ratios[0]! - (0.5 / 0.45 / 1.5) ** (1 / 3)) < exact);
  assert.ok(Math.abs(ratios[1]! - (0.4 / 0.3 / 1.5 / (0.2 / 0.3)) ** (1 / 5)) < exact);
  const [means] = scope(() => [
    now.map((own, i) => {
      const logprobs = tensor(Float64Array.from(own));
      const ratio = spreadRatio(tensor(new Float64Array(own.length).fill(ratios[i]!)), logprobs);
      const advantages = tensor(new Float64Array(own.length).fill([1, -0.5][i]!));
      return clippedSurrogate(ratio, advantages, { clipLow: 3e-4, clipHigh: 4e-4, dualClip: null }).mean().item();
    }),
  ]);
  assert.ok(Math.abs(-(means![0]! + means![1]!) / 2 - -0.18759698) < 1e-8, String(means));
});

worldTest("GSPO matches finite differences, however a step adds up; clipped sequences have no gradient", (world) => {
  assertFiniteDifferences(world, gspo(0.2, 0.2));
  assertFiniteDifferences(world, { ...gspo(0.5, 0.5), aggregation: "token-mean", tokensPerChunk: 3 });
  const wide = gradientsOf(world, { ...gspo(0.9, 9), referenceKl: { weight: 0, estimator: "k3" } });
  const token = gradientsOf(world, { ...gspo(0.9, 9), ratioLevel: "token" });
  assert.ok(largestDifference(wide.gradient, token.gradient) > clear, "a token's own ratio is another one");
  // The one of four tokens (of 23) is clipped as a whole: what its advantage is does not matter.
  assert.equal(wide.metrics["clip_ratio/region_mean"], 4 / 23);
  const wideOptions: StepOptions = { ...gspo(0.9, 9), referenceKl: { weight: 0, estimator: "k3" } };
  const changed = (length: number) => {
    const groups = world.groups.map((group) => ({
      ...group,
      rollouts: group.rollouts.map((rollout) =>
        rollout.rollout.ids.length === length ? { ...rollout, advantage: rollout.advantage / 2 } : rollout,
      ),
    }));
    return gradientsOf({ ...world, groups }, wideOptions).gradient;
  };
  assert.deepEqual(changed(4), wide.gradient);
  assert.ok(largestDifference(changed(5), wide.gradient) > clear);
  // Dual clip bounds it: ratios are far from one here, and the floor shows for negative advantages.
  const dual = gradientsOf(world, { ...gspo(0.9, 9), clip: { clipLow: 0.9, clipHigh: 9, dualClip: 1 } });
  assert.notDeepEqual(dual.gradient, wide.gradient);
});

worldTest("chunks and micro-batches do not change GSPO; against the present policy it is GRPO", (world) => {
  const whole = gradientsOf(world, gspo(0.2, 0.2));
  for (const change of [{ tokensPerChunk: 2 }, { promptsPerMicroBatch: 1 }]) {
    const split = gradientsOf(world, { ...gspo(0.2, 0.2), ...change });
    assert.ok(largestDifference(split.gradient, whole.gradient) < exact, JSON.stringify(change));
  }
  const current = { ...gspo(0.2, 0.2), oldLogprobs: "current" } as const;
  assert.deepEqual(
    gradientsOf(world, current).gradient,
    gradientsOf(world, { ...current, ratioLevel: "token" }).gradient,
  );
});

worldTest("the entropy bonus matches finite differences and adds to the objective what it weighs", (world) => {
  const plain = gradientsOf(world, { ...grpoOptions, aggregation: "token-mean" });
  const weight = 0.3;
  const bonus: StepOptions = { ...grpoOptions, aggregation: "token-mean", entropyWeight: weight };
  assertFiniteDifferences(world, bonus);
  const withBonus = gradientsOf(world, bonus);
  // token-mean: the bonus is the mean entropy over all tokens, which is the metric
  const gain = plain.metrics.loss! - withBonus.metrics.loss!;
  assert.ok(Math.abs(gain - weight * plain.metrics.entropy!) < float32Tolerance, String(gain));
  assertFiniteDifferences(world, { ...oppoOptions, entropyWeight: 0.05 });
});

const withStart = (world: World, startLogprobs: readonly (readonly Float32Array[])[]): World => ({
  ...world,
  groups: world.groups.map((group, g) => ({ ...group, startLogprobs: startLogprobs[g]! })),
});

worldTest("log-probs of the start are the policy's: ratios of the first update are 1, of later ones not", (world) => {
  const start = tokenLogprobs(world.policy, world.groups, { ...grpoOptions, tokensPerChunk: 3 });
  for (const change of [{ promptsPerMicroBatch: 1 }, { tokensPerChunk: 1 }]) {
    const split = tokenLogprobs(world.policy, world.groups, { ...grpoOptions, ...change });
    for (const [i, values] of split.flat().entries()) {
      assert.ok(largestDifference([...values], [...start.flat()[i]!]) < float32Tolerance, JSON.stringify(change));
    }
  }
  const own = withStart(world, start);
  const options = { ...grpoOptions, oldLogprobs: "start" } as const;
  const first = gradientsOf(own, options);
  const current = gradientsOf(world, { ...grpoOptions, oldLogprobs: "current" });
  assert.ok(largestDifference(first.gradient, current.gradient) < 1e-6);
  assert.equal(first.metrics["clip_ratio/region_mean"], 0);
  const moved = [...world.policy.parameters().values()][0]!;
  noGrad(() => moved.mul_(1.3));
  const later = gradientsOf(own, options);
  assert.ok(later.metrics["clip_ratio/region_mean"]! > 0, "the clip is at work");
  const unclipped = gradientsOf(world, { ...grpoOptions, oldLogprobs: "current" });
  assert.ok(largestDifference(later.gradient, unclipped.gradient) > clear);
  assertFiniteDifferences(own, options);
  assert.throws(() => gradientsOf(world, options), { code: "ERR_MISSING_LOGPROBS", message: /tokenLogprobs/ });
});

worldTest("a reference with another vocabulary is refused", (world) => {
  const reference = Object.create(world.reference, { vocabSize: { value: 12 } }) as World["reference"];
  const step = () => accumulateGradients({ policy: world.policy, reference }, world.groups, grpoOptions);
  assert.throws(step, { code: "ERR_REFERENCE_VOCABULARY", message: /vocabulary of 11, got one of 12/ });
});

worldTest("an advantage of a span counts on its tokens alone, to the bit of what it was without one", (world) => {
  const spanned = (spans: ScoredRollout["spans"]): World => {
    const groups = world.groups.map((group): TrainGroup => {
      const rollouts = group.rollouts.map((rollout): ScoredRollout => {
        const { spans: _, ...rest } = rollout;
        return spans === undefined ? rest : { ...rest, spans };
      });
      return { ...group, rollouts };
    });
    return { ...world, groups };
  };
  const plain = gradientsOf(world, grpoOptions);
  assert.deepEqual(gradientsOf(spanned([]), grpoOptions), plain);
  assert.deepEqual(gradientsOf(spanned([{ end: 0, advantage: 5 }]), grpoOptions).gradient, plain.gradient);
  const some = spanned([
    { end: 2, advantage: 0.5 },
    { end: 99, advantage: -0.25 },
  ]);
  const plan = planStep(some.groups, { ...grpoOptions, reduction: "mean" });
  const near = (values: Float32Array, expected: readonly number[]) =>
    assert.ok(largestDifference([...values], expected) < float32Tolerance, String(values));
  near(plan.groups[0]!.rollouts[0]!.advantages, [1.15, 1.15, 0.65, 0.65, 0.65]);
  assertFiniteDifferences(some, grpoOptions);
  assert.ok(largestDifference(gradientsOf(some, grpoOptions).gradient, plain.gradient) > clear);
});

const compare: CompareOptions = {
  terms: [
    { name: "accuracy", weight: 1 },
    { name: "context", weight: 2 },
    { name: "logic", weight: 1 },
  ],
  advantage: { ...defaultAdvantageOptions, scale: "none" },
  combination: "sum-then-normalize",
  spans: [],
};

const texts = [
  "<context>a man</context><think>he is glad</think><answer>happy</answer>",
  "<think>he is sad</think><answer>sad</answer>",
  "no tags at all",
  "<think>he is</think><answer>calm</answer>",
];
/** accuracy, context, logic; null: the judgement failed. */
const scores: readonly (readonly (number | null)[])[] = [
  [1, 0.8, 0.2],
  [0, 0.4, 0.6],
  [0, 0, null],
  [1, 0.4, 0.4],
];

function scored(): ScoredRollout[] {
  return texts.map((text, i) => {
    const rollout = textRollout(text);
    const think = /<think>(.*?)<\/think>/.exec(text);
    const start = think === null ? 0 : think.index + "<think>".length;
    const field = think && { text: think[1]!, chars: { start, end: start + think[1]!.length } };
    const parts = Object.fromEntries(
      compare.terms.flatMap(({ name }, k) => (scores[i]![k] === null ? [] : [[name, scores[i]![k]!]])),
    );
    const base = scoredRollout(rollout, 0);
    return { ...base, response: { ...base.response, think: field }, rewards: { total: 0, parts } };
  });
}

test("terms with a span are credited to its tokens, the others to all of them", () => {
  const spans = [
    { term: "context", span: "context" },
    { term: "logic", span: "think" },
  ] as const;
  const [group] = compareRollouts([scored()], { ...compare, spans });
  // accuracy: mean 1/2; context: mean .4, weight 2; logic: mean of the three that are known .4
  const expected = [
    {
      advantage: 0.5,
      spans: [
        { end: 3, advantage: 0.8 },
        { end: 8, advantage: -0.2 },
      ],
    },
    {
      advantage: -0.5,
      spans: [
        { end: 4, advantage: 0 },
        { end: 4, advantage: 0.2 },
      ],
    },
    {
      advantage: -0.5,
      spans: [
        { end: 0, advantage: -0.8 },
        { end: 0, advantage: 0 },
      ],
    },
    {
      advantage: 0.5,
      spans: [
        { end: 3, advantage: 0 },
        { end: 3, advantage: 0 },
      ],
    },
  ];
  for (const [i, { advantage, spans: own }] of group!.entries()) {
    assert.ok(Math.abs(advantage - expected[i]!.advantage) < exact, `${i}: ${advantage}`);
    assert.deepEqual(
      own!.map(({ end }) => end),
      expected[i]!.spans.map(({ end }) => end),
      `${i}: ${texts[i]}`,
    );
    for (const [k, span] of own!.entries())
      assert.ok(Math.abs(span.advantage - expected[i]!.spans[k]!.advantage) < exact);
  }
  // A term that is not paid for has no span of its own.
  const unpaid = {
    ...compare,
    terms: [
      { name: "accuracy", weight: 1 },
      { name: "context", weight: 0 },
    ],
  };
  assert.equal(compareRollouts([scored()], { ...unpaid, spans: [spans[0]] })[0]![0]!.spans, undefined);
});

test("a group has a spread where what is paid differs", () => {
  const equal = scored().map((rollout) => ({ ...rollout, rewards: { total: 1, parts: { accuracy: 1 } } }));
  assert.equal(hasSpread(equal, compare), false);
  assert.equal(hasSpread(equal.slice(0, 1), compare), false);
  const total = equal.map((rollout, i) => ({ ...rollout, rewards: { ...rollout.rewards, total: i } }));
  assert.equal(hasSpread(total, compare), true);
  // GDPO looks at every term: equal sums may hide what differs
  const hidden = equal.map((rollout, i) => ({
    ...rollout,
    rewards: { total: 1, parts: { accuracy: i % 2, logic: 1 - (i % 2) } },
  }));
  assert.equal(hasSpread(hidden, compare), false);
  assert.equal(hasSpread(hidden, { ...compare, combination: "normalize-then-sum" }), true);
});

test("all of it is off by default", () => {
  const { ratioLevel, entropyWeight, oldLogprobs } = defaultStepOptions;
  assert.deepEqual([ratioLevel, entropyWeight, oldLogprobs], ["token", 0, "current"]);
});
