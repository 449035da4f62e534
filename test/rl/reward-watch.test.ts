// A reward that does not move is told once, with its remedy; one that moves never is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RewardWatch } from "../../src/rl/reward-watch.ts";

const reward = (accuracy: number, format: number, omni: number) => ({
  total: accuracy + format + omni,
  parts: { accuracy, format, omni },
});

test("a term and the total of one value are told once each, at the window's end", () => {
  const watch = new RewardWatch(4);
  const add = (i: number) => watch.add(reward(i % 2, 0, 0), "missing <think>");
  assert.deepEqual([add(0), add(1), add(2)].flat(), []);
  const lines = add(3);
  assert.equal(lines.length, 2);
  assert.match(
    lines[0]!.line,
    /format was 0 for the last 4 completions \(4 of them malformed: missing <think>\)\. .*<answer>/,
  );
  assert.match(lines[1]!.line, /omni was 0/);
  assert.deepEqual(
    lines.map(({ name }) => name),
    ["reward/format/zero", "reward/omni/zero"],
  );
  assert.deepEqual([add(4), add(5)].flat(), [], "once");
  assert.match(watch.standing()[0]!, /format was 0 for the last 6/);
});

test("a streak that ends begins anew, and what moves is never told", () => {
  const watch = new RewardWatch(3);
  for (let i = 0; i < 30; i++) assert.deepEqual(watch.add(reward(i / 100, i % 2, (i % 3) / 7)), [], String(i));
  assert.deepEqual(watch.standing(), []);
  const lines = Array.from({ length: 3 }, () => watch.add(reward(0, 1, 0))).flat();
  assert.deepEqual(
    lines.map(({ line }) => line.split(" ")[1]),
    ["format", "accuracy", "omni", "total"],
  );
  watch.add(reward(1, 1, 0));
  assert.deepEqual(
    watch.standing().map((line) => line.split(" ")[1]),
    ["format", "omni"],
  );
});

test("the remedy fits the cause", () => {
  const line = (value: number, problem: string | null, index = 0) => {
    const watch = new RewardWatch(1);
    return watch.add(reward(value, value, value), problem)[index]!.line;
  };
  assert.match(line(0, "truncated"), /maxNewTokens/);
  assert.match(line(0, null), /labels/);
  assert.match(line(0, null, 2), /embed calibrate/);
  assert.match(line(1, null), /apart no more/);
});
