// The blocked cosine matrix against the plain definition.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cosineMatrix } from "../../src/evidence/similarity.ts";
import { createRandom } from "../../src/random.ts";
import { unitRows } from "../support/vectors.ts";

const float32Tolerance = 1e-6;

test("hand-derived cosines, clamped; a zero row gives zeros", () => {
  const left = Float32Array.from([1, 0, 0.6, 0.8, 0, 0]);
  const right = Float32Array.from([0.8, 0.6, -1, 0]);
  const expected = [0.8, -1, 0.6 * 0.8 + 0.8 * 0.6, -0.6, 0, 0];
  cosineMatrix(left, right, 2).forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]!) < float32Tolerance, `${i}: ${value}`);
  });
  const tooLong = Float32Array.from([1.0001, 0]);
  assert.equal(cosineMatrix(tooLong, tooLong, 2)[0], 1);
});

test("every size equals the plain double loop, whatever the blocks", () => {
  const random = createRandom(3);
  for (let rows = 0; rows <= 8; rows++) {
    for (let columns = 0; columns <= 8; columns++) {
      const dimension = 1 + Math.floor(random.next() * 9);
      const left = unitRows(rows, dimension, random);
      const right = unitRows(columns, dimension, random);
      const result = cosineMatrix(left, right, dimension);
      assert.equal(result.length, rows * columns);
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          let sum = 0;
          for (let d = 0; d < dimension; d++) sum += left[r * dimension + d]! * right[c * dimension + d]!;
          assert.equal(result[r * columns + c], Math.fround(Math.max(-1, Math.min(1, sum))));
        }
      }
    }
  }
});
