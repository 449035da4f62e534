// Disk space: asked for before a write, and named when it runs out.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { OppoError } from "../../src/error.ts";
import {
  bytesBelow,
  diskFullError,
  formatBytes,
  freeBytes,
  isDiskFull,
  requireFreeSpace,
  requireSpaceForRest,
  whyNoFolder,
} from "../../src/run/disk.ts";

const folder = mkdtempSync(join(tmpdir(), "oppo-run-"));
after(() => rmSync(folder, { recursive: true }));

describe("disk space", () => {
  it("passes when there is room and says how much is missing when there is not", () => {
    assert.ok(freeBytes(join(folder, "not", "yet", "there")) > 0);
    requireFreeSpace(folder, 1, "a test");
    assert.throws(
      () => requireFreeSpace(folder, 2 ** 60, "the clips"),
      (error: OppoError) =>
        error.code === "ERR_DISK_SPACE" &&
        /expected 1048576 TB of free disk for the clips, got .* Free some space/.test(error.message),
    );
  });

  it("knows a full disk, also behind another error", () => {
    let full: unknown;
    try {
      writeFileSync("/dev/full", "x");
    } catch (error) {
      full = error;
    }
    assert.equal(isDiskFull(full), true);
    assert.equal(isDiskFull(new Error("outer", { cause: full })), true);
    assert.equal(isDiskFull(new Error("other")), false);
    const sentence = diskFullError(folder, "the checkpoint of step 3", full);
    assert.equal(sentence.code, "ERR_DISK_FULL");
    assert.match(sentence.message, /the disk is full \(.* free\), so the checkpoint of step 3 could not be written/);
  });

  it("counts what lies below a folder", () => {
    assert.equal(bytesBelow(join(folder, "absent")), 0);
    mkdirSync(join(folder, "deep", "deeper"), { recursive: true });
    writeFileSync(join(folder, "deep", "a"), "12345");
    writeFileSync(join(folder, "deep", "deeper", "b"), "678");
    assert.equal(bytesBelow(join(folder, "deep")), 8);
  });

  it("asks for the rest only, where something goes on", () => {
    const run = join(folder, "run");
    mkdirSync(run);
    writeFileSync(join(run, "there"), "x".repeat(1000));
    assert.throws(() => requireSpaceForRest(run, 1000 + 2 ** 60, "the run"), /expected 1048576 TB of free disk/);
    requireSpaceForRest(run, 1000, "the run");
    assert.throws(() => requireFreeSpace(run, Number.POSITIVE_INFINITY, "the run"), { code: "ERR_DISK_SPACE" });
  });

  const readOnly = (existsSync("/proc/mounts") ? readFileSync("/proc/mounts", "utf8") : "")
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, , , options]) => options?.split(",").includes("ro"))?.[1];
  it("tells a read-only disk from a path that is not there", { skip: readOnly === undefined }, () => {
    assert.equal(whyNoFolder(join(readOnly!, "a/b")), "EROFS");
    assert.equal(whyNoFolder(join(folder, "absent/b")), "ENOENT");
  });

  it("writes sizes for people", () => {
    assert.deepEqual([0, 1023, 1536, 150 * 2 ** 20].map(formatBytes), ["0 B", "1023 B", "1.5 KB", "150 MB"]);
  });
});
