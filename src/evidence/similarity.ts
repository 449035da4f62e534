// Cosine of every row of one matrix with every row of another, as fast as plain TypeScript goes.
// C cues, K clauses, D dimension

const blockSize = 3;

/**
 * Dot products of unit rows, clamped to [-1, 1] (a zero row gives zeros).
 *
 * Works on blocks of 3 by 3 rows, nine independent sums in flight; the last block of an uneven side overlaps its
 * neighbour. Every sum runs over D in the same order whatever block it falls in, so that reordering rows only reorders
 * the result, bit for bit.
 *
 * @param left row-major [C, D].
 * @param right row-major [K, D].
 * @returns row-major [C, K].
 */
export function cosineMatrix(left: Float32Array, right: Float32Array, dimension: number): Float32Array {
  const numLeft = dimension === 0 ? 0 : left.length / dimension;
  const numRight = dimension === 0 ? 0 : right.length / dimension;
  const out = new Float32Array(numLeft * numRight);
  if (numLeft < blockSize || numRight < blockSize) {
    for (let row = 0; row < numLeft; row++) {
      for (let column = 0; column < numRight; column++) {
        out[row * numRight + column] = dot(left, row * dimension, right, column * dimension, dimension);
      }
    }
    return out;
  }
  for (let i = 0; i < numLeft; i += blockSize) {
    const row = Math.min(i, numLeft - blockSize);
    for (let j = 0; j < numRight; j += blockSize) {
      const column = Math.min(j, numRight - blockSize);
      dotBlock(left, row * dimension, right, column * dimension, dimension, out, row * numRight + column, numRight);
    }
  }
  return out;
}

function dot(left: Float32Array, a: number, right: Float32Array, b: number, dimension: number): number {
  let sum = 0;
  for (let d = 0; d < dimension; d++) sum += left[a + d]! * right[b + d]!;
  return clampCosine(sum);
}

/** Nine dot products: rows at a, a + D, a + 2D of left with rows at b, b + D, b + 2D of right, to out[at + r * stride + c]. */
function dotBlock(
  left: Float32Array,
  a: number,
  right: Float32Array,
  b: number,
  dimension: number,
  out: Float32Array,
  at: number,
  stride: number,
): void {
  const a1 = (a + dimension) | 0;
  const a2 = (a1 + dimension) | 0;
  const b1 = (b + dimension) | 0;
  const b2 = (b1 + dimension) | 0;
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s20 = 0;
  let s21 = 0;
  let s22 = 0;
  for (let d = 0; d < dimension; d = (d + 1) | 0) {
    const y0 = right[(b + d) | 0]!;
    const y1 = right[(b1 + d) | 0]!;
    const y2 = right[(b2 + d) | 0]!;
    const x0 = left[(a + d) | 0]!;
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    const x1 = left[(a1 + d) | 0]!;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    const x2 = left[(a2 + d) | 0]!;
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
  }
  storeRow(out, at, s00, s01, s02);
  storeRow(out, at + stride, s10, s11, s12);
  storeRow(out, at + 2 * stride, s20, s21, s22);
}

function storeRow(out: Float32Array, at: number, first: number, second: number, third: number): void {
  out[at] = clampCosine(first);
  out[at + 1] = clampCosine(second);
  out[at + 2] = clampCosine(third);
}

function clampCosine(value: number): number {
  return Math.min(1, Math.max(-1, value));
}
