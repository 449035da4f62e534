// Many questions, a few at a time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { askAll } from "../../src/endpoint/ask-all.ts";

test("answers come in the questions' order, however long each takes, and never too many at once", async () => {
  let busy = 0;
  let busiest = 0;
  const answers = await askAll([5, 1, 4, 2, 3], 2, async (item, index) => {
    busiest = Math.max(busiest, ++busy);
    await sleep(item * 2);
    busy--;
    return `${index}:${item}`;
  });
  assert.deepEqual(answers, ["0:5", "1:1", "2:4", "3:2", "4:3"]);
  assert.equal(busiest, 2);
  assert.deepEqual(await askAll([], 4, async () => 1), []);
});

test("after a failure nothing more is asked, and what is under way ends first", async () => {
  const ended: number[] = [];
  const asking = askAll([0, 1, 2, 3, 4, 5], 2, async (item) => {
    await sleep(item === 0 ? 1 : 20);
    if (item === 0) throw new Error("no");
    ended.push(item);
  });
  await assert.rejects(asking, { message: "no" });
  assert.deepEqual(ended, [1]);
});
