// Rewards from text: perfect, empty, malformed and one value in between for each term.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultAdvantageOptions } from "../../src/rl/advantage.ts";
import { rolloutMetrics, shownMetrics } from "../../src/rl/metrics.ts";
import { recordGroup, TokenDivergences } from "../../src/rl/record.ts";
import { makeTerms, paperTerms } from "../../src/rl/rewards/terms.ts";
import { overlongPart, type ScoreOptions, scoreGroups } from "../../src/rl/score.ts";
import { testSample, textRollout } from "../support/rollouts.ts";
import { wordEmbedder } from "../support/word-embedder.ts";

const tolerance = 1e-6;
const embedder = wordEmbedder(["furrowed", "brow", "loud", "voice", "angry", "smile"]);

const sample = testSample("clip", {
  labels: ["angry"],
  cues: [
    { kind: "video", text: "a furrowed brow" },
    { kind: "audio", text: "a loud voice" },
    { kind: "emotion", text: "the person is angry" },
  ],
});

const options: ScoreOptions = {
  embedder,
  terms: makeTerms(paperTerms, {
    emotionScore: (predicted, labels) => (predicted.some((word) => labels.includes(word)) ? 1 : 0),
    similarityThreshold: 0.5,
  }),
  similarityThreshold: 0.5,
  advantage: defaultAdvantageOptions,
  combination: "sum-then-normalize",
  overlong: null,
  requireWellFormed: true,
};

const perfect =
  "<think>the video shows a furrowed brow. the audio carries a loud voice. this suggests anger, angry.</think><answer>angry</answer>";
const halfBrow = "<think>the video shows a brow. nothing else.</think><answer>angry</answer>";
const empty = "<think>nothing to see here.</think><answer>calm</answer>";
const malformed = "<think>the video shows a furrowed brow.</think>";

test("rewards: perfect, middle, empty and malformed", async () => {
  const rollouts = [perfect, halfBrow, empty, malformed].map((text) => textRollout(text));
  const [group] = await scoreGroups([{ sample, rollouts }], options);
  const [a, b, c, d] = group!.rollouts;
  // float32 cosines of equal unit vectors are 1 to 1e-7 only
  assert.ok(Math.abs(a!.rewards.parts.omni! - 3) < tolerance);
  assert.ok(Math.abs(a!.rewards.total - (1 + 1 + 0.5 * 3)) < tolerance);
  // "a brow" against "a furrowed brow": cosine 1 / sqrt(2) = .70711, s = (.70711 - .5) / .5 = .41421; other kinds 0
  assert.ok(Math.abs(b!.rewards.parts.omni! - (Math.SQRT1_2 - 0.5) / 0.5) < tolerance);
  assert.deepEqual(c!.rewards.parts, { accuracy: 0, format: 1, omni: 0 });
  // malformed: no clauses, although the cue is named
  assert.deepEqual(d!.rewards.parts, { accuracy: 0, format: 0, omni: 0 });
  assert.equal(d!.clauses.length, 0);
  const lenient = await scoreGroups([{ sample, rollouts }], { ...options, requireWellFormed: false });
  assert.ok(Math.abs(lenient[0]!.rollouts[3]!.rewards.parts.omni! - 1) < tolerance);
  assert.ok(Math.abs(group!.rollouts.reduce((sum, rollout) => sum + rollout.advantage, 0)) < tolerance);
  assert.ok(a!.advantage > b!.advantage && b!.advantage > c!.advantage && c!.advantage > d!.advantage);
});

test("evidence tokens are the words of the clauses that name a cue", async () => {
  const rollout = textRollout(perfect);
  const [group] = await scoreGroups([{ sample, rollouts: [rollout] }], options);
  const { evidence } = group!.rollouts[0]!;
  const words = (positions: Int32Array) => Array.from(positions, (position) => rollout.pieces[position]).join("");
  assert.equal(words(evidence.video), "the video shows a furrowed brow");
  assert.equal(words(evidence.audio), " the audio carries a loud voice");
  // a truncated completion is malformed whatever it says
  const cut = await scoreGroups([{ sample, rollouts: [textRollout(perfect, true)] }], options);
  assert.equal(cut[0]!.rollouts[0]!.evidence.video.length, 0);
});

