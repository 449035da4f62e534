// The hard protocol: words of the label set count, everything else is wrong and counted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { reportOf } from "../../../src/bench/measure.ts";
import { exactClass, exactRecall } from "../../../src/bench/mer-unibench/exact-recall.ts";

const labels = ["happy", "sad", "fear"];
const tolerance = 1e-12;

test("an answer is trimmed and lowered, and must then be a word of the set", () => {
  const classOf = (text: string) => exactClass(text, labels);
  assert.equal(classOf("<think>he weeps</think><answer> Sad\n</answer>"), "sad");
  assert.equal(classOf("  SAD "), "sad");
  assert.equal(classOf("<answer>fear</answer><answer>sad</answer>"), "fear", "the first of several");
  for (const text of ["sadness", "fearful", "sad.", "happy, sad", "the person is sad", "", "<answer></answer>"]) {
    assert.equal(classOf(text), null, text);
  }
});

test("WAR, UAR and the share outside the set by hand", () => {
  const gold = ["happy", "happy", "happy", "sad", "fear", "fear"];
  const predicted = ["happy", "happy", "sad", null, "fear", null];
  const report = reportOf(exactRecall("test", gold, predicted), { seed: 1, numResamples: 50, confidence: 0.95 });
  const near = (value: number | null, expected: number) => assert.ok(Math.abs(value! - expected) < tolerance);
  near(report.war!.value, 3 / 6);
  near(report.uar!.value, (2 / 3 + 0 + 1 / 2) / 3);
  near(report.outside!.value, 2 / 6);
  assert.equal(report.uar!.count, 6);
  assert.ok(report.war!.low! < report.war!.high!);
});
