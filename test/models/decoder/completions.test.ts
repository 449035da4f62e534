// Hidden states are asked for with completions of every prompt, at least one token in all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { requireCompletions } from "../../../src/models/decoder/completions.ts";

test("completions belong to prompts, and one of them has a token", () => {
  const [some, none] = [Int32Array.of(1, 2), new Int32Array(0)];
  requireCompletions(2, [[some], [none, some]]);
  for (const wrong of [[[some]], [[none], [none]], [[], []]]) {
    assert.throws(() => requireCompletions(2, wrong), {
      code: "ERR_COMPLETIONS",
      message: /2 prompts.*longest completion/,
    });
  }
});
