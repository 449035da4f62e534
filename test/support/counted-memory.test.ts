// The counter of memory counts what it should: bytes of live tensors, and the most of them at once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { op, scope } from "../../src/tensor/index.ts";
import { countMemory } from "./counted-memory.ts";

const numBytes = 4 * 1000;

test("tensors are counted to the byte while they live, and their peak", async () => {
  const memory = await countMemory();
  const before = memory.live();
  memory.takePeak();
  scope(() => {
    op.zeros([1000]);
    scope(() => void op.zeros([2000]));
    assert.equal(memory.live() - before, numBytes);
  });
  assert.equal(memory.live(), before);
  assert.equal(memory.takePeak() - before, 3 * numBytes);
  assert.equal(memory.takePeak(), before, "a peak is taken once");
});
