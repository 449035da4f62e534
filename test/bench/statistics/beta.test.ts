// The incomplete beta function against closed forms and tables, and the interval and test that are read from it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { exactInterval, incompleteBeta, logGamma, twoSidedT } from "../../../src/bench/statistics/beta.ts";

const tolerance = 1e-12;
/** Tables print four digits. */
const tableTolerance = 5e-5;
const near = (got: number, want: number, within = tolerance) =>
  assert.ok(Math.abs(got - want) <= within, `${got} is not ${want}`);

test("ln Gamma is that of factorials and of one half", () => {
  near(logGamma(1), 0);
  near(logGamma(6), Math.log(120));
  near(logGamma(0.5), Math.log(Math.sqrt(Math.PI)));
});

test("the incomplete beta function has its closed forms", () => {
  // I_x(1, b) = 1 - (1 - x)^b, I_x(a, 1) = x^a, and I_.5(2, 3) = P(at least 2 of 4 fair coins) = 11 / 16
  near(incompleteBeta(0.3, 1, 7), 1 - 0.7 ** 7);
  near(incompleteBeta(0.3, 5, 1), 0.3 ** 5);
  near(incompleteBeta(0.5, 2, 3), 11 / 16);
  for (const [x, a, b] of [
    [0.2, 3, 400],
    [0.9, 250, 30],
  ] as const) {
    near(incompleteBeta(x, a, b), 1 - incompleteBeta(1 - x, b, a));
  }
  assert.deepEqual([incompleteBeta(0, 2, 2), incompleteBeta(1, 2, 2)], [0, 1]);
});

test("the exact interval of a proportion is that of the tables, and has width at the edges", () => {
  // Clopper and Pearson for 1 and 5 of 10
  near(exactInterval(1, 10, 0.95).low, 0.0025, tableTolerance);
  near(exactInterval(1, 10, 0.95).high, 0.445, tableTolerance);
  near(exactInterval(5, 10, 0.95).low, 0.1871, tableTolerance);
  near(exactInterval(5, 10, 0.95).high, 0.8129, tableTolerance);
  // none of n: 1 - (alpha / 2)^(1 / n)
  assert.equal(exactInterval(0, 300, 0.95).low, 0);
  near(exactInterval(0, 300, 0.95).high, 1 - 0.025 ** (1 / 300));
  near(exactInterval(300, 300, 0.95).low, 0.025 ** (1 / 300));
  // control: fewer clips say less
  assert.ok(exactInterval(0, 30, 0.95).high > 5 * exactInterval(0, 300, 0.95).high);
});

test("Student's t is that of the tables", () => {
  near(twoSidedT(12.706, 1), 0.05, tableTolerance);
  near(twoSidedT(4.303, 2), 0.05, tableTolerance);
  near(twoSidedT(3.355, 8), 0.01, tableTolerance);
  near(twoSidedT(0, 5), 1);
  near(twoSidedT(-4.303, 2), twoSidedT(4.303, 2));
});
