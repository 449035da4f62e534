// What is taken where nothing was said.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultsBySize, largeModel } from "../../src/train/by-size.ts";

test("a small model has the demo's settings, a large one the paper's rate, an adapter on it ten times that", () => {
  assert.deepEqual(defaultsBySize(1e6, "decoder"), { learningRate: 3e-4, maxNewTokens: 64, recomputes: false });
  assert.deepEqual(defaultsBySize(1e6, "lora"), defaultsBySize(1e6, "full"));
  const large = defaultsBySize(8.9e9, "decoder");
  assert.deepEqual(large, { learningRate: 2e-6, maxNewTokens: 512, recomputes: true });
  assert.deepEqual(defaultsBySize(largeModel, "lora"), { ...large, learningRate: 2e-5 });
  assert.equal(defaultsBySize(largeModel - 1, "lora").learningRate, 3e-4);
});
