// Fields of configuration files: off, common, known, or refused by name.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isOff, requireKnownFields, shownValue } from "../../src/models/checkpoint/config-fields.ts";

test("what is off", () => {
  for (const value of [null, undefined, false, 0, "", [], {}]) assert.ok(isOff(value), String(value));
  for (const value of [true, 1, "x", [0], { a: null }]) assert.ok(!isOff(value), JSON.stringify(value));
  assert.ok(!isOff([], false) && isOff(null, false));
});

test("strange fields are named with their values, others pass", () => {
  const json = { model_type: "x", own: 1, off: null, temperature: 1 };
  requireKnownFields(json, ["own"], "c", "here");
  assert.throws(() => requireKnownFields({ ...json, soft_cap: 50, other: "y" }, ["own"], "c", "here"), {
    code: "ERR_CHECKPOINT_CONFIG",
    message: /^c: .*here\.soft_cap 50; here\.other "y"/,
  });
  assert.throws(() => requireKnownFields(json, [], "c", "here"), { message: /here\.own 1/ });
  assert.throws(() => requireKnownFields({ causal: false }, [], "c", "here"), { message: /here\.causal false/ });
});

test("values of any size and depth fit into a message", () => {
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  assert.equal(shownValue(deep), "a value that is nested too deeply");
  assert.ok(shownValue("x".repeat(1000)).length < 70);
  assert.equal(shownValue(undefined), "undefined");
});
