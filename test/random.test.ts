// The seeded generator: the same numbers for the same seed, and no visible pattern.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, permutation } from "../src/random.ts";

const draws = 20000;
/** Five standard errors of the mean of 20,000 draws of deviation 1. */
const meanTolerance = 5 / Math.sqrt(draws);

test("one seed, one sequence; neighbouring seeds have nothing in common", () => {
  const take = (seed: number) => Array.from({ length: 50 }, createRandom(seed).next);
  assert.deepEqual(take(1), take(1));
  assert.equal(new Set([...take(1), ...take(2), ...take(-1), ...take(0)]).size, 200);
});

test("uniform, whole and normal numbers have their moments", () => {
  const random = createRandom(42);
  let sum = 0;
  let normalSum = 0;
  let squareSum = 0;
  const dice = new Int32Array(6);
  for (let i = 0; i < draws; i++) {
    const value = random.next();
    assert.ok(value >= 0 && value < 1);
    sum += (value - 0.5) * Math.sqrt(12);
    dice[random.int(6)]!++;
    const normal = random.normal();
    normalSum += normal;
    squareSum += normal * normal;
  }
  assert.ok(Math.abs(sum / draws) < meanTolerance);
  assert.ok(Math.abs(normalSum / draws) < meanTolerance);
  // The square of a normal number has deviation sqrt(2).
  assert.ok(Math.abs(squareSum / draws - 1) < meanTolerance * Math.SQRT2);
  for (const count of dice) assert.ok(Math.abs(count - draws / 6) < 5 * Math.sqrt((draws * 5) / 36));
});

test("a permutation has every index once, and depends on the generator", () => {
  const order = permutation(9, createRandom(1));
  assert.deepEqual([...order].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(permutation(9, createRandom(1)), order);
  assert.notDeepEqual(permutation(9, createRandom(2)), order);
});
