// The strict response format and the answer labels.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { answerLabels, outputLabels, parseResponse } from "../../src/text/response.ts";
import { sharedPath } from "../support/shared.ts";

const good =
  "<think>the video shows a furrowed brow. this suggests the person is furious.</think><answer>furious, Angry</answer>";

test("a well-formed response gives its fields, their spans and its labels", () => {
  const parsed = parseResponse(good);
  assert.equal(parsed.wellFormed, true);
  assert.equal(parsed.problem, undefined);
  assert.equal(parsed.think?.text, "the video shows a furrowed brow. this suggests the person is furious.");
  assert.deepEqual(parsed.think?.chars, { start: 7, end: 76 });
  assert.equal(good.slice(parsed.think?.chars.start, parsed.think?.chars.end), parsed.think?.text);
  assert.equal(good.slice(parsed.answer?.chars.start, parsed.answer?.chars.end), "furious, Angry");
  assert.deepEqual(parsed.labels, ["furious", "angry"]);
});

test("white space outside, a line break inside and end and padding tokens of any family are allowed", () => {
  for (const text of [
    `  ${good}\n`,
    "<think>a\nb</think>\n\n<answer>anger,\nfear</answer>",
    `${good}<|im_end|>`,
    `${good}\n<|endoftext|>\n`,
    `${good}<|im_end|>\n<|endoftext|><|endoftext|>`,
    `<|im_start|>assistant\n${good}<|im_end|>\n<|im_start|>user\nand now?`,
    `<s> ${good} </s><unk><unk>`,
    `<pad><pad><bos><start_of_turn>model\n${good}<end_of_turn>\n<eos><pad>`,
    `<|start_header_id|>assistant<|end_header_id|>\n\n${good}<|eot_id|><|finetune_right_pad_id|>`,
  ]) {
    assert.equal(parseResponse(text).wellFormed, true, text);
  }
});

test("every malformed response is refused with its reason, and what can be read is still there", () => {
  const cases: readonly [string, string][] = [
    ["", "missing <think>"],
    ["happy", "missing <think>"],
    ["<think>a loud", "missing </think>"],
    ["<think>a</think>", "missing <answer>"],
    ["<think>a</think><answer>sad", "missing </answer>"],
    ["<think>a</think><think>b</think><answer>sad</answer>", "more than one <think>"],
    ["<think>x<answer>sad</answer></think><answer>happy</answer>", "more than one <answer>"],
    ["<answer>sad</answer><think>a</think>", "tags out of order"],
    ["<think>a<answer>b</think>c</answer>", "tags out of order"],
    ["ok <think>a</think><answer>sad</answer>", "text before <think>"],
    ["<think>a</think>junk<answer>sad</answer>", "text between </think> and <answer>"],
    ["<think>a</think><answer>sad</answer> more", "text after </answer>"],
    ["<think>a</think><answer>sad</answer> x<|im_end|>", "text after </answer>"],
    ["<think>a<|im_end|></think><answer>sad</answer>", "missing </think>"],
    ["<think> \n</think><answer>sad</answer>", "empty think"],
    ["<think>a</think><answer> </answer>", "empty answer"],
    ["<think>a</think><answer>[,;]</answer>", "empty answer"],
    ["<THINK>a</THINK><answer>sad</answer>", "missing <think>"],
  ];
  for (const [text, problem] of cases) {
    const parsed = parseResponse(text);
    assert.equal(parsed.wellFormed, false, text);
    assert.equal(parsed.problem, problem, text);
  }
  const torn = parseResponse("<think>a</think>junk<answer>Sad</answer>");
  assert.equal(torn.think?.text, "a");
  assert.deepEqual(torn.labels, ["sad"]);
});

test("a truncated completion is never well-formed", () => {
  assert.equal(parseResponse(good, { truncated: true }).wellFormed, false);
  assert.equal(parseResponse(good, { truncated: true }).problem, "truncated");
  assert.equal(parseResponse(good, { truncated: false }).wellFormed, true);
});

test("any prefix of a well-formed response is malformed", () => {
  for (let length = 0; length < good.length; length++) {
    assert.equal(parseResponse(good.slice(0, length)).wellFormed, false, `prefix of ${length}`);
  }
});

test("answer labels split as the reference does", (t) => {
  assert.deepEqual(answerLabels("[happy, sad]\uFF1B Very Calm \uFF0C,"), ["happy", "sad", "very calm"]);
  assert.deepEqual(outputLabels("I feel <ANSWER>Sad;\nlost</ANSWER> <answer>no</answer>"), ["sad", "lost"]);
  assert.deepEqual(outputLabels(" Happy, calm "), ["happy", "calm"]);
  const file = sharedPath("golden/mer/oppo_dev_public.json");
  if (file === null) return t.skip("golden/mer is not beside the repository");
  const golden = JSON.parse(readFileSync(file, "utf8")) as { answer_tokens: { input: string; tokens: string[] }[] };
  assert.ok(golden.answer_tokens.length >= 7);
  for (const { input, tokens } of golden.answer_tokens) assert.deepEqual(answerLabels(input), tokens, input);
});
