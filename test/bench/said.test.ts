// What a reasoning says of a modality: a cue, that there is nothing to tell, that it cannot be perceived. Shares by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultBootstrapOptions } from "../../src/bench/bootstrap.ts";
import { type Measures, reportOf } from "../../src/bench/measure.ts";
import { falseRefusals, maskedSaidMeasures, type Said, saidOf } from "../../src/bench/said.ts";
import { clauseStatements } from "../../src/bench/statements.ts";
import { statedCues } from "../../src/bench/utilization.ts";
import { theatreKind } from "../../src/corpus/theatre-kind.ts";

const bank = await theatreKind.bank(theatreKind.embedder());
const read = async (...reasonings: readonly string[]) => {
  const decompositions = reasonings.map((text) => clauseStatements(`<think>${text}</think><answer>sad</answer>`));
  const stated = await statedCues(bank, decompositions);
  return decompositions.map((one, i) => saidOf(bank, one, stated[i]!, theatreKind.absenceOf));
};
const claims = (said: Said | null) => said?.cues.map((index) => bank.cues[index]!.text);
const values = (measures: Measures) =>
  Object.fromEntries(
    Object.entries(reportOf(measures, defaultBootstrapOptions)).map(([name, { value }]) => [name, value]),
  );

test("a cue, a plain face and a picture that is not there are three things, each of its own modality", async () => {
  const [both, hedged, none] = await read(
    "the video shows nothing that can be seen. the audio carries no marked tone.",
    "the video shows nothing within sight, a bright smile. the audio carries a loud voice, a harsh tone.",
    "this suggests the person is sad.",
  );
  assert.deepEqual(both!.video, { cues: [], neutral: false, unseen: true });
  assert.deepEqual(both!.audio, { cues: [], neutral: true, unseen: false });
  assert.deepEqual([claims(hedged!.video), hedged!.video.unseen], [["a bright smile"], true]);
  assert.deepEqual(claims(hedged!.audio), ["a loud voice", "a harsh tone"]);
  assert.deepEqual(none!.video, { cues: [], neutral: false, unseen: false });
  // a reasoning that could not be taken apart says nothing that anybody knows
  assert.equal(saidOf(bank, { statements: [], problem: "garbled" }, null, theatreKind.absenceOf), null);
});

test("under a mask who claims a cue or a plain face has not said that it cannot see", async () => {
  const said = await read(
    "the video shows nothing that can be seen.",
    "the video shows nothing that can be seen, a bright smile.",
    "the video shows no clear expression.",
    "the video shows no clear expression, nothing within sight.",
    "the audio carries nothing within earshot.",
  );
  const video = [...said.map((one) => one!.video), null];
  // of five that can be read
  assert.deepEqual(values(maskedSaidMeasures("video", video)), { saysNeutralVideo: 0.4, saysUnseenVideo: 0.2 });
  const audio = said.map((one) => one!.audio);
  assert.deepEqual(values(maskedSaidMeasures("audio", audio)), { saysNeutralAudio: 0, saysUnseenAudio: 0.2 });
  // unmasked, every one that says it is wrong, hedged or not
  assert.deepEqual(values(falseRefusals("video", video)), { falselyUnseenVideo: 0.6 });
});
