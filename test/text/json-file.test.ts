// Errors of the JSON reader carry the caller's code, the file and what came.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { readJsonFile, requireObject } from "../../src/text/json-file.ts";

test("reads an object; a missing file, damaged JSON and other values are told apart", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "oppo-json-"));
  try {
    writeFileSync(path.join(directory, "good.json"), '{"a": [1]}');
    writeFileSync(path.join(directory, "bad.json"), '{"a": ');
    writeFileSync(path.join(directory, "list.json"), "[1]");
    assert.deepEqual(readJsonFile(directory, "good.json", "ERR_FILE"), { a: [1] });
    const failing: readonly [string, RegExp][] = [
      ["none.json", /none\.json: expected a readable file, got Error: ENOENT/],
      ["bad.json", /bad\.json: expected JSON, got SyntaxError/],
      ["list.json", /list\.json: expected an object, got an array/],
    ];
    for (const [name, message] of failing) {
      assert.throws(() => readJsonFile(directory, name, "ERR_FILE"), { code: "ERR_FILE", message });
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("requireObject names what it got", () => {
  for (const [value, got] of [
    [null, "null"],
    ["s", "string"],
    [undefined, "undefined"],
  ] as const) {
    assert.throws(() => requireObject(value, "here", "ERR_VALUE"), {
      code: "ERR_VALUE",
      message: new RegExp(`here: expected an object, got ${got}`),
    });
  }
});
