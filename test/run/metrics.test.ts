// Logs that go on where the run goes on.

import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openStepLog, readStepLog } from "../../src/run/metrics.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("openStepLog", () => {
  it("appends whole lines at once and reads them back", (t) => {
    const path = join(temporaryFolder(t), "runs/demo", "metrics.jsonl");
    using log = openStepLog(path, 0);
    log.append({ step: 0, reward: 1.5, kl: Number.NaN });
    assert.equal(readFileSync(path, "utf8"), '{"step":0,"reward":1.5,"kl":null}\n');
    assert.deepEqual(readStepLog(path), [{ step: 0, reward: 1.5, kl: null }]);
    assert.deepEqual(readStepLog(`${path}.none`), []);
  });

  it("cuts back to the step that a run resumes at, and a last line that a crash cut off", (t) => {
    const path = join(temporaryFolder(t), "runs/demo", "rollouts.jsonl");
    {
      using log = openStepLog(path, 0);
      for (const step of [0, 0, 1, 2, 3]) log.append({ step, text: "na\u00efve" });
    }
    appendFileSync(path, '{"step":4,"text":"na\u00ef');
    assert.equal(readStepLog(path).length, 5);
    {
      using log = openStepLog(path, 2);
      log.append({ step: 2, text: "again" });
    }
    assert.deepEqual(
      readStepLog(path).map(({ step, text }) => [step, text]),
      [
        [0, "na\u00efve"],
        [0, "na\u00efve"],
        [1, "na\u00efve"],
        [2, "again"],
      ],
    );
    appendFileSync(path, "{");
    openStepLog(path, 9)[Symbol.dispose]();
    assert.equal(readStepLog(path).length, 4);
    openStepLog(path, 0)[Symbol.dispose]();
    assert.equal(readFileSync(path, "utf8"), "");
  });

  it("names a broken line in the middle and a full disk", (t) => {
    const path = join(temporaryFolder(t), "runs/demo", "metrics.jsonl");
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, '{"step":0}\n{"st\n{"step":2}\n');
    assert.throws(() => readStepLog(path), {
      code: "ERR_LOG_BROKEN",
      message: /metrics\.jsonl:2: expected one JSON object with a "step", got "\{\\"st"/,
    });
    writeFileSync(path, '{"reward":0}\n');
    assert.throws(() => openStepLog(path, 0), { code: "ERR_LOG_BROKEN", message: /:1: expected one JSON object/ });
    using full = openStepLog("/dev/full", 0);
    assert.throws(() => full.append({ step: 3 }), {
      code: "ERR_DISK_FULL",
      message: /so the log of step 3 could not be written/,
    });
  });
});
