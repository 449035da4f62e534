// A log that grows, is cut back, is replaced, goes away, has giant and broken lines.
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { LineTail, parseRow } from "../../../src/serve/studio/logs/line-tail.ts";
import { readTail } from "../../../src/serve/studio/logs/safe-read.ts";

async function withTail(
  body: (file: string, tail: LineTail, seen: string[]) => Promise<void>,
  maxLineBytes = 5_000_000,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oppo-tail-"));
  const seen: string[] = [];
  const file = join(folder, "log.jsonl");
  const tail = new LineTail(file, "log.jsonl", {
    maxLineBytes,
    onReset: () => seen.splice(0),
    onLine: (line) => {
      seen.push(line.text ?? `giant of ${line.length} at ${line.offset}`);
      const parsed = parseRow(line);
      return "problem" in parsed ? parsed.problem : null;
    },
  });
  try {
    await body(file, tail, seen);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("a tail of lines", () => {
  test("reads what was added, once, and waits for a line's end", () =>
    withTail(async (file, tail, seen) => {
      await tail.catchUp();
      writeFileSync(file, '{"step":0}\n{"step":');
      await tail.catchUp();
      assert.deepEqual(seen, ['{"step":0}']);
      assert.equal(tail.state().halfWritten, '{"step":'.length);
      appendFileSync(file, '1}\n{"step":2}\n');
      await tail.catchUp();
      assert.deepEqual(seen, ['{"step":0}', '{"step":1}', '{"step":2}']);
      assert.deepEqual(tail.state(), {
        name: "log.jsonl",
        numRows: 3,
        halfWritten: 0,
        numBroken: 0,
        firstBroken: null,
      });
      assert.ok(tail.isWhole);
    }));

  test("begins anew where a file was cut back, replaced or written over, and forgets one that is gone", () =>
    withTail(async (file, tail, seen) => {
      writeFileSync(file, '{"step":0}\n{"step":1}\n');
      await tail.catchUp();
      truncateSync(file, 11);
      await tail.catchUp();
      assert.deepEqual(seen, ['{"step":0}']);
      // cut back, and longer than before by the next look
      writeFileSync(file, '{"step":5}\n{"step":6}\n{"step":7}\n');
      await tail.catchUp();
      assert.deepEqual(seen, ['{"step":5}', '{"step":6}', '{"step":7}']);
      rmSync(file);
      await tail.catchUp();
      assert.deepEqual(seen, []);
      assert.equal(tail.state().numRows, 0);
      assert.ok(tail.generation >= 3);
    }));

  test("a half-written line that was written anew is not joined to what came after", () =>
    withTail(async (file, tail, seen) => {
      writeFileSync(file, '{"step":0}\n{"step":1,"half');
      await tail.catchUp();
      truncateSync(file, 11);
      appendFileSync(file, '{"step":1}\n{"step":2,"longer":true}\n');
      await tail.catchUp();
      assert.deepEqual(seen, ['{"step":0}', '{"step":1}', '{"step":2,"longer":true}']);
    }));

  test("broken, giant and long lines are told apart", () =>
    withTail(async (file, tail, seen) => {
      const long = `{"step":1,"text":"${"x".repeat(2_500_000)}"}`;
      const giant = "y".repeat(6_000_000);
      writeFileSync(file, `{"step":0}\nnot json\n[1]\n{"no":"step"}\n${long}\n${giant}\n{"step":2}\n`);
      await tail.catchUp();
      assert.equal(seen.length, 7);
      assert.equal(seen[4], long);
      assert.match(seen[5]!, /^giant of 6000000/);
      assert.equal(seen[6], '{"step":2}');
      const { numRows, numBroken, firstBroken } = tail.state();
      assert.deepEqual([numRows, numBroken, firstBroken], [3, 4, "line 2: not JSON"]);
    }));

  test("a link is not followed", () =>
    withTail(async (file, tail, seen) => {
      symlinkSync("/etc/passwd", file);
      await tail.catchUp();
      assert.deepEqual(seen, []);
      assert.equal(readTail(file, 100), "");
    }));
});
