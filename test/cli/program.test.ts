// Exit codes and messages, seen from the outside: what a person and a shell get for everything that can go wrong.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runPool } from "../../src/run/pool/pool.ts";
import { packageVersion } from "../../src/run/versions.ts";
import { repositoryRoot } from "../support/repository.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");
const fixture = fileURLToPath(new URL("../support/cli-commands.js", import.meta.url));

function run(script: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

describe("oppo", () => {
  it("prints its version and help", () => {
    assert.deepEqual(run(main, "--version"), { status: 0, stdout: `${packageVersion()}\n`, stderr: "" });
    const help = run(main, "--help");
    assert.equal(help.status, 0);
    assert.match(help.stdout, /Usage: oppo[\s\S]*doctor/);
    assert.doesNotMatch(run(main, "score", "--help").stdout, /default: \[\]/);
    const ofCommand = run(main, "doctor", "--help");
    assert.equal(ofCommand.status, 0);
    assert.match(ofCommand.stdout, /Usage: oppo doctor[\s\S]*--json[\s\S]*--verbose/);
  });

  it("ends with 2 when it is used wrongly", () => {
    const bare = run(main);
    assert.equal(bare.status, 2);
    assert.match(bare.stderr, /^Usage: oppo/);
    assert.deepEqual(run(main, "docter"), {
      status: 2,
      stdout: "",
      stderr: "oppo: unknown command 'docter' (Did you mean doctor?). Run with --help for what there is. [ERR_USAGE]\n",
    });
    assert.match(run(main, "doctor", "--jsn").stderr, /^oppo: unknown option '--jsn' \(Did you mean --json\?\)/);
    assert.match(run(fixture, "fail").stderr, /^oppo: required option '--how <way>' not specified\. Run with --help/);
  });

  it("a command that waits for what never comes ends with 1 and says so; one that waits for what comes does not", () => {
    const never = "oppo: a fault in oppo itself: the command waits for something that never comes. ";
    const { status, stderr } = run(fixture, "fail", "--how", "never");
    assert.equal(status, 1);
    assert.ok(stderr.startsWith(never) && stderr.endsWith("[ERR_INTERNAL]\n"), stderr);
    assert.match(run(fixture, "fail", "--how", "never", "--json").stdout, /"code":"ERR_INTERNAL"/);
    assert.deepEqual(run(fixture, "fail", "--how", "late"), { status: 0, stdout: "", stderr: "" });
  });

  it("ends with 1 and one sentence when something fails", () => {
    assert.deepEqual(run(fixture, "fail", "--how", "ours"), {
      status: 1,
      stdout: "",
      stderr: "oppo: clip.mp4: expected a video, got 3 bytes. Check the file. [ERR_TEST]\n",
    });
    assert.deepEqual(run(fixture, "fail", "--how", "system"), {
      status: 1,
      stdout: "",
      stderr: "oppo: /nowhere/at/all: expected it to exist, got nothing there. Check the path. [ERR_SYSTEM]\n",
    });
    assert.match(run(fixture, "fail", "--how", "full").stderr, /^oppo: the disk is full, .* \[ERR_DISK_FULL\]\n$/);
    assert.match(
      run(fixture, "fail", "--how", "fault").stderr,
      /^oppo: a fault in oppo itself: x is undefined\. Run the same with --verbose.* \[ERR_INTERNAL\]\n$/,
    );
  });

  it("shows the stack only when asked, and errors as JSON when asked", () => {
    assert.match(
      run(fixture, "fail", "--how", "ours", "--verbose").stderr,
      /\[ERR_TEST\]\nOppoError: clip\.mp4.*\n +at /,
    );
    const { status, stdout, stderr } = run(fixture, "fail", "--how", "ours", "--json");
    assert.deepEqual([status, stderr], [1, ""]);
    assert.deepEqual(JSON.parse(stdout), {
      schema: "oppo.error/1",
      error: { code: "ERR_TEST", message: "clip.mp4: expected a video, got 3 bytes. Check the file." },
    });
  });

  it("survives a reader that goes away", async () => {
    const child = spawn(process.execPath, [main, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
    // Closed long before the child has loaded and writes.
    child.stdout.destroy();
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const [code] = await once(child, "close");
    assert.deepEqual([code, stderr], [0, ""]);
  });
});

describe("a long command", () => {
  it("stops at its next safe point after one Ctrl-C, with 130 and a sentence", async () => {
    const child = spawn(process.execPath, [fixture, "wait"], { stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    await once(child.stdout, "data");
    child.kill("SIGINT");
    const [code] = await once(child, "close");
    assert.equal(code, 130);
    assert.match(
      stderr,
      /Stopping after the current step[\s\S]*oppo: Interrupted\. What was finished is kept; the same command goes on from it\. \[ERR_INTERRUPTED\]\n$/,
    );
  });

  it("runs as a pool's child too: payload in, progress and result out, failures in its own words", async () => {
    const options = { numProcesses: 1, entry: fixture };
    const totals: number[] = [];
    const results = await runPool([{ name: "arm", args: ["wait"], payload: { seed: 3 } }], {
      ...options,
      onProgress: (_, progress) => totals.push(progress.total),
    });
    assert.deepEqual(results, [{ steps: 3 }]);
    assert.equal(totals[0], 1000);
    await assert.rejects(runPool([{ name: "arm", args: ["fail", "--how", "ours"] }], options), {
      code: "ERR_TEST",
      message: "arm: clip.mp4: expected a video, got 3 bytes. Check the file.",
    });
  });
});

describe("oppo doctor", () => {
  it("finds libtorch and the codecs working, as text and as JSON", () => {
    const { status, stdout, stderr } = run(main, "doctor", "--json");
    assert.equal(status, 0, stdout + stderr);
    const found = JSON.parse(stdout);
    assert.deepEqual(Object.keys(found), [
      "schema",
      "oppo",
      "node",
      "machine",
      "disk",
      "home",
      "compiler",
      "libtorch",
      "addon",
      "codecs",
    ]);
    assert.match(found.addon.values.version, /^\d+\.\d+/);
    assert.deepEqual(found.codecs.values, { video: "h264", audio: "aac" });
    assert.ok(found.disk.values.freeBytes > 0);
  });

  it("says of an addon that is missing how to get it, and of one that does not load", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "oppo-doctor-test-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const addon = join(folder, "oppo_native.node");
    const doctor = (environment: NodeJS.ProcessEnv) => {
      const result = spawnSync(process.execPath, [main, "doctor"], {
        encoding: "utf8",
        env: { ...process.env, ...environment },
      });
      return { status: result.status, text: result.stdout + result.stderr };
    };
    const missing = doctor({ OPPO_NATIVE: addon, CXX: "/nowhere/c++" });
    assert.equal(missing.status, 1);
    assert.match(missing.text, /NO +addon +not built yet .*\n +-> npm run setup\n/);
    assert.match(missing.text, /NO +compiler +no \/nowhere\/c\+\+\n +-> a C\+\+ compiler: /);
    writeFileSync(addon, "not a library");
    const broken = doctor({ OPPO_NATIVE: addon });
    assert.equal(broken.status, 1);
    assert.match(broken.text, /NO +addon .*expected the native addon to load, got .*\n +-> npm run setup\n/);
    assert.match(broken.text, /ok +codecs/);
  });
});
