// Label strings, by the reference parser's cases.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { normaliseLabels, parseLabelString } from "../../src/emotion/labels.ts";
import { sharedPath } from "../support/shared.ts";

test("brackets, quotes and commas are the only syntax", () => {
  assert.deepEqual(parseLabelString("[happy, 'very sad',\"mad\"]"), ["happy", "very sad", "mad"]);
  assert.deepEqual(parseLabelString("[a, b]."), ["a", "b]."]);
  assert.deepEqual(parseLabelString(" [a]"), ["[a"]);
  assert.deepEqual(parseLabelString("["), []);
  assert.deepEqual(parseLabelString("don't care; mad"), ["don", "t care; mad"]);
  assert.deepEqual(parseLabelString(["x, y", " z "]), ["x, y", " z "]);
  assert.deepEqual(parseLabelString(null), []);
});

test("normalisation strips Python's white space, and only that", () => {
  assert.deepEqual(normaliseLabels([" Happy\u0085", "\u001csad\u3000", "\uFEFFmad"]), ["happy", "sad", "\uFEFFmad"]);
});

test("golden: equals the reference parser", (t) => {
  const file = sharedPath("golden/mer/parse_public.json");
  if (file === null) return t.skip("golden/mer is not beside the repository");
  const golden = JSON.parse(readFileSync(file, "utf8")) as {
    string_to_list: { input: string | string[] | null; labels?: string[]; error?: string }[];
  };
  assert.ok(golden.string_to_list.length >= 25);
  for (const { input, labels, error } of golden.string_to_list) {
    // Where the reference raises (on "[" alone) there are no labels.
    assert.deepEqual(parseLabelString(input), error === undefined ? labels : [], JSON.stringify(input));
  }
});
