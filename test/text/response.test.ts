// The strict response format and the answer labels.
import assert from "node:assert/strict";
import { test } from "node:test";
import { opensThinking, parseResponse } from "../../src/text/response.ts";

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

test("the opening think tag may stand in the prompt, and only there where it is known to", () => {
  const rest = good.slice("<think>".length);
  for (const text of [rest, `\n${rest}`, `${rest}<|im_end|>`]) {
    for (const options of [{}, { thinkIsOpen: true }]) {
      const parsed = parseResponse(text, options);
      assert.equal(parsed.wellFormed, true, parsed.problem);
      assert.equal(parsed.think?.text, "the video shows a furrowed brow. this suggests the person is furious.");
      assert.equal(text.slice(parsed.think?.chars.start, parsed.think?.chars.end), parsed.think?.text);
    }
    const asked = parseResponse(text, { thinkIsOpen: false });
    assert.deepEqual([asked.problem, asked.think, asked.labels], ["missing <think>", null, ["furious", "angry"]]);
  }
  // A whole pair stands for itself either way; an open prompt asks for no less than the rest of the format.
  assert.equal(parseResponse(good, { thinkIsOpen: true }).wellFormed, true);
  assert.equal(parseResponse(good, { thinkIsOpen: false }).wellFormed, true);
  for (const [text, problem] of [
    ["a<answer>sad</answer>", "missing <think>"],
    [" </think><answer>sad</answer>", "empty think"],
    ["a</think>b</think><answer>sad</answer>", "more than one </think>"],
    ["a<answer>sad</answer></think>", "tags out of order"],
    ["a <think>b</think><answer>sad</answer>", "text before <think>"],
  ] as const) {
    assert.equal(parseResponse(text, { thinkIsOpen: true }).problem, problem, text);
  }
  assert.equal(opensThinking("<|im_start|>assistant\n<think>\n"), true);
  for (const prompt of ["", "<think> x", "<think></think>", "<|im_start|>assistant\n"]) {
    assert.equal(opensThinking(prompt), false, prompt);
  }
});

test("quotes around words do not count, what is within words does", () => {
  const labels = (answer: string) => parseResponse(`<think>a</think><answer>${answer}</answer>`).labels;
  assert.deepEqual(labels("\"Angry\", 'sad', `calm`, \u201Cvery mad\u201D"), ["angry", "sad", "calm", "very mad"]);
  assert.deepEqual(labels("['angry', \"don't care\"]"), ["angry", "don't care"]);
  assert.deepEqual(labels("angry."), ["angry."], "a full stop stays, as the evaluator has it");
  assert.equal(parseResponse('<think>a</think><answer>""</answer>').problem, "empty answer");
});
