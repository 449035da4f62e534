// Closed questions: what an answer chooses, and scores against numbers worked out by hand.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { questionMeasures, questionReport } from "../../../src/bench/questions/measures.ts";
import { type Question, readAnswer } from "../../../src/bench/questions/question.ts";

const choices = ["a woman cries", "he laughs", "he laughs loudly", "none of these"];
const bootstrap = { seed: 1, numResamples: 300, confidence: 0.95 };

describe("what an answer chooses", () => {
  const read = (text: string) => readAnswer(text, { choices });

  test("letters in every usual form", () => {
    for (const text of ["B", "b.", "(B)", "**B**", "B) he laughs", "B: because", "<think>C?</think><answer>B</answer>"])
      assert.equal(read(text), 1, text);
    for (const text of ["The answer is (B).", "Answer: B", "I choose option B, since"])
      assert.equal(read(text), 1, text);
    assert.equal(read("B he laughs"), 1);
  });

  test("the words of a choice, the only one that occurs", () => {
    assert.equal(read("He laughs."), 1);
    assert.equal(read("He laughs, loudly"), 2);
    assert.equal(read("I think that none of these is right"), 3);
  });

  test("what says no single thing is unreadable; an article is no letter", () => {
    for (const text of ["", "A man shouts", "E", "either", "a woman cries or none of these", "I see it differently"])
      assert.equal(read(text), null, text);
    assert.equal(read("A woman cries"), 0);
  });

  test("yes and no come first; a word that only begins so is neither", () => {
    const verdict = (text: string) => readAnswer(text, { choices: null });
    assert.deepEqual(["Yes.", "no, he is not", "not sure", "know", ""].map(verdict), [0, 1, null, null, null]);
  });
});

function asked(id: string, answer: number, more: Partial<Question> = {}): Question {
  return { id, media: null, task: "t", choices: null, answer, pair: null, ...more };
}

describe("scores", () => {
  // Three clips: two pairs about one, a lone question about another, one choice about the third.
  const questions = [
    asked("1", 0, { media: "x", pair: "p" }),
    asked("2", 1, { media: "x", pair: "p" }),
    asked("3", 0, { media: "x", pair: "q" }),
    asked("4", 1, { media: "x", pair: "q" }),
    asked("5", 0, { media: "y" }),
    asked("6", 2, { media: "z", choices }),
  ];
  const readings = [0, 1, 0, 0, null, 2];

  test("hand-computed", () => {
    const report = questionReport(questionMeasures(questions, readings), bootstrap);
    assert.equal(report.accuracy!.value, 4 / 6);
    assert.equal(report.yesRight!.value, 2 / 3);
    assert.equal(report.noRight!.value, 1 / 2);
    assert.equal(report.yesRate!.value, 3 / 5);
    assert.equal(report.unreadable!.value, 1 / 6);
    assert.equal(report.pairRight!.value, 1 / 2);
    assert.equal(report.pairRight!.count, 2);
    assert.ok(Math.abs(report.harmonic!.value! - (2 * (2 / 3) * (1 / 2)) / (2 / 3 + 1 / 2)) < 1e-12);
  });

  test("yes to everything is half right, in no pair, and its harmonic mean is 0", () => {
    const pairs = questions.slice(0, 4);
    const report = questionReport(questionMeasures(pairs, [0, 0, 0, 0]), bootstrap);
    assert.equal(report.accuracy!.value, 0.5);
    assert.equal(report.pairRight!.value, 0);
    assert.equal(report.harmonic!.value, 0);
    assert.equal(report.yesRate!.value, 1);
  });

  test("clips are drawn, not questions: many questions about few clips leave a wide interval", () => {
    const many = Array.from({ length: 400 }, (_, i) => asked(String(i), 0, { media: i < 200 ? "x" : "y" }));
    const read = many.map((_, i) => (i < 200 ? 0 : 1));
    const { accuracy } = questionReport(questionMeasures(many, read), bootstrap);
    assert.deepEqual([accuracy!.low, accuracy!.high], [0, 1]);
    const apart = many.map((question) => ({ ...question, media: null }));
    const { accuracy: narrow } = questionReport(questionMeasures(apart, read), bootstrap);
    assert.ok(narrow!.low! > 0.4 && narrow!.high! < 0.6);
  });

  test("what nothing asks for is left out", () => {
    const measures = questionMeasures([asked("1", 2, { choices })], [2]);
    assert.deepEqual(Object.keys(measures), ["accuracy", "unreadable"]);
    assert.equal(questionReport(measures, bootstrap).harmonic, undefined);
  });
});
