// Cosine of every row of one matrix with every row of another, as fast as one core goes.
// C cues, K clauses, D dimension
import { createDotKernel, type DotKernel, panelRows } from "./dot-kernel.ts";

/** Right rows that are laid out at once: bounds the memory. */
const mostRightPanels = 64;

/** Of two rows of one length; the sum runs in order and in double precision. */
export function dot(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < left.length; d++) sum += left[d]! * right[d]!;
  return sum;
}

/**
 * Dot products of unit rows, clamped to [-1, 1] (a zero row gives zeros).
 *
 * @param left row-major [C, D].
 * @param right row-major [K, D].
 * @returns row-major [C, K].
 */
export function cosineMatrix(left: Float32Array, right: Float32Array, dimension: number): Float32Array {
  return cosinesOfRows(matrixRows(left, dimension), matrixRows(right, dimension), dimension);
}

/**
 * As `cosineMatrix`, of rows that need not lie together.
 *
 * Every sum runs over D in order and in double precision, so that reordering rows only reorders the result, bit for bit.
 */
export function cosinesOfRows(
  left: readonly Float32Array[],
  right: readonly Float32Array[],
  dimension: number,
): Float32Array {
  const [numLeft, numRight] = [left.length, right.length];
  const out = new Float32Array(numLeft * numRight);
  if (out.length === 0 || dimension === 0) return out;
  const kernel = kernelFor(dimension);
  const chunk = mostRightPanels * panelRows;
  for (let from = 0; from < numRight; from += chunk) {
    const to = Math.min(numRight, from + chunk);
    for (let column = from; column < to; column += panelRows) {
      fillPanel(kernel, 1 + (column - from) / panelRows, right, column, dimension);
    }
    for (let row = 0; row < numLeft; row += panelRows) {
      fillPanel(kernel, 0, left, row, dimension);
      for (let column = from; column < to; column += panelRows) {
        kernel.run(1 + (column - from) / panelRows);
        storeBlock(kernel.results, out, row, column, numLeft, numRight);
      }
    }
  }
  return out;
}

/** The rows of a row-major matrix, not copied. */
export function matrixRows(matrix: Float32Array, dimension: number): readonly Float32Array[] {
  const length = dimension === 0 ? 0 : matrix.length / dimension;
  return Array.from({ length }, (_, row) => matrix.subarray(row * dimension, (row + 1) * dimension));
}

let latest: { readonly dimension: number; readonly kernel: DotKernel } | null = null;

/** One process embeds with one dimension, mostly. */
function kernelFor(dimension: number): DotKernel {
  if (latest?.dimension !== dimension) latest = { dimension, kernel: createDotKernel(dimension, mostRightPanels) };
  return latest.kernel;
}

/** Lays four rows out side by side, [D, 4]; past the last one, it comes again, and its products go unused. */
function fillPanel(
  { values, panelAt }: DotKernel,
  index: number,
  rows: readonly Float32Array[],
  at: number,
  dimension: number,
): void {
  const row = (offset: number) => rows[Math.min(at + offset, rows.length - 1)]!;
  const [first, second, third, fourth] = [row(0), row(1), row(2), row(3)];
  let to = panelAt(index);
  for (let d = 0; d < dimension; d++) {
    values[to] = first[d]!;
    values[to + 1] = second[d]!;
    values[to + 2] = third[d]!;
    values[to + 3] = fourth[d]!;
    to += panelRows;
  }
}

function storeBlock(
  results: Float64Array,
  out: Float32Array,
  row: number,
  column: number,
  numLeft: number,
  numRight: number,
): void {
  const rows = Math.min(panelRows, numLeft - row);
  const columns = Math.min(panelRows, numRight - column);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      out[(row + r) * numRight + column + c] = Math.min(1, Math.max(-1, results[r * panelRows + c]!));
    }
  }
}
