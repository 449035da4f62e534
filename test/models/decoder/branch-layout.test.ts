// Where the tokens of branches and of a prompt's head lie; pure, nothing native is loaded.
import assert from "node:assert/strict";
import { test } from "node:test";
import { layOutBranches } from "../../../src/models/decoder/branch-layout.ts";
import { headOf } from "../../../src/models/decoder/prompt.ts";

test("branches of one length fill every place; others are packed", () => {
  const lastIds = Int32Array.of(7, 8);
  const lastPositions = Int32Array.of(10, 20);
  const [one, two] = [Int32Array.of(1, 2), Int32Array.of(3, 4)];
  const dense = layOutBranches(lastIds, lastPositions, [[one], [two]]);
  assert.deepEqual(Array.from(dense.ids), [7, 1, 8, 3]);
  assert.deepEqual(Array.from(dense.positions), [10, 11, 20, 21]);
  assert.equal(dense.packing, null);
  assert.equal(dense.output, null);
  // Prompt 0 has branches of 1 and 3 tokens, prompt 1 one of 2: 6 tokens in 2 x 2 x 3 places.
  const ragged = layOutBranches(lastIds, lastPositions, [[Int32Array.of(5), Int32Array.of(1, 2, 3)], [two]]);
  assert.deepEqual(Array.from(ragged.ids), [7, 7, 1, 2, 8, 3]);
  assert.deepEqual(Array.from(ragged.positions), [10, 10, 11, 12, 20, 21]);
  assert.deepEqual(Array.from(ragged.packing!.placeOf), [0, 3, 4, 5, 6, 7]);
  assert.deepEqual(Array.from(ragged.packing!.rowOf), [0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 0]);
  assert.deepEqual(Array.from(ragged.output!), [0, 0, 0, 1, 2, 3, 4, 5, 0]);
  // 11 of 12 branches: still dense, with the missing one left out of the output.
  const groups = Array.from({ length: 6 }, (_, b) => (b === 2 ? [one] : [one, two]));
  const gap = layOutBranches(new Int32Array(6), new Int32Array(6), groups);
  assert.equal(gap.packing, null);
  assert.deepEqual(Array.from(gap.output!).slice(6, 14), [6, 7, 8, 9, 12, 13, 14, 15]);
});

test("the head of a prompt keeps the first positions of every axis", () => {
  const ids = Int32Array.of(5, 6, 7);
  const one = { ids, positions: Int32Array.of(0, 1, 2) };
  assert.deepEqual(headOf(one, 2), { ids: Int32Array.of(5, 6), positions: Int32Array.of(0, 1) });
  const three = { ids, positions: Int32Array.of(0, 1, 2, 10, 11, 12, 20, 21, 22) };
  assert.deepEqual([...headOf(three, 2).positions], [0, 1, 10, 11, 20, 21]);
  assert.deepEqual([...headOf(three, 0).positions], []);
  assert.deepEqual(headOf(three, 3), three);
});
