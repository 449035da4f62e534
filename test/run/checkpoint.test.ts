// Checkpoints are whole or not there, whatever goes wrong while they are written.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { OppoError } from "../../src/error.ts";
import {
  latestCheckpoint,
  listCheckpoints,
  openCheckpoint,
  replaceFile,
  saveCheckpoint,
  tidyCheckpoints,
} from "../../src/run/checkpoint.ts";
import { temporaryBeside } from "../../src/temporary-files.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** The number of a process that is gone. */
const gone = spawnSync(process.execPath, ["-e", ""]).pid;

function writeModel(text: string): (directory: string) => void {
  return (directory) => {
    mkdirSync(join(directory, "optimizer"));
    writeFileSync(join(directory, "model.safetensors"), text);
    writeFileSync(join(directory, "optimizer/state.safetensors"), text);
  };
}

describe("checkpoints", () => {
  it("keeps the newest, names the latest and reads back the step", async (t) => {
    const folder = join(temporaryFolder(t), "checkpoints");
    assert.equal(latestCheckpoint(folder), null);
    for (const step of [5, 10, 15]) await saveCheckpoint(folder, step, writeModel(`weights ${step}`), { keepLast: 2 });
    assert.deepEqual(readdirSync(folder).sort(), ["latest", "step-000010", "step-000015"]);
    assert.equal(readFileSync(join(folder, "latest"), "utf8"), "step-000015\n");
    const latest = latestCheckpoint(folder);
    assert.equal(latest?.step, 15);
    assert.equal(readFileSync(join(latest.directory, "optimizer/state.safetensors"), "utf8"), "weights 15");
    assert.deepEqual(openCheckpoint(join(folder, "step-000010")), { step: 10, directory: join(folder, "step-000010") });
  });

  it("replaces one that is reached again", async (t) => {
    const folder = join(temporaryFolder(t), "checkpoints");
    await saveCheckpoint(folder, 5, writeModel("first"), { keepLast: 1 });
    await saveCheckpoint(folder, 5, writeModel("second"), { keepLast: 1 });
    assert.equal(readFileSync(join(folder, "step-000005/model.safetensors"), "utf8"), "second");
  });

  it("leaves nothing half-written when the disk fills up, and the older one stays", async (t) => {
    const folder = join(temporaryFolder(t), "checkpoints");
    await saveCheckpoint(folder, 5, writeModel("whole"), { keepLast: 1 });
    const fill = (directory: string): void => {
      writeFileSync(join(directory, "model.safetensors"), "half");
      writeFileSync("/dev/full", "x");
    };
    await assert.rejects(saveCheckpoint(folder, 10, fill, { keepLast: 1 }), (error: OppoError) => {
      assert.equal(error.code, "ERR_DISK_FULL");
      assert.match(
        error.message,
        /the disk is full \(.*\), so the checkpoint of step 10 could not be written\. Free some space and run the same command/,
      );
      return true;
    });
    assert.deepEqual(readdirSync(folder).sort(), ["latest", "step-000005"]);
    assert.equal(latestCheckpoint(folder)?.step, 5);
  });

  it("tidies up what a kill right after the new checkpoint left", async (t) => {
    const folder = join(temporaryFolder(t), "checkpoints");
    for (const step of [5, 10]) await saveCheckpoint(folder, step, writeModel("weights"), { keepLast: 9 });
    writeFileSync(join(folder, "latest"), "step-000005\n");
    tidyCheckpoints(folder, { keepLast: 1 });
    assert.deepEqual(readdirSync(folder).sort(), ["latest", "step-000010"]);
    assert.equal(readFileSync(join(folder, "latest"), "utf8"), "step-000010\n");
    truncateSync(join(folder, "step-000010/model.safetensors"), 3);
    tidyCheckpoints(folder, { keepLast: 1 });
    assert.ok(existsSync(join(folder, "step-000010")), "a damaged one is not thrown away");
    tidyCheckpoints(join(folder, "absent"), { keepLast: 1 });
  });

  it("passes other errors on as they are", async (t) => {
    const folder = join(temporaryFolder(t), "checkpoints");
    const broken = new Error("no such tensor");
    await assert.rejects(
      saveCheckpoint(folder, 1, () => Promise.reject(broken), { keepLast: 1 }),
      broken,
    );
    assert.deepEqual(readdirSync(folder), []);
  });

  it("does not take a cut one or a leftover for finished", async (t) => {
    const folder = join(temporaryFolder(t), "checkpoints");
    for (const step of [5, 10]) await saveCheckpoint(folder, step, writeModel("weights"), { keepLast: 9 });
    truncateSync(join(folder, "step-000010/model.safetensors"), 3);
    const left = temporaryBeside(join(folder, "step-000015")).replace(/-\d+-/, `-${gone}-`);
    mkdirSync(left);
    mkdirSync(join(folder, "step-000020"));
    assert.deepEqual(
      listCheckpoints(folder).map(({ step }) => step),
      [5],
    );
    assert.throws(
      () => openCheckpoint(join(folder, "step-000010")),
      (error: OppoError) =>
        error.code === "ERR_CHECKPOINT_BROKEN" &&
        /expected a whole checkpoint, got model\.safetensors with 3 bytes instead of 7\./.test(error.message),
    );
    assert.throws(() => openCheckpoint(join(folder, "step-000020")), /got a folder without checkpoint\.json/);
    await saveCheckpoint(folder, 25, writeModel("weights"), { keepLast: 9 });
    assert.equal(existsSync(left), false);
  });

  it("replaces small files in one move", (t) => {
    const folder = join(temporaryFolder(t), "checkpoints");
    mkdirSync(folder);
    replaceFile(join(folder, "results.json"), "one");
    replaceFile(join(folder, "results.json"), "two");
    assert.deepEqual(readdirSync(folder), ["results.json"]);
    assert.equal(readFileSync(join(folder, "results.json"), "utf8"), "two");
  });
});
