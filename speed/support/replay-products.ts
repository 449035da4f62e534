// The matrix products of a piece of work alone: the least time that the work can take on this machine with these products.
import { inference, op, scope } from "../../src/tensor/index.ts";
import type { ProductCounts } from "./matrix-products.ts";

/** Multiply-adds times two. */
export function operationsOf(products: ProductCounts): number {
  let sum = 0;
  for (const [{ b, m, k, n }, times] of products) sum += 2 * b * m * k * n * times;
  return sum;
}

/** Makes every product as often as it was made, and nothing else. @returns what the clock says of that */
export function replayProducts(products: ProductCounts, clock: () => number): number {
  let total = 0;
  inference(() => {
    for (const [{ b, m, k, n, transposed }, times] of products) {
      scope(() => {
        const factor = (rows: number, columns: number, isTransposed: boolean) => {
          const size = isTransposed ? [columns, rows] : [rows, columns];
          const whole = op.randn(b === 1 ? size : [b, ...size]);
          return isTransposed ? whole.transpose(-1, -2) : whole;
        };
        const first = factor(m, k, transposed === "first");
        const second = factor(k, n, transposed === "second");
        const start = clock();
        for (let i = 0; i < times; i++) (b === 1 ? first.mm(second) : first.bmm(second)).dispose();
        total += clock() - start;
      });
    }
  });
  return total;
}
