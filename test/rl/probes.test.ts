// Answers to probes: what is paid for, what is counted, what is written down.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultAdvantageOptions } from "../../src/rl/advantage.ts";
import { shownMetrics } from "../../src/rl/metrics.ts";
import { recordGroup, TokenDivergences } from "../../src/rl/record.ts";
import { makeTerms } from "../../src/rl/rewards/terms.ts";
import { verdictReward } from "../../src/rl/rewards/verdict.ts";
import { type ScoreOptions, scoreGroups } from "../../src/rl/score.ts";
import type { AskedProbe, RewardContext } from "../../src/rl/types.ts";
import { parseResponse } from "../../src/text/response.ts";
import { testSample, textRollout } from "../support/rollouts.ts";
import { wordEmbedder } from "../support/word-embedder.ts";

const asked: AskedProbe = { question: "does the video show a furrowed brow?", expected: "no" };
const sample = testSample("clip", { labels: ["angry"], cues: [{ kind: "video", text: "a furrowed brow" }] });
const bare = { ...sample, labels: [], cues: [] };
const right = "<think>the video shows raised eyebrows.</think><answer>no</answer>";
const wrong = "<think>the video shows a furrowed brow.</think><answer>Yes.</answer>";
const unread = "<think>the video shows raised eyebrows.</think><answer>raised</answer>";
const malformed = "no";
const account = "<think>the video shows a furrowed brow.</think><answer>angry</answer>";

const terms = (["accuracy", "format", "omni", "verdict"] as const).map((name) => ({ name, weight: 1 }));
const options: ScoreOptions = {
  embedder: wordEmbedder(["furrowed", "brow"]),
  terms: makeTerms(terms, { emotionScore: () => 1, similarityThreshold: 0.5 }),
  similarityThreshold: 0.5,
  advantage: defaultAdvantageOptions,
  combination: "sum-then-normalize",
  overlong: null,
  requireWellFormed: true,
};
const rollouts = [right, wrong, unread, malformed].map((text) => textRollout(text));

test("an answer to a probe is paid for its form and its verdict, an account never for a verdict", async () => {
  const groups = [
    { sample: bare, asked, rollouts },
    { sample, rollouts: [textRollout(account), textRollout(right)] },
  ];
  const [probe, usual] = await scoreGroups(groups, options);
  assert.deepEqual(
    probe!.rollouts.map(({ rewards }) => rewards.parts),
    [
      { accuracy: 0, format: 1, omni: 0, verdict: 1 },
      { accuracy: 0, format: 1, omni: 0, verdict: 0 },
      { accuracy: 0, format: 1, omni: 0, verdict: 0 },
      { accuracy: 0, format: 0, omni: 0, verdict: 0 },
    ],
  );
  assert.ok(probe!.rollouts[0]!.advantage > probe!.rollouts[1]!.advantage);
  assert.deepEqual(
    usual!.rollouts.map(({ rewards }) => [rewards.parts.accuracy, rewards.parts.verdict]),
    [
      [1, 0],
      [1, 0],
    ],
  );
  assert.ok(usual!.rollouts[0]!.rewards.parts.omni! > 0.3);
  // negative control: the other answer is the right one where the clip has the cue
  const [present] = await scoreGroups([{ sample: bare, asked: { ...asked, expected: "yes" }, rollouts }], options);
  assert.deepEqual(
    present!.rollouts.map(({ rewards }) => rewards.parts.verdict),
    [0, 1, 0, 0],
  );
});

test("a verdict is the answer's first word, in a well-formed response", () => {
  const score = (text: string, given: AskedProbe | undefined = asked) =>
    verdictReward({ asked: given, response: parseResponse(text) } as RewardContext);
  assert.equal(score("<think>a.</think><answer>No, it does not</answer>"), 1);
  assert.equal(score("<think>a.</think><answer>nothing</answer>"), 0);
  assert.equal(score("<answer>no</answer>"), 0);
  assert.equal(verdictReward({ response: parseResponse(right) } as RewardContext), 0);
});

test("counted apart: by what is right, and how many can be read", async () => {
  const expectsYes = { ...asked, expected: "yes" } as const;
  const groups = await scoreGroups(
    [
      { sample: bare, asked, rollouts },
      { sample: bare, asked: expectsYes, rollouts: [textRollout(wrong), textRollout(right)] },
      { sample, rollouts: [textRollout(account)] },
    ],
    options,
  );
  const metrics = shownMetrics(groups).values();
  assert.equal(metrics["probes/right_no"], 0.25);
  assert.equal(metrics["probes/right_yes"], 0.5);
  assert.equal(metrics["probes/readable"], 4 / 6);
  assert.equal(metrics["rewards/accuracy/mean"], 1, "of accounts alone");
  const all = groups.flatMap(({ rollouts: own }) => own).reduce((sum, { rollout }) => sum + rollout.ids.length, 0);
  assert.equal(metrics.num_tokens, all);
  assert.equal(metrics["rewards/verdict/mean"], 2 / 6, "of probes alone");
  assert.equal("rewards/verdict/mean" in shownMetrics(groups.slice(2)).values(), false);
  const onlyProbes = shownMetrics(groups.slice(0, 1)).values();
  assert.equal(onlyProbes["rewards/verdict/mean"], 0.25, "a step of probes alone still has a reward");
  assert.equal("probes/readable" in shownMetrics(groups.slice(2)).values(), false);
});

test("written down with what was asked", async () => {
  const [group] = await scoreGroups([{ sample: bare, asked, rollouts }], options);
  assert.deepEqual(recordGroup(group!, new TokenDivergences()).asked, asked);
  const [usual] = await scoreGroups([{ sample, rollouts }], options);
  assert.equal("asked" in recordGroup(usual!, new TokenDivergences()), false);
});
