// Temporary names tell whose they are; what a killed process left goes, what is being written and what is others' stays.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { isRunning, makeTemporaryFolder, startOf, sweepTemporaries, temporaryBeside } from "../src/temporary-files.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

/** The number of a process that is gone. */
const gone = spawnSync(process.execPath, ["-e", ""]).pid;

test("what processes that are gone left is removed, and nothing else", (t) => {
  const folder = temporaryFolder(t);
  const own = temporaryBeside(join(folder, "a.bin"));
  assert.match(basename(own), /^a\.bin\.partial-\d+-[0-9a-f]{8}$/);
  const host = own.slice(-8);
  const otherHost = `${host.startsWith("0") ? "1" : "0"}${host.slice(1)}`;
  const kept = [basename(own), `a.partial-${gone}-${otherHost}`, `a.partial-${process.ppid}-${host}`, "a.partial", "b"];
  for (const name of kept) writeFileSync(join(folder, name), "");
  writeFileSync(join(folder, `a.partial-${gone}-${host}`), "");
  mkdirSync(join(folder, `step-1.partial-${gone}-${host}`, "deep"), { recursive: true });
  sweepTemporaries(folder);
  assert.deepEqual(readdirSync(folder).sort(), [...kept].sort());
  sweepTemporaries(join(folder, "absent"));
});

test("the first write into a folder and the first folder below the system's do the same", (t) => {
  const folder = temporaryFolder(t);
  const host = temporaryBeside("x").slice(-8);
  const left = join(folder, `x.partial-${gone}-${host}`);
  writeFileSync(left, "");
  temporaryBeside(join(folder, "y"));
  assert.equal(existsSync(left), false);
  const first = makeTemporaryFolder("test");
  t.after(() => rmSync(first, { recursive: true }));
  assert.ok(first.includes(`oppo-test-${process.pid}-${host}-`), first);
});

test("a zombie does not run", { skip: process.platform !== "linux" }, async () => {
  // The shell's child ends at once, and the program that takes the shell's place never asks for its exit status.
  const parent = spawn("sh", ["-c", "sh -c 'echo $$' & exec sleep 20"], { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = await once(parent.stdout, "data");
  const child = Number(String(line));
  for (let tries = 0; isRunning(child) && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(isRunning(child), false);
  assert.doesNotThrow(() => process.kill(child, 0), "control: it is still there as a zombie");
  assert.equal(isRunning(parent.pid!), true);
  assert.notEqual(startOf(parent.pid!), "");
  assert.equal(isRunning(process.pid), true);
  parent.kill("SIGKILL");
});
