// What counts as a number on the command line.
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgumentError } from "commander";
import { count, jsonObject, wholeNumber } from "../../src/cli/number.ts";

test("digits are numbers, anything else is wrong usage", () => {
  assert.deepEqual(["0", "7", "0012", "999999999999999"].map(wholeNumber), [0, 7, 12, 999999999999999]);
  for (const text of ["", "-1", "1.5", "1e3", "0x10", " 1", "one", "9999999999999999"]) {
    assert.throws(() => wholeNumber(text), InvalidArgumentError, JSON.stringify(text));
  }
});

test("a count is at least 1", () => {
  assert.equal(count("1"), 1);
  assert.throws(() => count("0"), /Expected 1 or more/);
});

test("an object of JSON is its fields", () => {
  assert.deepEqual(jsonObject('{"a": [1]}'), { a: [1] });
  for (const text of ["", "[1]", "null", "{a: 1}", "7"])
    assert.throws(() => jsonObject(text), /Expected a JSON object/);
});
