// Ctrl-C: the first asks, the second ends.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InterruptedError, listenForInterrupt } from "../../src/run/interrupt.ts";

describe("interrupt", () => {
  it("asks at the first signal and ends at the second", async () => {
    const codes: number[] = [];
    let numRequests = 0;
    using interrupt = listenForInterrupt({ exit: (code) => codes.push(code), onRequest: () => numRequests++ });
    await interrupt.safePoint();
    process.kill(process.pid, "SIGINT");
    await assert.rejects(
      interrupt.safePoint(),
      (error) => error instanceof InterruptedError && error.code === "ERR_INTERRUPTED",
    );
    assert.deepEqual([codes, numRequests, interrupt.signal.aborted], [[], 1, true]);
    process.kill(process.pid, "SIGTERM");
    await assert.rejects(interrupt.safePoint(), InterruptedError);
    assert.deepEqual([codes, numRequests], [[130], 1]);
  });

  it("stops listening when disposed", () => {
    const before = process.listenerCount("SIGINT");
    listenForInterrupt()[Symbol.dispose]();
    assert.equal(process.listenerCount("SIGINT"), before);
  });
});
