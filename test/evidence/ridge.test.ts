// Ridge regression against closed forms.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fitRidge, type RidgeRow } from "../../src/evidence/ridge.ts";

const solverTolerance = 1e-9;

function row(indices: number[], values: number[], targets: [number, number][], weight = 1): RidgeRow {
  return { indices, values, weight, targets: new Map(targets) };
}

function allClose(actual: Float64Array, expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]!) < solverTolerance, `${i}: expected ${expected[i]}, got ${value}`);
  });
}

test("one feature: w = sum(weight x y) / (sum(weight x^2) + penalty)", () => {
  allClose(fitRidge([row([0], [1], [[0, 1]])], 1, 1, 1), [0.5]);
  // (3 * 2 * 4 + 1 * 1 * -1) / (3 * 4 + 1 + 0.5)
  allClose(fitRidge([row([0], [2], [[0, 4]], 3), row([0], [1], [[0, -1]])], 1, 1, 0.5), [23 / 13.5]);
});

test("two features, two outputs: the 2 x 2 normal equations", () => {
  // X = [[1, 1], [1, 0]], penalty 1: A = [[3, 1], [1, 2]], inverse [[2, -1], [-1, 3]] / 5.
  // Output 0: y = [1, 0], b = [1, 1] -> [0.2, 0.4]. Output 1: y = [0, 2], b = [2, 0] -> [0.8, -0.4].
  const rows = [row([0, 1], [1, 1], [[0, 1]]), row([0], [1], [[1, 2]])];
  allClose(fitRidge(rows, 2, 2, 1), [0.2, 0.8, 0.4, -0.4]);
});

test("features that no row has, and outputs without a target, get zero", () => {
  allClose(fitRidge([row([0], [1], [[0, 1]])], 2, 2, 1), [0.5, 0, 0, 0]);
});
