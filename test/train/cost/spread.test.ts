// How completions lie on ranks, counted by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { spreadOver } from "../../../src/train/cost/spread.ts";

test("whole prompts, then parts of a group, then idle ranks", () => {
  assert.deepEqual(spreadOver(8, 4, 1), { prompts: 8, group: 4, idle: 0 });
  assert.deepEqual(spreadOver(8, 4, 8), { prompts: 1, group: 4, idle: 0 });
  assert.deepEqual(spreadOver(8, 4, 16), { prompts: 1, group: 2, idle: 0 });
  assert.deepEqual(spreadOver(8, 4, 12), { prompts: 1, group: 3, idle: 1 });
  assert.deepEqual(spreadOver(3, 4, 2), { prompts: 2, group: 3, idle: 0 });
  assert.deepEqual(spreadOver(8, 4, 64), { prompts: 1, group: 1, idle: 32 });
});
