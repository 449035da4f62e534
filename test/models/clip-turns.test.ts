// One user turn with a clip before its text, a system text before it only where there is one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clipTurns } from "../../src/models/clip-turns.ts";

test("a clip stands before its text, a system text before both", () => {
  const shape = { video: null, audio: null };
  const [user, ...none] = clipTurns("why?", shape, undefined);
  assert.deepEqual(none, []);
  assert.deepEqual(user, {
    role: "user",
    parts: [
      { type: "clip", clip: shape },
      { type: "text", text: "why?" },
    ],
  });
  assert.deepEqual(clipTurns("why?", shape, "be brief"), [
    { role: "system", parts: [{ type: "text", text: "be brief" }] },
    user,
  ]);
});
