// Tasks that need one another: order, what a failure costs, how it is stopped.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { OppoError } from "../../../src/error.ts";
import { InterruptedError } from "../../../src/run/interrupt.ts";
import { runPool } from "../../../src/run/pool/pool.ts";
import { type GraphTask, runTaskGraph } from "../../../src/run/pool/task-graph.ts";

const quietly = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function recorded(log: string[], name: string, needs: readonly string[] = [], work = () => quietly(1)): GraphTask {
  return {
    name,
    needs,
    run: async () => {
      log.push(name);
      await work();
      return `${name}!`;
    },
  };
}

test("what can begin begins in order, what needs another waits for it, so many at once", async () => {
  const log: string[] = [];
  let running = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++running);
    await quietly(5);
    running--;
  };
  const tasks = [
    recorded(log, "last", ["a", "b"], work),
    ...["a", "b", "c"].map((name) => recorded(log, name, ["made before"], work)),
  ];
  const outcomes = await runTaskGraph(tasks, { numAtOnce: 2 });
  assert.deepEqual(log.slice(0, 2), ["a", "b"]);
  assert.equal(most, 2);
  assert.deepEqual(outcomes.get("last"), { kind: "done", value: "last!" });
  assert.equal(outcomes.size, 4);
});

test("a failure costs what needs it and nothing else", async () => {
  const log: string[] = [];
  const fail = async () => {
    throw new OppoError("ERR_TEST", "the process was killed");
  };
  const ended: string[] = [];
  const tasks = [
    recorded(log, "start", [], fail),
    recorded(log, "cell", ["start"]),
    recorded(log, "table", ["cell"]),
    recorded(log, "other"),
  ];
  const outcomes = await runTaskGraph(tasks, {
    numAtOnce: 1,
    onEnd: ({ name }, { kind }) => ended.push(`${name} ${kind}`),
  });
  assert.deepEqual(log, ["start", "other"]);
  assert.equal(outcomes.get("start")!.kind, "failed");
  assert.deepEqual(outcomes.get("cell"), { kind: "skipped", because: "start" });
  assert.deepEqual(outcomes.get("table"), { kind: "skipped", because: "cell" });
  assert.deepEqual(ended.sort(), ["cell skipped", "other done", "start failed", "table skipped"]);
});

test("an interruption and a fault of the program stop everything; a circle is told", async () => {
  const log: string[] = [];
  const interrupted = async () => {
    throw new InterruptedError();
  };
  const tasks = [recorded(log, "a", [], interrupted), recorded(log, "b")];
  await assert.rejects(runTaskGraph(tasks, { numAtOnce: 1 }), InterruptedError);
  assert.deepEqual(log, ["a"]);
  const fault = [recorded(log, "c", [], async () => assert.fail("a fault"))];
  await assert.rejects(runTaskGraph(fault, { numAtOnce: 1 }), /a fault/);
  const stop = new AbortController();
  stop.abort(new InterruptedError());
  await assert.rejects(runTaskGraph([recorded(log, "d")], { numAtOnce: 1, signal: stop.signal }), InterruptedError);
  assert.ok(!log.includes("d"));
  const circle = [recorded(log, "e", ["f"]), recorded(log, "f", ["e"])];
  await assert.rejects(runTaskGraph(circle, { numAtOnce: 1 }), /need one another/);
});

test("a process that is killed costs its task and what needs it", async () => {
  const entry = fileURLToPath(new URL("../../support/pool-task.js", import.meta.url));
  const child = (mode: string, needs: readonly string[] = []): GraphTask => ({
    name: mode,
    needs,
    run: (signal) =>
      runPool([{ name: mode, args: [mode], payload: { name: mode } }], { numProcesses: 1, signal, entry }),
  });
  const outcomes = await runTaskGraph([child("kill"), child("silent", ["kill"]), child("work")], { numAtOnce: 2 });
  const killed = outcomes.get("kill")!;
  assert.ok(killed.kind === "failed" && /the process was killed/.test(killed.error.message));
  assert.equal(outcomes.get("silent")!.kind, "skipped");
  assert.equal(outcomes.get("work")!.kind, "done");
});