test("a record shows what was said and which clause counts as evidence of which cue", async () => {
  const [group] = await scoreGroups([{ sample, rollouts: [textRollout(perfect)] }], options);
  const { ids, pieces } = group!.rollouts[0]!.rollout;
  const divergences = new TokenDivergences();
  divergences.add(ids, "video", 1, 0.123456);
  divergences.add(ids, "audio", 2, 2);
  const row = recordGroup(group!, divergences);
  assert.deepEqual(JSON.parse(JSON.stringify(row)), row);
  assert.deepEqual(row.cues, sample.cues);
  const record = row.rollouts[0]!;
  // tokens end where their pieces do, and carry what was compared on them
  assert.deepEqual(record.tokens!.divergence, { video: [[1, 0.1235]], audio: [[2, 2]] });
  assert.deepEqual(record.tokens!.ends.slice(0, 2), [pieces[0]!.length, pieces[0]!.length + pieces[1]!.length]);
  assert.equal(record.tokens!.ends.length, ids.length);
  assert.equal(recordGroup(group!, new TokenDivergences()).rollouts[0]!.tokens, undefined);
  assert.deepEqual(
    record.clauses.map(({ text, cue, kind, chars }) => [text, cue, kind, perfect.slice(...chars)]),
    [
      ["the video shows a furrowed brow", 0, "video", "the video shows a furrowed brow"],
      ["the audio carries a loud voice", 1, "audio", "the audio carries a loud voice"],
      ["this suggests anger", -1, null, "this suggests anger"],
      ["angry", -1, null, "angry"],
    ],
  );
  assert.deepEqual(
    record.clauses.map(({ similarity }) => similarity.toFixed(3)),
    ["1.000", "1.000", "0.000", "0.000"],
  );
  // what is evidence of none names the cue that comes nearest: the conclusion is one of the emotion
  assert.deepEqual(
    record.clauses.map(({ nearest }) => nearest?.cue),
    [undefined, undefined, 0, 2],
  );
});

test("groups of different sizes keep their own rollouts", async () => {
  const other = testSample("other", { labels: ["happy"], cues: [{ kind: "video", text: "a smile" }] });
  const groups = await scoreGroups(
    [
      { sample, rollouts: [textRollout(perfect)] },
      { sample: other, rollouts: [textRollout(empty), textRollout("<think>a smile.</think><answer>happy</answer>")] },
    ],
    options,
  );
  const totals = groups.map(({ rollouts }) => rollouts.map(({ rewards }) => rewards.total.toFixed(5)));
  assert.deepEqual(totals, [["3.50000"], ["1.00000", "2.50000"]]);
  const metrics = rolloutMetrics(groups).values();
  assert.ok(Math.abs(metrics.reward! - 7 / 3) < tolerance);
  assert.ok(Math.abs(metrics["rewards/omni/mean"]! - 4 / 3) < tolerance);
  assert.equal(metrics.frac_reward_zero_std, 0.5);
  assert.equal(metrics["omni/frac_rollouts_with_evidence"], 2 / 3);
});

test("a prompt that opened the thinking: completions begin inside it, and earn the same", async () => {
  const rest = perfect.slice("<think>".length);
  const rewardsOf = async (text: string, thinkIsOpen?: boolean) => {
    const group = { sample, rollouts: [textRollout(text)], ...(thinkIsOpen === undefined ? {} : { thinkIsOpen }) };
    const [scored] = await scoreGroups([group], options);
    return scored!.rollouts[0]!;
  };
  const whole = await rewardsOf(perfect, false);
  for (const text of [rest, `${rest}<|im_end|>`]) {
    const inside = await rewardsOf(text, true);
    assert.deepEqual(inside.rewards, whole.rewards);
    // One piece fewer in front: the evidence stands one token earlier.
    assert.deepEqual(
      [...inside.evidence.video],
      [...whole.evidence.video].map((at) => at - 1),
    );
  }
  assert.deepEqual((await rewardsOf(rest, false)).rewards.parts, { accuracy: 1, format: 0, omni: 0 });
});

test("the punishment of length falls linearly through the buffer to its weight at the limit", async () => {
  const overlong = { limit: 10, buffer: 4, weight: 0.5 };
  // from 6 tokens on: 7 is a quarter into the buffer
  assert.deepEqual(
    [5, 6, 7, 10, 12].map((numTokens) => overlongPart(numTokens, overlong)),
    [0, 0, -0.25, -1, -1],
  );
  const rollouts = [perfect, empty].map((text) => textRollout(text));
  const limit = rollouts[0]!.ids.length;
  const [group] = await scoreGroups([{ sample, rollouts }], {
    ...options,
    overlong: { limit, buffer: 1, weight: 0.5 },
  });
  const [long, short] = group!.rollouts;
  assert.equal(long!.rewards.parts.overlong, -1);
  assert.ok(Math.abs(long!.rewards.total - (1 + 1 + 0.5 * 3 - 0.5)) < tolerance);
  assert.equal(short!.rewards.parts.overlong, 0);
});

