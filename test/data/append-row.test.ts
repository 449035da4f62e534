// A journal only grows: what stood there stays byte for byte, half a line is closed and left, links are refused.
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Decision, parseDecision } from "../../src/corpus/review/decision.ts";
import { appendRow } from "../../src/data/append-row.ts";

const folder = mkdtempSync(join(tmpdir(), "oppo-journal-"));
after(() => rmSync(folder, { recursive: true }));

const decision = (id: string): Decision => ({
  ...{ version: 1, id, at: "2026-03-01T10:00:00.000Z", by: "ada", sample: "s", act: "accept" },
  cue: { kind: "video", text: "a smile" },
});

test("lines are added; half a line of a process that was killed stays one that nobody takes for a decision", () => {
  const path = join(folder, "new", "a.annotations.jsonl");
  appendRow(path, decision("decision-1"));
  appendRow(path, decision("decision-2"));
  const before = readFileSync(path, "utf8");
  const half = JSON.stringify(decision("decision-3")).slice(0, 40);
  appendFileSync(path, half);
  appendRow(path, decision("decision-4"));
  const text = readFileSync(path, "utf8");
  assert.ok(text.startsWith(before + half));
  const parsed = text.trimEnd().split("\n").map(parseDecision);
  assert.deepEqual(
    parsed.map((one) => ("decision" in one ? one.decision.id : "none")),
    ["decision-1", "decision-2", "none", "decision-4"],
  );
});

test("a link in the corpus' folder leads nowhere", () => {
  const target = join(folder, "precious.txt");
  writeFileSync(target, "mine\n");
  symlinkSync(target, join(folder, "b.annotations.jsonl"));
  assert.throws(() => appendRow(join(folder, "b.annotations.jsonl"), decision("decision-1")), /ELOOP|link/);
  assert.equal(readFileSync(target, "utf8"), "mine\n");
});
