// One holder at a time, whatever races and whoever was killed.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { lockRun } from "../../src/run/run-lock.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const racer = fileURLToPath(new URL("../support/lock-racer.js", import.meta.url));
const gone = spawnSync(process.execPath, ["-e", ""]).pid;

test("processes that race for a lock, free or left by a killed one, hold it one at a time", async (t) => {
  const folder = temporaryFolder(t);
  const racers = Array.from({ length: 4 }, () =>
    spawn(process.execPath, [racer, folder, "60", String(gone)], { stdio: "inherit" }),
  );
  t.after(() => {
    for (const child of racers) child.kill("SIGKILL");
  });
  const codes = await Promise.all(racers.map(async (child) => (await once(child, "close"))[0]));
  assert.deepEqual(codes, [0, 0, 0, 0], "3: two held it at once");
  lockRun(folder)();
  assert.deepEqual(readdirSync(folder), [], "nothing is left");
});

test("a killed holder's lock, and one that a crash of the machine cut, are taken over", (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "run.lock");
  const dead = (token: string) => JSON.stringify({ pid: gone, host: hostname(), started: "1", token });
  writeFileSync(file, "cut");
  lockRun(folder)();
  assert.equal(existsSync(file), false);
  writeFileSync(file, dead("a"));
  const release = lockRun(folder);
  assert.equal(JSON.parse(readFileSync(file, "utf8")).pid, process.pid);
  assert.throws(() => lockRun(folder), { code: "ERR_RUN_LOCKED" });
  release();
  assert.deepEqual(readdirSync(folder), []);
});

test("a claim keeps others away while its process lives, and no longer", (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "run.lock");
  const text = JSON.stringify({ pid: gone, host: hostname(), started: "1", token: "a" });
  const claim = `${file}-${createHash("sha256").update(text).digest("hex").slice(0, 12)}`;
  writeFileSync(file, text);
  writeFileSync(claim, JSON.stringify({ pid: 1, host: "elsewhere", started: "", token: "b" }));
  assert.throws(() => lockRun(folder), { code: "ERR_RUN_LOCKED", message: /held by process 1 on elsewhere/ });
  writeFileSync(claim, JSON.stringify({ pid: gone, host: hostname(), started: "1", token: "b" }));
  lockRun(folder)();
  assert.deepEqual(readdirSync(folder), []);
});
