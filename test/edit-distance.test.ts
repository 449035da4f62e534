// Levenshtein distance, by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance } from "../src/edit-distance.ts";

test("letters to insert, delete or replace", () => {
  for (const [left, right, distance] of [
    ["", "", 0],
    ["", "abc", 3],
    ["kitten", "sitting", 3],
    ["abc", "acb", 2],
    ["same", "same", 0],
  ] as const) {
    assert.equal(editDistance(left, right), distance, `${left} ${right}`);
    assert.equal(editDistance(right, left), distance);
  }
});
