// Answers that are none: named and counted, in tagged and in free style.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFirstLine, readYesNo } from "../../src/bench/faithfulness.ts";
import { countReadings, readingOfReasoning, readingOfVerdict } from "../../src/bench/reading.ts";

const tagged = (think: string, answer: string): string => `<think>${think}</think><answer>${answer}</answer>`;

test("verdicts", () => {
  const cases: readonly (readonly [string, string])[] = [
    [tagged("black frames.", "no"), "readable"],
    ["", "empty"],
    ["<think></think><answer></answer>", "empty"],
    ["I'm sorry, but I can't identify people in videos.", "refusal"],
    ["I\u2019m unable to watch videos.", "refusal"],
    [tagged("", "As an AI, I have no eyes"), "refusal"],
    ["\u6ca1\u6709\uff0c\u89c6\u9891\u662f\u9ed1\u7684\u3002", "other language"],
    ["Oui, il sourit.", "other language"],
    ["no", "no tags"],
    ["silence, nothing else", "other"],
    ["maybe", "other"],
  ];
  for (const [text, reading] of cases) assert.equal(readingOfVerdict(text, "tagged"), reading, text);
  assert.equal(readingOfVerdict("no", "free"), "readable");
  assert.equal(readingOfVerdict("**No**, the screen is black.", "free"), "readable");
  assert.equal(readingOfVerdict("The sorrow is plain.", "free"), "other");
});

test("reasonings", () => {
  assert.equal(readingOfReasoning("<think>a frown"), "readable");
  assert.equal(readingOfReasoning("Sorry, I cannot help with that."), "refusal");
  assert.equal(readingOfReasoning("He looks sorry for himself."), "readable");
  assert.equal(readingOfReasoning("\u4ed6\u5728\u5fae\u7b11, smile"), "readable", "mixed, mostly Latin");
  assert.equal(readingOfReasoning("\u4ed6\u5728\u5fae\u7b11\uff0c\u58f0\u97f3\u5f88\u5927"), "other language");
  assert.equal(readingOfReasoning(" <|im_end|>"), "empty");
  assert.deepEqual(countReadings(["readable", "empty", "readable"]), { readable: 2, empty: 1 });
});

test("the first line's reading finds yes and no inside words, and nothing behind the first line", () => {
  for (const [text, read] of [
    ["No, the face is calm.", "no"],
    ["I do not know", "no"],
    ["Yes, no doubt", "yes"],
    ["eyes are wide", "yes"],
    ["the face is dark\nno", null],
    ["\n\n  <think>dark</think><answer>no</answer>", "no"],
    ["", null],
  ] as const) {
    assert.equal(readFirstLine(text), read, text);
  }
  // The control: the strict reading takes none of those that only contain the letters.
  assert.equal(readYesNo("I do not know", "free"), null);
  assert.equal(readYesNo("eyes are wide", "free"), null);
});
