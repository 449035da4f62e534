// Adversarial controls: cues that a clip's emotion suggests and that are not there, by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultBootstrapOptions } from "../../src/bench/bootstrap.ts";
import { buildCueBank } from "../../src/bench/cue-bank.ts";
import { faithfulnessMeasures } from "../../src/bench/faithfulness.ts";
import { reportOf } from "../../src/bench/measure.ts";
import { buildProbes, type ProbeOptions, probeQuery } from "../../src/bench/probes.ts";
import type { Cue } from "../../src/evidence/cue.ts";
import { testSample } from "../support/rollouts.ts";
import { wordEmbedder } from "../support/word-embedder.ts";

const embedder = wordEmbedder(["frown", "smile", "tears", "loud", "quiet", "sobs"]);
const seen = (text: string): Cue => ({ kind: "video", text });
const heard = (text: string): Cue => ({ kind: "audio", text });
const bank = await buildCueBank(
  [seen("a frown"), seen("a smile"), seen("tears"), heard("a loud voice"), heard("a quiet voice"), heard("sobs")],
  embedder,
);
const angry = testSample("angry", { labels: ["angry"], cues: [seen("a frown"), heard("a loud voice")] });
const sad = testSample("sad", { labels: ["sad"], cues: [seen("tears"), heard("a quiet voice"), heard("sobs")] });
const say = (think: string, answer: string): string => `<think>${think}</think><answer>${answer}</answer>`;
const asking: ProbeOptions = { maxPerModality: 10, maxPerClip: 1, seed: 1, absentThreshold: 0.5 };

test("an adversarial control asks for what the emotion suggests and the clip has not; the other questions stay as they are", async () => {
  // anger and sorrow are both said to suggest a frown, tears and a loud voice
  const suggested = new Set(["a frown", "tears", "a loud voice"]);
  const typical: ProbeOptions = { ...asking, fitsEmotion: (_, { text }) => suggested.has(text) };
  const probes = await buildProbes(bank, [angry, sad], typical);
  const adversarial = probes.filter(({ kind }) => kind === "adversarial");
  // angry has a frown, so tears are left; sad has tears, so a frown; angry has the loud voice, sad has not
  assert.deepEqual(
    adversarial.map(({ sample, modality, cue: { text }, expected }) => [sample.id, modality, text, expected]),
    [
      ["angry", "video", "tears", "no"],
      ["sad", "video", "a frown", "no"],
      ["sad", "audio", "a loud voice", "no"],
    ],
  );
  for (const { view, sample } of adversarial.map((probe) => ({ ...probeQuery(probe), sample: probe.sample }))) {
    assert.deepEqual([view.video, view.audio], [sample, sample], "unmasked");
  }
  // negative control: where nothing says what is suggested there are none, and the others are drawn as before
  const without = await buildProbes(bank, [angry, sad], asking);
  assert.ok(without.every(({ kind }) => kind !== "adversarial"));
  const all: ProbeOptions = { ...asking, fitsEmotion: () => true };
  assert.deepEqual(
    (await buildProbes(bank, [angry, sad], all)).filter(({ kind }) => kind !== "adversarial"),
    without,
  );
});

test("who answers by the emotion passes the uniform control and fails the adversarial one", async () => {
  const suggested = new Set(["a frown", "tears"]);
  const typical: ProbeOptions = { ...asking, fitsEmotion: (_, { text }) => suggested.has(text) };
  const probes = await buildProbes(bank, [angry, sad], typical);
  const scores = (yes: (probe: (typeof probes)[number]) => boolean) => {
    const texts = probes.map((probe) => say("a face.", yes(probe) ? "yes" : "no"));
    const report = reportOf(faithfulnessMeasures(probes, texts, "tagged"), defaultBootstrapOptions);
    const names = ["yes", "no", "adversarial", "balancedAdversarial", "yesRate", "unreadable"];
    return names.map((name) => report[`${name}Video`]?.value);
  };
  const looks = ({ sample, cue: asked }: (typeof probes)[number]) =>
    sample.cues.some(({ text }) => text === asked.text);
  assert.deepEqual(scores(looks), [1, 1, 1, 1, 0.5, 0]);
  // angry's uniform control is a smile or tears, sad's a smile or a frown: as many are suggested as the seed draws
  const isSuggested = ({ cue: { text } }: (typeof probes)[number]) => suggested.has(text);
  const drawn = probes
    .filter((probe) => probe.kind === "absent" && probe.modality === "video")
    .filter(isSuggested).length;
  assert.deepEqual(scores(isSuggested), [1, 1 - drawn / 2, 0, 0.5, (2 + drawn) / 4, 0]);
  // what babbles is counted in it too, and two clips are two observations
  const babble = reportOf(
    faithfulnessMeasures(
      probes,
      probes.map(({ kind }) => (kind === "adversarial" ? "no no" : say("-", "no"))),
      "tagged",
    ),
    defaultBootstrapOptions,
  );
  // masked, present, absent and adversarial of two clips
  assert.deepEqual([babble.adversarialVideo!.value, babble.adversarialVideo!.count], [0, 2]);
  assert.equal(babble.unreadableVideo!.value, 2 / 8);
  // negative control: a set that does not ask has no such score
  const old = probes.filter(({ kind }) => kind !== "adversarial");
  const report = faithfulnessMeasures(
    old,
    old.map(() => say("-", "no")),
    "tagged",
  );
  assert.equal(report.adversarialVideo, undefined);
  assert.deepEqual(Object.keys(report).length, 16);
});
