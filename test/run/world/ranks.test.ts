// Ranks that fail, as scripts of a line: whose end is told, and that nobody is left.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runRanks } from "../../../src/run/world/ranks.ts";
import { hasProcesses, isRunning } from "../../support/processes.ts";

const waits = "setTimeout(() => undefined, 600_000);";
const lost = 'console.error("oppo: lost rank 1 [ERR_RANK_LOST]"); process.exit(1);';

/** @param scripts of the ranks, each of which says its process id first @returns the failure and the ids */
async function failureOf(scripts: readonly string[]) {
  const pids: number[] = [];
  const script = scripts.map((text, rank) => `if (process.env.RANK === "${rank}") { ${text} }`).join("\n");
  // None fails before all have said who they are.
  const command = ["-e", `process.on("SIGUSR2", () => { ${script} }); console.log(process.pid); ${waits}`];
  const failure = await runRanks({
    ...{ processes: scripts.length, command, environment: {}, signal: new AbortController().signal },
    onLine: (_, stream, line) => {
      if (stream === "out" && pids.push(Number(line)) === scripts.length) {
        for (const pid of pids) process.kill(pid, "SIGUSR2");
      }
    },
  }).then(
    () => null,
    (error: Error) => error,
  );
  return { failure, pids };
}

test("a rank that is ended is the reason, and ends those that wait", { skip: !hasProcesses }, async () => {
  const { failure, pids } = await failureOf(["", 'process.kill(process.pid, "SIGKILL");', ""]);
  assert.match(failure!.message, /^rank 1 of 3: .*it was ended by SIGKILL/);
  assert.equal(pids.length, 3);
  assert.deepEqual(pids.filter(isRunning), []);
});

test("a rank that fails because another one is lost waits for the other's reason", {
  skip: !hasProcesses,
}, async () => {
  const late = 'setTimeout(() => { console.error("oppo: no room [ERR_MEMORY]"); process.exit(1); }, 300);';
  const { failure, pids } = await failureOf([lost, late]);
  assert.match(failure!.message, /^rank 1 of 2: .*exit code 1.*no room \[ERR_MEMORY\]/);
  assert.deepEqual(pids.filter(isRunning), []);
});

test("where the other one says nothing, who was left is told, and all are ended", { skip: !hasProcesses }, async () => {
  const { failure, pids } = await failureOf([lost, ""]);
  assert.match(failure!.message, /^rank 0 of 2: .*\[ERR_RANK_LOST\]/);
  assert.deepEqual(pids.filter(isRunning), []);
});
