// p-values: resamples, pairs of seeds, many comparisons at once. Expected values by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { holm, leastPValue, pairedT, pValueText, resampledPValue } from "../../../src/bench/statistics/p-value.ts";

const tolerance = 1e-12;

test("resamples give twice the smaller tail, with one more on each side", () => {
  // of 9 draws 2 are at or below zero: 2 (2 + 1) / (9 + 1)
  assert.equal(resampledPValue([-1, 0, 1, 1, 1, 1, 1, 1, 1]), 0.6);
  assert.equal(resampledPValue([1, 2, 3]), 2 / 4);
  assert.equal(resampledPValue([-1, -2, -3, Number.NaN]), 2 / 4);
  assert.equal(resampledPValue([0, 0, 0]), 1);
  assert.equal(resampledPValue(new Float64Array(1000).fill(1)), leastPValue(1000));
});

test("a p-value is printed as far as the resamples can tell", () => {
  assert.equal(pValueText(leastPValue(1000), 1000), "<0.002");
  assert.equal(pValueText(0.0312, 1000), "0.031");
  assert.equal(pValueText(leastPValue(99), 99), "<0.020");
});

test("a paired t over seeds", () => {
  // differences 1, 2, 3: mean 2, standard error 1 / sqrt(3), t 3.4641, df 2: p = 1 - t / sqrt(t^2 + 2)
  const { mean, pValue } = pairedT([1, 2, 3])!;
  const t = 2 * Math.sqrt(3);
  assert.equal(mean, 2);
  assert.ok(Math.abs(pValue - (1 - t / Math.sqrt(t * t + 2))) < tolerance);
  assert.equal(pairedT([1]), null);
  assert.deepEqual(pairedT([0, 0]), { mean: 0, pValue: 1 });
  assert.equal(pairedT([-1, 1])!.pValue, 1);
});

test("Holm's correction multiplies the smallest by how many there are, and never turns the order", () => {
  // sorted .01 .03 .04 times 3, 2, 1 is .03 .06 .04, and the last may not fall below the one before
  const corrected = holm([0.01, 0.04, 0.03]);
  assert.deepEqual(
    corrected.map((value) => value.toFixed(6)),
    ["0.030000", "0.060000", "0.060000"],
  );
  assert.deepEqual(holm([0.5, 0.9]), [1, 1]);
  assert.deepEqual(holm([]), []);
});
