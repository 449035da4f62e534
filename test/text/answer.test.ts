// The lenient and the evaluator's reading of an answer, and where a response reasons.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { answerLabels, evaluatorAnswer, outputLabels, reasoningSpan } from "../../src/text/answer.ts";
import { parseResponse } from "../../src/text/response.ts";
import { sharedPath } from "../support/shared.ts";

test("answer labels split as the reference does", (t) => {
  assert.deepEqual(answerLabels("[happy, sad]\uFF1B Very Calm \uFF0C,"), ["happy", "sad", "very calm"]);
  const file = sharedPath("golden/mer/oppo_dev_public.json");
  if (file === null) return t.skip("golden/mer is not beside the repository");
  const golden = JSON.parse(readFileSync(file, "utf8")) as { answer_tokens: { input: string; tokens: string[] }[] };
  assert.ok(golden.answer_tokens.length >= 7);
  for (const { input, tokens } of golden.answer_tokens) assert.deepEqual(answerLabels(input), tokens, input);
});

test("lenient: whatever stands around an answer, its words are read", () => {
  const same: readonly string[] = [
    "<think>a frown</think><answer>sad, lost</answer>",
    "I feel <ANSWER>Sad;\nlost</ANSWER> <answer>no</answer>",
    " Sad, lost ",
    "a frown</think>\n\nsad, lost<|im_end|>\n<|endoftext|>",
    "<think>a frown, perhaps <answer>happy</answer>?</think><answer>sad, lost</answer>",
    "<Thinking>a frown</Thinking>\n<Answer>\"sad\", 'lost'</Answer>",
    "<think>a frown</think><answer>sad, lost",
    "<think>a frown</think><answer>sad, lost</s>",
    "<answer>sad, lost</answer> as <answer>no</answer>",
    "<think>a frown</think>\n```text\nsad, lost\n```",
    "```\n<answer>[sad, lost]</answer>\n```",
    "<think>so \\boxed{happy}?</think>It is \\boxed{sad, lost}.",
    "<think>a frown</think><answer>\\boxed{\\text{sad, lost}}</answer>",
    "**Sad**, *lost*.",
    "<reasoning>a frown</reasoning>\u201Csad\u201D, \u201Clost\u201D",
  ];
  for (const text of same) assert.deepEqual(outputLabels(text), ["sad", "lost"], text);
  // Who only thinks does not answer; nor does an empty reply.
  for (const text of ["<think>sad, lost", "<think>sad</think>", ""]) {
    assert.deepEqual(outputLabels(text), [], text);
  }
  // The strict reading takes the first of these, and no other one.
  assert.deepEqual(
    same.map((text) => parseResponse(text)).map(({ wellFormed, labels }) => wellFormed && labels.join() === "sad,lost"),
    same.map((_, i) => i === 0),
  );
});

test("the evaluator's rule: the first pair in any case, else everything", () => {
  assert.deepEqual(evaluatorAnswer("x <ANSWER> a, b </ANSWER><answer>c</answer>"), { text: " a, b ", isTagged: true });
  assert.deepEqual(evaluatorAnswer("why</think> a, b<|eot_id|>"), { text: "why</think> a, b", isTagged: false });
  assert.deepEqual(evaluatorAnswer(" a, b "), { text: "a, b", isTagged: false });
  assert.deepEqual(evaluatorAnswer("<answer>a"), { text: "<answer>a", isTagged: false }, "unclosed is no pair");
});

test("where a response reasons", () => {
  const reasoning = (text: string) => {
    const { start, end } = reasoningSpan(text);
    return text.slice(start, end);
  };
  const cases: readonly (readonly [string, string])[] = [
    ["<think>a frown</think><answer>sad</answer>", "a frown"],
    ["a frown</think><answer>sad</answer>", "a frown"],
    ["<THINK>a frown</THINK> so <ANSWER>sad", "a frown"],
    ["<thinking>a frown<answer>sad</answer>", "a frown"],
    ["<think>a frown", "a frown"],
    ["a frown", "a frown"],
    ["<|im_start|>assistant\na frown<|im_end|>\n<think>b</think>", "a frown"],
    ["<think></think>x", ""],
    ["<|im_end|>", ""],
  ];
  for (const [text, expected] of cases) assert.equal(reasoning(text), expected, text);
});
