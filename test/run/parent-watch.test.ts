// A program under a shell under something that calls itself npm: it notices when that is killed, and only then.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { npmAbove, watchParents } from "../../src/run/parent-watch.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const watchModule = new URL("../../src/run/parent-watch.js", import.meta.url).href;
const ended = "npm is gone";
const limitMs = 5000;
/** Several looks at the parent. */
const patienceMs = 300;

interface Family {
  readonly top: ChildProcess;
  readonly log: string;
}

/** `title` -> sh -> the program that watches; its log begins with its process id. */
async function family(t: TestContext, title: string): Promise<Family> {
  const folder = temporaryFolder(t);
  const log = join(folder, "log");
  const program = join(folder, "program.mjs");
  const top = join(folder, "top.mjs");
  writeFileSync(
    program,
    `import { appendFileSync } from "node:fs";
     import { npmAbove, watchParents } from ${JSON.stringify(watchModule)};
     const done = (text) => { appendFileSync(${JSON.stringify(log)}, text); process.exit(); };
     watchParents(npmAbove(process.env), () => done(${JSON.stringify(ended)}), 50);
     appendFileSync(${JSON.stringify(log)}, process.pid + "\\n");
     setTimeout(() => done("nothing happened"), ${limitMs});`,
  );
  writeFileSync(
    top,
    `import { spawn } from "node:child_process";
     process.title = ${JSON.stringify(title)};
     spawn("sh", ["-c", ${JSON.stringify(`'${process.execPath}' '${program}'; true`)}], { stdio: "ignore" });
     setTimeout(() => {}, ${2 * limitMs});`,
  );
  const child = spawn(process.execPath, [top], { stdio: "ignore", env: { ...process.env, npm_command: "exec" } });
  t.after(() => {
    child.kill("SIGKILL");
    try {
      process.kill(programOf(log), "SIGKILL");
    } catch {
      // It ended by itself.
    }
  });
  await waitFor(log, "\n");
  return { top: child, log };
}

function programOf(log: string): number {
  return Number(readFileSync(log, "utf8").split("\n")[0]);
}

async function waitFor(log: string, text: string): Promise<void> {
  const end = performance.now() + limitMs;
  while (!existsSync(log) || !readFileSync(log, "utf8").includes(text)) {
    assert.ok(performance.now() < end, `${log}: expected "${text}"`);
    await sleep(20);
  }
}

async function kill({ top }: Family): Promise<void> {
  top.kill("SIGKILL");
  await once(top, "exit");
}

test("the end of npm is noticed, also behind a shell that stays", async (t) => {
  const npm = await family(t, "npm exec oppo serve");
  await sleep(patienceMs);
  assert.doesNotMatch(readFileSync(npm.log, "utf8"), /gone/);
  await kill(npm);
  await waitFor(npm.log, ended);
});

test("what another program started outlives it", async (t) => {
  const other = await family(t, "a shell of a person");
  await kill(other);
  await sleep(patienceMs);
  assert.doesNotMatch(readFileSync(other.log, "utf8"), /gone/);
  process.kill(programOf(other.log), 0);
});

test("without npm there is nothing to watch", async () => {
  let numCalls = 0;
  using _ = watchParents(npmAbove({}), () => numCalls++, 1);
  await sleep(20);
  assert.equal(numCalls, 0);
});
