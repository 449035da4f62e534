// Curves in bounded memory: points, means, gaps.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LatestUsed } from "../../../src/serve/studio/logs/latest-used.ts";
import { Series } from "../../../src/serve/studio/logs/series.ts";

test("rows become columns; what is no finite number is a gap", () => {
  const series = new Series();
  series.add({ step: 0, a: 1, b: null, c: "text" });
  series.add({ step: 1, a: 3, b: 2 });
  assert.deepEqual(series.names(), ["a", "b"]);
  assert.deepEqual(series.steps(0), [0, 1]);
  assert.deepEqual(series.values("a", 0), [1, 3]);
  assert.deepEqual(series.values("b", 0), [null, 2]);
  assert.deepEqual(series.values("none", 1), [null]);
});

test("too many points are halved, again and again, and stay means", () => {
  const series = new Series();
  const numRows = 20_000;
  for (let step = 0; step < numRows; step++) series.add({ step, value: step });
  // 4,096 points of 1, 2, 4, 8 steps hold up to 32,768 rows
  assert.equal(series.stride, 8);
  assert.equal(series.numPoints, numRows / 8);
  assert.equal(series.values("value", 0)[0], 3.5);
  assert.equal(series.values("value", 0).at(-1), 19_995.5);
  assert.equal(series.steps(0).at(-1), numRows - 1);
  series.clear();
  assert.equal(series.numPoints, 0);
});

test("a run that names thousands of numbers does not fill the memory", () => {
  const series = new Series();
  for (let i = 0; i < 1000; i++) series.add({ step: i, [`number ${i}`]: 1, ["x".repeat(500)]: 1 });
  assert.equal(series.names().length, 300);
});

test("the one used longest ago makes room", () => {
  const kept = new LatestUsed<number>(2);
  let made = 0;
  const get = (name: string) => kept.get(name, () => ++made);
  assert.deepEqual(["a", "b", "a", "c", "a", "b"].map(get), [1, 2, 1, 3, 1, 4]);
});
