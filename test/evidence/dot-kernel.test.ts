// The kernel in WebAssembly against the plain loop, bit for bit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createDotKernel, panelRows } from "../../src/evidence/dot-kernel.ts";
import { cosinesOfRows } from "../../src/evidence/similarity.ts";
import { createRandom } from "../../src/random.ts";

test("every product is the plain sum in order and in double precision", () => {
  const random = createRandom(5);
  const dimension = 1023;
  const numPanels = 3;
  const kernel = createDotKernel(dimension, numPanels);
  // Of very different sizes, so that another order of adding gives another sum.
  for (let at = kernel.panelAt(0); at < kernel.values.length; at++) {
    kernel.values[at] = random.normal() * 10 ** (random.int(12) - 6);
  }
  const value = (panel: number, row: number, d: number) => kernel.values[kernel.panelAt(panel) + d * panelRows + row]!;
  let numReordered = 0;
  for (let panel = 1; panel <= numPanels; panel++) {
    kernel.run(panel);
    for (let r = 0; r < panelRows; r++) {
      for (let c = 0; c < panelRows; c++) {
        let [sum, backwards] = [0, 0];
        for (let d = 0; d < dimension; d++) sum += value(0, r, d) * value(panel, c, d);
        for (let d = dimension - 1; d >= 0; d--) backwards += value(0, r, d) * value(panel, c, d);
        assert.equal(kernel.results[r * panelRows + c], sum);
        if (backwards !== sum) numReordered++;
      }
    }
  }
  assert.ok(numReordered > 0, "the order made no difference, so nothing was compared");
});

test("more rows than fit at once, of two dimensions in turn", () => {
  const random = createRandom(6);
  for (const dimension of [3, 5, 3]) {
    const rows = (count: number) => {
      return Array.from({ length: count }, () => Float32Array.from({ length: dimension }, () => random.normal() / 4));
    };
    const [left, right] = [rows(5), rows(603)];
    const cosines = cosinesOfRows(left, right, dimension);
    for (const [r, one] of left.entries()) {
      for (const [c, other] of right.entries()) {
        const sum = one.reduce((total, value, d) => total + value * other[d]!, 0);
        assert.equal(cosines[r * right.length + c], Math.fround(Math.max(-1, Math.min(1, sum))));
      }
    }
  }
});
