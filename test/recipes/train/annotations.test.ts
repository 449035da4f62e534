// Samples without what a run is paid by are told before anything is loaded.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sample } from "../../../src/data/sample.ts";
import { annotationNotes } from "../../../src/recipes/train/annotations.ts";
import { resolveTrain } from "../../../src/recipes/train/run-config.ts";

const whole: Sample = {
  id: "a",
  media: "a.mp4",
  subtitle: "",
  labels: ["sad"],
  reasoning: "",
  cues: [{ kind: "video", text: "a frown" }],
};
const noCues: Sample = { ...whole, cues: [] };
const noLabels: Sample = { ...whole, labels: [] };

const notes = (samples: readonly Sample[], preset: string, ...overrides: string[]) =>
  annotationNotes(
    samples,
    resolveTrain({ overrides: ["run=r", "model=m", "data=d.jsonl", `preset=${preset}`, ...overrides] }),
  );

test("no sample with cues, or with labels, ends a run that needs them, with what to do", () => {
  const refused = (what: RegExp) => (error: Error & { code: string }) =>
    error.code === "ERR_NO_ANNOTATIONS" && what.test(error.message);
  const needsCues = refused(
    /^d\.jsonl: expected samples with cues, got 2 without\. Make them .*oppo evidence extract\.$/,
  );
  for (const preset of ["oppo", "reward-only", "oppo-paper"])
    assert.throws(() => notes([noCues, noCues], preset), needsCues);
  assert.throws(() => notes([noLabels], "baseline"), refused(/with labels, got 1 without/));
});

test("some without are counted; what a run does not need is not asked for", () => {
  assert.deepEqual(notes([whole, noCues], "oppo"), [
    "warning: 1 of 2 samples have no cues: nothing is learnt of them by that",
  ]);
  assert.deepEqual(notes([whole], "oppo"), []);
  assert.deepEqual(notes([noCues], "baseline"), []);
  const unpaid = "reward.terms=[{name: format, weight: 1}, {name: accuracy, weight: 0}]";
  assert.deepEqual(notes([noLabels, noCues], "baseline", unpaid), []);
});
