// The work queue: fast workers do more, failed tasks come back once, a worker that fails rests, and what does not pass ends it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type QueueOptions, runTasks, type Worker } from "../../../src/train/rollouts/work-queue.ts";

class Passing extends Error {}

function queue(more: Partial<QueueOptions<number, string>> = {}) {
  const done: [task: number, worker: string][] = [];
  const retries: string[] = [];
  const options: QueueOptions<number, string> = {
    signal: new AbortController().signal,
    passing: (error) => (error instanceof Passing ? { waitSeconds: null } : null),
    patienceSeconds: 30,
    onDone: (task, _, worker) => void done.push([task, worker]),
    onRetry: (worker) => void retries.push(worker),
    givenUp: (errors) =>
      new Error(`given up: ${[...errors].map(([name, error]) => `${name} ${(error as Error).message}`)}`),
    ...more,
  };
  return { done, retries, options };
}

const tasks = Array.from({ length: 40 }, (_, i) => i);

function worker(name: string, milliseconds: number, places = 2): Worker<number, string> {
  return {
    name,
    places,
    run: async (task) => {
      await sleep(milliseconds);
      return `${task}`;
    },
  };
}

test("workers of different speeds are all kept busy, and every task is done once", async () => {
  const { done, options } = queue();
  await runTasks(tasks, [worker("slow", 100), worker("fast", 10)], options);
  assert.deepEqual(
    done.map(([task]) => task).toSorted((a, b) => a - b),
    tasks,
  );
  const share = (name: string) => done.filter(([, by]) => by === name).length;
  assert.ok(share("slow") >= 2 && share("fast") > 2 * share("slow"), `${share("slow")} ${share("fast")}`);
});

test("a few tasks are spread over all workers", async () => {
  const { done, options } = queue();
  await runTasks([0, 1, 2], [worker("a", 20, 8), worker("b", 20, 8), worker("c", 20, 8)], options);
  assert.deepEqual(new Set(done.map(([, by]) => by)), new Set(["a", "b", "c"]));
});

test("what fails goes to others at once, and nothing is lost or doubled", async () => {
  const { done, retries, options } = queue();
  let numFailures = 0;
  const flaky: Worker<number, string> = {
    name: "flaky",
    places: 2,
    run: async (task) => {
      await sleep(1);
      if (numFailures++ < 3) throw new Passing("no answer");
      return `${task}`;
    },
  };
  await runTasks(tasks, [flaky, worker("steady", 5)], options);
  assert.deepEqual(
    done.map(([task]) => task).toSorted((a, b) => a - b),
    tasks,
  );
  assert.ok(retries.length >= 2 && retries.every((name) => name === "flaky"));
});

test("a lone worker that fails is asked again after a rest", async () => {
  const { done, retries, options } = queue();
  let numFailures = 0;
  const start = performance.now();
  const run = async (task: number) => {
    if (numFailures++ < 1) throw new Passing("no answer");
    return `${task}`;
  };
  await runTasks([1, 2], [{ name: "a", places: 1, run }], options);
  assert.deepEqual([done.map(([task]) => task), retries], [[1, 2], ["a"]]);
  assert.ok(performance.now() - start >= 245, "it rested");
});

test("patience, an error that will not pass and an abort end everything, others' tasks too", async () => {
  const failing: Worker<number, string> = {
    name: "gone",
    places: 2,
    run: async () => {
      throw new Passing("refused");
    },
  };
  await assert.rejects(runTasks(tasks, [failing], queue({ patienceSeconds: 0.3 }).options), /given up: gone refused/);
  let isAborted = false;
  const waiting: Worker<number, string> = {
    name: "waiting",
    places: 1,
    run: (_, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          isAborted = true;
          reject(signal.reason as Error);
        });
      }),
  };
  const wrong: Worker<number, string> = {
    name: "wrong",
    places: 1,
    run: async () => {
      await sleep(5);
      throw new TypeError("another model");
    },
  };
  await assert.rejects(runTasks(tasks, [waiting, wrong], queue().options), TypeError);
  assert.ok(isAborted);
  const stop = new AbortController();
  const reason = new Error("stop");
  setTimeout(() => stop.abort(reason), 20);
  await assert.rejects(runTasks(tasks, [waiting], queue({ signal: stop.signal }).options), reason);
  await runTasks([], [failing], queue().options);
});
