// Of cues that the emotion suggests and a clip lacks, how many its free reasoning claims, by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultBootstrapOptions } from "../../src/bench/bootstrap.ts";
import type { CueBank } from "../../src/bench/cue-bank.ts";
import { reportOf } from "../../src/bench/measure.ts";
import type { Probe } from "../../src/bench/probes.ts";
import { suggestedMeasures } from "../../src/bench/utilization.ts";
import type { Sample } from "../../src/data/sample.ts";

const samples = ["a", "b", "c"].map((id) => ({ id, cues: [], labels: [] }) as unknown as Sample);
const bank = {
  cues: [
    { kind: "video", text: "a frown" },
    { kind: "video", text: "wide eyes" },
    { kind: "audio", text: "a loud voice" },
  ],
} as unknown as CueBank;
const probe = (kind: Probe["kind"], at: number, index: number): Probe => {
  const cue = bank.cues[index]!;
  return { kind, modality: cue.kind as Probe["modality"], sample: samples[at]!, cue, expected: "no" };
};
const shareOf = (measures: ReturnType<typeof suggestedMeasures>, name: string) => {
  const { value, count } = reportOf(measures, defaultBootstrapOptions)[name]!;
  return [value, count];
};

test("the share of suggested, absent cues that are claimed", () => {
  const probes = [
    ...[probe("adversarial", 0, 0), probe("adversarial", 0, 1), probe("adversarial", 1, 0), probe("adversarial", 2, 1)],
    ...[probe("adversarial", 1, 2), probe("absent", 1, 1), probe("present", 2, 0)],
  ];
  // a claims one of its two, b neither cue of the video, c could not be taken apart; b claims the voice
  const stated = [[0], [1, 2], null];
  const measures = suggestedMeasures(bank, samples, probes, stated);
  assert.deepEqual(shareOf(measures, "suggestedVideo"), [1 / 3, 3]);
  assert.deepEqual(shareOf(measures, "suggestedAudio"), [1, 1]);
  // the control: nothing claimed is 0, everything 1
  const none = suggestedMeasures(bank, samples, probes, [[], [], []]);
  assert.deepEqual(shareOf(none, "suggestedVideo"), [0, 4]);
  const all = suggestedMeasures(
    bank,
    samples,
    probes,
    samples.map(() => [0, 1, 2]),
  );
  assert.deepEqual(shareOf(all, "suggestedVideo"), [1, 4]);
});

test("a set without adversarial probes has no such score", () => {
  const probes = [probe("absent", 0, 0), probe("masked", 1, 2)];
  assert.deepEqual(suggestedMeasures(bank, samples, probes, [[0], [2], []]), {});
});
