// The question's wording is data that models are trained on: it must not change by accident.
import assert from "node:assert/strict";
import { test } from "node:test";
import { probeQuestion } from "../../src/evidence/probe-question.ts";

test("pictures show, sounds contain", () => {
  assert.equal(probeQuestion("video", "a furrowed brow"), "does the video show a furrowed brow?");
  assert.equal(probeQuestion("audio", "a loud voice"), "does the audio contain a loud voice?");
});
