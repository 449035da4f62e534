// One process per run, and the record of what it ran with.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readConfigFile } from "../../src/run/config.ts";
import { openRunDirectory, type RunFacts } from "../../src/run/run-directory.ts";
import { readVersions } from "../../src/run/versions.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function facts(config: unknown, mayChange: readonly string[] = []): RunFacts {
  return { config, mayChange, versions: readVersions("1.13.1"), seeds: [7], device: "cpu" };
}

describe("openRunDirectory", () => {
  it("writes configuration and versions first, and tells a new run from one that goes on", (t) => {
    const path = join(temporaryFolder(t), "runs/demo");
    const config = { seed: 7, training: { numSteps: 10, learningRate: 1e-6 } };
    {
      using run = openRunDirectory(path, facts(config));
      assert.equal(run.isResumed, false);
      assert.deepEqual(readConfigFile(run.configFile).values, config);
      const record = JSON.parse(readFileSync(join(path, "run.json"), "utf8"));
      assert.deepEqual(
        [record.seeds, record.device, record.versions.libtorch, record.versions.node],
        [[7], "cpu", "1.13.1", process.versions.node],
      );
      assert.ok(existsSync(join(path, "run.lock")));
    }
    assert.equal(existsSync(join(path, "run.lock")), false);
    const longer = { ...config, training: { ...config.training, numSteps: 20 } };
    using again = openRunDirectory(path, facts(longer, ["training.numSteps"]));
    assert.equal(again.isResumed, true);
    assert.deepEqual(readConfigFile(again.configFile).values, longer);
  });

  it("refuses another configuration and gives the lock back", (t) => {
    const path = join(temporaryFolder(t), "runs/demo");
    openRunDirectory(path, facts({ seed: 7 }))[Symbol.dispose]();
    assert.throws(() => openRunDirectory(path, facts({ seed: 8 })), {
      code: "ERR_RUN_DIFFERS",
      message: /got other values of seed\. Choose another folder/,
    });
    assert.equal(existsSync(join(path, "run.lock")), false);
    openRunDirectory(path, facts({ seed: 7, optional: undefined }))[Symbol.dispose]();
  });

  it("refuses a run that a living process holds, and takes over from a dead one", async (t) => {
    const path = join(temporaryFolder(t), "runs/demo");
    using run = openRunDirectory(path, facts({}));
    assert.throws(() => openRunDirectory(run.path, facts({})), {
      code: "ERR_RUN_LOCKED",
      message: new RegExp(`held by process ${process.pid}\\. Wait for it`),
    });
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "close");
    for (const holder of [
      JSON.stringify({ pid: child.pid, host: hostname(), started: "1" }),
      // The number lives on as another process: this one, which started at another time.
      JSON.stringify({ pid: process.pid, host: hostname(), started: "1" }),
      "cut off by a cra",
    ]) {
      writeFileSync(join(path, "run.lock"), holder);
      openRunDirectory(path, facts({}))[Symbol.dispose]();
    }
    writeFileSync(join(path, "run.lock"), JSON.stringify({ pid: 1, host: "elsewhere", started: "" }));
    assert.throws(() => openRunDirectory(path, facts({})), {
      code: "ERR_RUN_LOCKED",
      message: /held by process 1 on elsewhere/,
    });
  });
});
