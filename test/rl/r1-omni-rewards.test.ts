// R1-Omni's two rewards by hand, traps of the released functions included.
import assert from "node:assert/strict";
import { test } from "node:test";
import { labelReward } from "../../src/rl/rewards/label.ts";
import { tagsReward } from "../../src/rl/rewards/tags.ts";
import type { RewardContext } from "../../src/rl/types.ts";
import { RewardScorer } from "../../src/serve/reward/reward-scorer.ts";
import { weightedTerms } from "../../src/serve/reward/weighted-terms.ts";
import { untilEnd } from "../../src/text/special-tokens.ts";
import { testSample, textRollout } from "../support/rollouts.ts";

function scores(text: string, labels: readonly string[] = ["sad"]): [label: number, tags: number] {
  const context = { sample: testSample("clip", { labels }), rollout: { ...textRollout(""), text } };
  return [labelReward(context as never as RewardContext), tagsReward(context as never as RewardContext)];
}

test("an exact label in well-formed tags earns both", () => {
  assert.deepEqual(scores("<think>he weeps.</think>\n<answer>sad</answer>"), [1, 1]);
  assert.deepEqual(scores("<think>he weeps.</think><answer>  sad </answer>"), [1, 1]);
  assert.deepEqual(scores("<think></think><answer>happy</answer>"), [0, 1]);
});

test("a bare label is right and has no tags; another case or a full stop is wrong", () => {
  assert.deepEqual(scores("sad"), [1, 0]);
  assert.deepEqual(scores(" sad\n"), [1, 0]);
  assert.deepEqual(scores("Sad"), [0, 0]);
  assert.deepEqual(scores("sad."), [0, 0]);
  assert.deepEqual(scores("<think>a</think><answer>Sad</answer>"), [0, 1]);
  assert.deepEqual(scores("<think>a</think><answer>sad.</answer>"), [0, 1]);
});

test("of several answers the first counts, of an answer over two lines none", () => {
  assert.deepEqual(scores("<think>a</think><answer>sad</answer><answer>happy</answer>"), [1, 1]);
  assert.deepEqual(scores("<think>a</think><answer>happy</answer><answer>sad</answer>"), [0, 1]);
  assert.deepEqual(scores("<think>a</think><answer>sad\n</answer>"), [0, 1]);
  assert.deepEqual(scores("<think>a</think><answer>\nhappy</answer><answer>sad</answer>"), [1, 1]);
});

test("nothing may stand before, between or behind the tags, white space between them apart", () => {
  for (const text of [
    "so: <think>a</think><answer>sad</answer>",
    " <think>a</think><answer>sad</answer>",
    "<think>a</think><answer>sad</answer> ",
    "<think>a</think> then <answer>sad</answer>",
    "<think>a<answer>sad</answer>",
    "<think></answer>",
  ]) {
    assert.equal(scores(text)[1], 0, text);
  }
  assert.deepEqual(scores("<think>a</think> \n <answer>sad</answer>"), [1, 1]);
});

test("end tokens that a trainer kept are no part of a completion", () => {
  assert.equal(untilEnd(" a <|im_end|>\n<|endoftext|>"), " a ");
  assert.deepEqual(scores("<think>a</think><answer>sad</answer><|im_end|><|endoftext|>"), [1, 1]);
  assert.deepEqual(scores("sad<|im_end|>"), [1, 0]);
});

test("several labels are one text", () => {
  assert.deepEqual(scores("<think>a</think><answer>sad, gloomy</answer>", ["sad", "gloomy"]), [1, 1]);
  assert.deepEqual(scores("<think>a</think><answer>sad</answer>", ["sad", "gloomy"]), [0, 1]);
});

test("the reward server refuses what only a training can pay", () => {
  for (const name of ["informed", "support", "verdict"]) {
    assert.throws(() => weightedTerms([`${name}=1`]), /, which only a training of ours can pay\. Correct it\./);
  }
  assert.throws(() => weightedTerms(["omnis=1"]), /got "omnis=1"\. Correct it\./);
});

test("the reward server pays the same, without cues", async () => {
  const terms = weightedTerms(["accuracy=0", "format=0", "omni=0", "label=1", "tags=1"]);
  const none = { name: "none", dimension: 1, embed: (texts: readonly string[]) => new Float32Array(texts.length) };
  const rules = { terms, threshold: 0.5, empty: "zero", requireWellFormed: true } as const;
  const scorer = new RewardScorer(none, () => 0, rules);
  const item = (completion: string) => ({ completion, isTruncated: false, cues: [], labels: ["sad"] });
  const answers = ["<think>a</think>\n<answer>sad</answer><|im_end|>", "sad", "<think>a</think><answer>Sad</answer>"];
  const rewards = await scorer.score(answers.map(item), false);
  assert.deepEqual(
    rewards.map(({ total, parts }) => [total, parts.label, parts.tags]),
    [
      [2, 1, 1],
      [1, 1, 0],
      [1, 0, 1],
    ],
  );
});
