// The confusion report on vectors chosen by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { confusion, formatConfusion, leakShare } from "../../src/evidence/confusion.ts";
import type { Embedder } from "../../src/evidence/cue.ts";

const float32Tolerance = 1e-6;

/** Angles in degrees: the cosine of two phrases is that of the difference. */
const angles: Readonly<Record<string, number>> = { a1: 0, a2: 20, b1: 90, b2: 120, c: 60 };
const circle: Embedder = {
  name: "circle",
  dimension: 2,
  embed: (texts) =>
    Float32Array.from(
      texts.flatMap((text) => [Math.cos((angles[text]! * Math.PI) / 180), Math.sin((angles[text]! * Math.PI) / 180)]),
    ),
};
const twoConcepts = [
  { name: "a", phrases: ["a1", "a2"] },
  { name: "b", phrases: ["b1", "b2"] },
];

function cosine(degrees: number): number {
  return Math.cos((degrees * Math.PI) / 180);
}

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < float32Tolerance, `expected ${expected}, got ${actual}`);
}

test("spreads, worst pairs and the middle of the gap", async () => {
  const report = await confusion(circle, twoConcepts);
  assert.deepEqual([report.numConcepts, report.numPhrases, report.same.count, report.different.count], [2, 4, 2, 4]);
  close(report.same.min, cosine(30));
  close(report.same.max, cosine(20));
  close(report.same.mean, (cosine(20) + cosine(30)) / 2);
  close(report.different.max, cosine(70));
  close(report.different.min, cosine(120));
  assert.equal(report.separable, true);
  close(report.threshold, (cosine(30) + cosine(70)) / 2);
  assert.deepEqual(
    [
      report.worstDifferent[0]!.left,
      report.worstDifferent[0]!.right,
      report.worstSame[0]!.left,
      report.worstSame[0]!.right,
    ],
    ["a2", "b1", "b1", "b2"],
  );
  [cosine(90), cosine(70), cosine(70), cosine(100)].forEach((value, i) => {
    close(report.wrongCosines[i]!, value);
  });
  assert.equal(leakShare(report, 0.3), 0.5);
  assert.equal(leakShare(report, 0.4), 0);
});

test("a phrase between two concepts makes them inseparable, and the text says so", async () => {
  const report = await confusion(circle, [...twoConcepts, { name: "c", phrases: ["c"] }], { numWorst: 1 });
  // c is 30 degrees from b1 and 40 from a2; b1 and b2 are 30 apart as well, so the gap is closed.
  assert.equal(report.worstDifferent.length, 1);
  assert.equal(report.worstDifferent[0]!.right, "c");
  assert.ok(report.different.max >= report.same.min - float32Tolerance);
  const text = formatConfusion({ ...report, separable: false }, 0.8).join("\n");
  assert.match(text, /circle: 5 phrases of 3 concepts/);
  assert.match(text, /no threshold separates them/);
  assert.match(text, /above 0\.8 with a wrong concept: 40\.0% of the phrases/);
  assert.match(text, / {2}0\.866 {2}"b1" \(b\) - "c" \(c\)/);
});

test("concepts with one phrase have no spread within", async () => {
  const report = await confusion(circle, [
    { name: "c", phrases: ["c"] },
    { name: "a", phrases: ["a1"] },
  ]);
  assert.equal(report.same.count, 0);
  assert.ok(Number.isNaN(report.same.min));
  assert.match(formatConfusion(report, 0.5)[1]!, /same concept: none/);
});
