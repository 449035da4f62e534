// The few forms of failure that are hard to bring about from the outside.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeFailure, formatFailure } from "../../src/cli/base/failure.ts";
import { OppoError } from "../../src/error.ts";
import { InterruptedError } from "../../src/run/interrupt.ts";

describe("describeFailure", () => {
  it("knows permissions, interrupts and things that are no errors", () => {
    const denied = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES", path: "runs/demo" });
    assert.deepEqual(
      [describeFailure(denied).message, describeFailure(denied).exitCode],
      [
        "runs/demo: expected the right to use it, got permission denied. Change its permissions or choose another path.",
        1,
      ],
    );
    assert.deepEqual(
      [describeFailure(new InterruptedError()).exitCode, describeFailure(new InterruptedError()).code],
      [130, "ERR_INTERRUPTED"],
    );
    assert.match(describeFailure("a string").message, /^a fault in oppo itself: a string\. /);
    assert.equal(describeFailure(undefined).code, "ERR_INTERNAL");
  });

  it("says that a disk is full also when libtorch or FFmpeg said it first", () => {
    const outer = new Error("cannot write", { cause: new Error("write: No space left on device") });
    assert.equal(describeFailure(outer).code, "ERR_DISK_FULL");
    const cause = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    const ours = new OppoError("ERR_CHECKPOINT_WRITE", "m.safetensors: cannot be written.", { cause });
    assert.equal(
      describeFailure(ours).message,
      "m.safetensors: cannot be written. Free some space and run the same command again; it goes on from what is finished.",
    );
    const other = new OppoError("ERR_CHECKPOINT_WRITE", "m.safetensors: cannot be written.");
    assert.equal(describeFailure(other).message, other.message);
  });
});

describe("formatFailure", () => {
  it("carries the stack in JSON only when asked", () => {
    const failure = { code: "ERR_X" as const, message: "m", exitCode: 1, stack: "s" };
    assert.deepEqual(JSON.parse(formatFailure(failure, { json: true, verbose: false })), {
      schema: "oppo.error/1",
      error: { code: "ERR_X", message: "m" },
    });
    assert.deepEqual(JSON.parse(formatFailure(failure, { json: true, verbose: true })), {
      schema: "oppo.error/1",
      error: { code: "ERR_X", message: "m", stack: "s" },
    });
  });
});
