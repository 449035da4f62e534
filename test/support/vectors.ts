// Random unit vectors for tests of anything that takes embeddings.
import type { Random } from "../../src/random.ts";

/** Row-major [rows, dimension], every row of length 1. */
export function unitRows(rows: number, dimension: number, random: Random): Float32Array {
  const matrix = new Float32Array(rows * dimension);
  for (let row = 0; row < rows; row++) {
    const values = Array.from({ length: dimension }, () => random.next() * 2 - 1);
    const norm = Math.hypot(...values);
    for (let d = 0; d < dimension; d++) matrix[row * dimension + d] = values[d]! / norm;
  }
  return matrix;
}