test("terms that are normalised one by one weigh alike, whatever their spread", async () => {
  const rollouts = [perfect, halfBrow, empty, malformed].map((text) => textRollout(text));
  const advantagesOf = async (own: Partial<ScoreOptions>) =>
    (await scoreGroups([{ sample, rollouts }], { ...options, ...own }))[0]!.rollouts.map(({ advantage }) => advantage);
  const decoupled = await advantagesOf({ combination: "normalize-then-sum" });
  const summed = await advantagesOf({});
  assert.ok(Math.abs(decoupled.reduce((sum, one) => sum + one, 0)) < tolerance);
  assert.ok(decoupled.some((one, i) => Math.abs(one - summed[i]!) > 0.01));
  // a punishment is a term as well
  const punished = await advantagesOf({
    combination: "normalize-then-sum",
    overlong: { limit: rollouts[0]!.ids.length, buffer: 1, weight: 5 },
  });
  assert.ok(punished[0]! < decoupled[0]!);
});

test("claims that nothing supports cost one each; what can be read in part costs and earns in part", async () => {
  const bank = [...sample.cues.slice(0, 2), { kind: "video", text: "a smile" } as const];
  const terms = makeTerms(
    [
      { name: "omni", weight: 1 },
      { name: "support", weight: 0.5 },
      { name: "precision", weight: 0.25 },
    ],
    {
      emotionScore: () => 0,
      similarityThreshold: 0.5,
    },
  );
  const texts = [perfect, "<think>a smile. a smile, a loud voice.</think><answer>angry</answer>", empty, malformed];
  const rollouts = texts.map((text) => textRollout(text));
  const scoring = { ...options, terms, claimBank: bank };
  const [intact] = await scoreGroups([{ sample, rollouts }], scoring);
  assert.deepEqual(
    intact!.rollouts.map(({ rewards }) => [rewards.parts.precision, rewards.parts.support]),
    [
      [0, 0],
      [-2, 0],
      [0, 0],
      [0, 0],
    ],
  );
  assert.ok(Math.abs(intact!.rollouts[1]!.rewards.total - (1 - 0.25 * 2)) < tolerance);
  // of a degraded clip the brow reads a quarter: it earns that much, and its claim costs the rest
  const [degraded] = await scoreGroups([{ sample, readable: Float32Array.of(0.25, 1, 1), rollouts }], scoring);
  const parts = degraded!.rollouts[0]!.rewards.parts;
  assert.ok(Math.abs(parts.omni! - 2.25) < tolerance);
  assert.deepEqual([parts.support, parts.precision], [-0.75, 0]);
  assert.ok(Math.abs(degraded!.rollouts[0]!.rewards.total - (2.25 - 0.5 * 0.75)) < tolerance);
  const metrics = shownMetrics([intact!, degraded!]).values();
  assert.equal(metrics["rewards/precision/mean"], -0.5);
  assert.ok(Math.abs(metrics["counterfactual/support"]! - (-0.75 - 2) / 4) < tolerance);
  // without the corpus' cues there is nothing to look claims up in
  await assert.rejects(scoreGroups([{ sample, rollouts }], { ...options, terms }), { code: "ERR_REWARD_TERMS" });
});

test("a hit is worth what the emotion did not give away, a false claim costs what it did", async () => {
  const bank = [...sample.cues.slice(0, 2), { kind: "video", text: "a smile" } as const];
  const terms = makeTerms([{ name: "informed", weight: 1 }], { emotionScore: () => 0, similarityThreshold: 0.5 });
  const ofBank = [0.75, 0.5, 0.25];
  const claimPrior =
    async () =>
    () =>
    ({ bank: place }: { readonly bank: number }) =>
      ofBank[place]!;
  const texts = [
    perfect,
    "<think>a smile. a smile, a loud voice. a loud voice.</think><answer>angry</answer>",
    empty,
    malformed,
  ];
  const rollouts = texts.map((text) => textRollout(text));
  const scoring = { ...options, terms, claimBank: bank, claimPrior };
  const partsOf = async (own: object) =>
    (await scoreGroups([{ sample, ...own, rollouts }], scoring))[0]!.rollouts.map(
      ({ rewards }) => rewards.parts.informed!,
    );
  // one cue seen and one heard: (1 - .75) + (1 - .5); two smiles at .25 and one voice, which counts once
  const expected = [0.75, -0.5 + 0.5, 0, 0];
  for (const [i, part] of (await partsOf({})).entries())
    assert.ok(Math.abs(part - expected[i]!) < tolerance, `${i}: ${part}`);
  // what degraded clips support is another term's
  assert.deepEqual(await partsOf({ readable: Float32Array.of(0.25, 1, 1) }), [0, 0, 0, 0]);
  await assert.rejects(scoreGroups([{ sample, rollouts }], { ...options, terms, claimBank: bank }), {
    code: "ERR_REWARD_TERMS",
  });
});
