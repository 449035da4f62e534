// Tasks in child processes: results, progress, failures, stopping, and a parent that dies.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { InterruptedError } from "../../../src/run/interrupt.ts";
import { type PoolOptions, type PoolTask, runPool, type TaskProgress } from "../../../src/run/pool/pool.ts";

const entry = fileURLToPath(new URL("../../support/pool-task.js", import.meta.url));

function task(name: string, mode: string): PoolTask {
  return { name, args: [mode], payload: { name } };
}

function pool(tasks: readonly PoolTask[], options: Partial<PoolOptions> = {}): Promise<unknown[]> {
  return runPool(tasks, { numProcesses: 2, entry, ...options });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("runPool", () => {
  it("returns results in order and passes progress, lines and environment", async () => {
    const lines: string[] = [];
    const last = new Map<string, TaskProgress>();
    const results = await pool([task("a", "work"), task("b", "work"), task("c", "work")], {
      environment: { POOL_TEST: "yes" },
      onLine: (_, line) => lines.push(line),
      onProgress: ({ name }, progress) => last.set(name, progress),
    });
    assert.deepEqual(
      results,
      ["a", "b", "c"].map((name) => ({ name, environment: "yes" })),
    );
    assert.deepEqual(lines.sort(), ["hello from a", "hello from b", "hello from c"]);
    assert.deepEqual(last.get("c"), { done: 3, total: 3, detail: "c" });
    assert.deepEqual(await pool([]), []);
  });

  it("tells of every task that is done at once, also where another fails after it", async () => {
    const done: string[] = [];
    const onDone = ({ name }: PoolTask) => done.push(name);
    const tasks = [task("a", "work"), task("bad", "fail"), task("never", "work")];
    await assert.rejects(pool(tasks, { numProcesses: 1, onDone }), { code: "ERR_TEST" });
    assert.deepEqual(done, ["a"]);
  });

  it("tells the first failure in the child's own words and stops the others", async () => {
    await assert.rejects(pool([task("slow", "wait"), task("bad", "fail"), task("never", "work")]), {
      code: "ERR_TEST",
      message: /^bad: the clip is broken$/,
    });
  });

  it("says how a child ended that could not say it itself", async () => {
    await assert.rejects(pool([task("t", "crash")]), {
      code: "ERR_POOL_CHILD",
      message: /^t: .*ended with exit code 1\. Its last lines: .*something unforeseen/,
    });
    await assert.rejects(pool([task("t", "kill")]), {
      code: "ERR_POOL_CHILD",
      message: /^t: .*was killed, probably for want of memory/,
    });
    await assert.rejects(pool([task("t", "silent")]), { code: "ERR_POOL_CHILD", message: /^t: .*ended without one/ });
  });

  it("asks its children to stop and throws the reason", async () => {
    const controller = new AbortController();
    const reason = new Error("stop now");
    const onProgress = (_: PoolTask, progress: TaskProgress): void => {
      if (progress.done === 0) controller.abort(reason);
    };
    await assert.rejects(
      pool([task("a", "wait"), task("b", "wait")], { signal: controller.signal, onProgress }),
      reason,
    );
    await assert.rejects(pool([task("a", "work")], { signal: controller.signal }), reason);
  });

  it("takes a child that was interrupted alone for an interrupt of the whole", async () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      let isSent = false;
      const onProgress = (_: PoolTask, progress: TaskProgress): void => {
        if (progress.done === 0 && !isSent) isSent = process.kill(Number(progress.detail), signal);
      };
      await assert.rejects(pool([task("a", "wait")], { onProgress }), (error) => error instanceof InterruptedError);
    }
  });

  it("leaves no orphan when the parent dies", async () => {
    // A parent that forks the waiting child, passes on its process number, and is then killed.
    const source = `
      import { fork } from "node:child_process";
      const child = fork(${JSON.stringify(entry)}, ["wait"], { env: { OPPO_POOL_CHILD: "1" }, execArgv: [] });
      child.on("message", (message) => { if (message.progress?.total === 1) console.log(message.progress.detail); });
      child.send({ kind: "start", payload: { name: "x" } });`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", source], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = await new Promise<number>((resolve) => {
      let output = "";
      parent.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const line = /^\d+$/m.exec(output);
        if (line !== null) resolve(Number(line[0]));
      });
    });
    assert.ok(isAlive(pid));
    parent.kill("SIGKILL");
    const deadline = performance.now() + 5000;
    while (isAlive(pid) && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(isAlive(pid), false);
  });
});
