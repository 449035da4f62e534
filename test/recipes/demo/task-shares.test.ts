// The demo's bar: the sum of its tasks, which never falls.
import assert from "node:assert/strict";
import { test } from "node:test";
import { partOf } from "../../../src/recipes/demo/run-task.ts";
import { TaskShares } from "../../../src/recipes/demo/task-shares.ts";
import type { TaskProgress } from "../../../src/run/pool/pool.ts";

test("grows with its tasks and waits where one begins to count anew", () => {
  const shares = new TaskShares(2);
  assert.equal(shares.sum, 2);
  shares.update("oppo", { done: 30, total: 40, detail: "reward 2" });
  shares.update("sft", { done: 1, total: 4, detail: "measuring" });
  assert.equal(shares.sum, 3);
  assert.equal(shares.detail, "oppo: reward 2 | sft: measuring");
  shares.update("oppo", { done: 1, total: 100, detail: "measuring" });
  assert.equal(shares.sum, 3);
  assert.equal(shares.detail, "oppo: measuring | sft: measuring");
  shares.update("oppo", { done: 130, total: 100 });
  assert.equal(shares.sum, 3.25);
  shares.update("empty", { done: 0, total: 0 });
  assert.equal(shares.sum, 3.25);
  shares.end("sft");
  shares.end("never told");
  assert.equal(shares.sum, 5);
  assert.equal(shares.detail, "");
});

test("the parts of a task follow one another", () => {
  const told: TaskProgress[] = [];
  const context = { progress: (progress: TaskProgress) => told.push(progress) } as never as Parameters<
    typeof partOf
  >[0];
  const shares = new TaskShares(0);
  for (const [start, end] of [
    [0, 0.75],
    [0.75, 1],
  ] as const) {
    const part = partOf(context, start, end);
    for (let done = 0; done <= 4; done++) part.progress({ done, total: 4, detail: "x" });
  }
  assert.deepEqual(
    told.map(({ done, total }) => done / total),
    [0, 0.1875, 0.375, 0.5625, 0.75, 0.75, 0.8125, 0.875, 0.9375, 1],
  );
  for (const progress of told) {
    const before = shares.sum;
    shares.update("arm", progress);
    assert.ok(shares.sum >= before);
  }
  assert.equal(shares.sum, 1);
});
