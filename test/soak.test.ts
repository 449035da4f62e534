// The soak's fuzz part, short and with a fixed seed: files of every format, changed, are read or refused with a code, in a
// few processes under a watch; a reader that would fail, hang or end early is noticed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { formats, isRefusal } from "../soak/formats.ts";
import { runFuzz } from "../soak/fuzz.ts";
import { inputOf } from "../soak/inputs.ts";
import { OppoError } from "../src/error.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const quick = ["wav", "npz"];

test("changed files of some formats", async (t) => {
  const until = performance.now() + 60_000;
  const options = { seed: 7, inputs: 60, until, keep: temporaryFolder(t), log: () => undefined, only: quick };
  const results = await runFuzz(options);
  assert.deepEqual(
    results.map(({ format, inputs, failures }) => ({ format, inputs, failures })),
    quick.map((format) => ({ format, inputs: 60, failures: [] })),
  );
  assert.ok(results.some(({ read }) => read > 0) && results.some(({ read, inputs }) => read < inputs));
});

test("changes follow from seed, format and number alone; what is no refusal is a fault", async () => {
  const format = formats.npz!;
  const seeds = await format.seeds("");
  const of = (seed: number, index: number) => inputOf(format, seeds, { format: "npz", seed }, index).toString("base64");
  assert.equal(of(1, 5), of(1, 5));
  assert.equal(new Set([of(1, 5), of(1, 6), of(2, 5)]).size, 3);
  assert.equal(isRefusal(new OppoError("ERR_TEST", "x")), true);
  for (const fault of [new TypeError("x"), new RangeError("stack"), new OppoError("ERR_INTERNAL", "x"), "x"]) {
    assert.equal(isRefusal(fault), false);
  }
});
