// The association of cues with the other modality: lifts by hand, and the theatre, whose world says what is typical.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AssociationItems, measureAssociation } from "../../src/bench/association.ts";
import { cueConceptsOf } from "../../src/bench/cue-concepts.ts";
import { makeMepSet, selectSamples } from "../../src/bench/mep-set.ts";
import { selectOnCorpus, setOptionsFor } from "../../src/corpus/mep-set.ts";
import { theatreKind } from "../../src/corpus/theatre-kind.ts";
import type { Sample } from "../../src/data/sample.ts";
import { placedScenes } from "../../src/data/theatre/corpus.ts";
import type { SceneKind } from "../../src/data/theatre/draw.ts";
import { defaultClipFormat } from "../../src/data/theatre/plan.ts";
import { sceneSample } from "../../src/data/theatre/render.ts";
import { isTypicalCue } from "../../src/data/theatre/sample-scene.ts";
import { testSample } from "../support/rollouts.ts";
import { wordEmbedder } from "../support/word-embedder.ts";

const tolerance = 1e-12;
const near = (value: number, expected: number) =>
  assert.ok(Math.abs(value - expected) < tolerance, `${value} instead of ${expected}`);

describe("lift over the other clips", () => {
  const clip = (video: number, audio: number, ...groups: string[]): AssociationItems => ({
    video: [video],
    audio: [audio],
    groups,
  });
  const clips = [clip(0, 0, "sad"), clip(0, 0, "sad"), clip(0, 0), clip(1, 1, "happy"), clip(1, 0, "happy")];

  test("takes the strongest way, direct or through an emotion", () => {
    const table = measureAssociation(clips, 2);
    // without clip 0: video 0 twice, audio 0 three times, together twice, of 4: (2 + 2) / (2 x 3 / 4 + 2) = 8/7;
    // through sad: min(video 0, sad: (1 + 2) / (2 x 1 / 4 + 2) = 1.2, audio 0, sad: 3 / (3 x 1 / 4 + 2) = 12/11)
    near(table.of(0, "video", 0), 8 / 7);
    // the same numbers seen from the sound
    near(table.of(0, "audio", 0), 8 / 7);
    // clip 2 has no emotion: without it, direct (2 + 2) / (2 x 3 / 4 + 2)
    near(table.of(2, "video", 0), 8 / 7);
    // clip 4: video 1 once, audio 0 three times, never together: 2 / (1 x 3 / 4 + 2) = 8/11; through happy
    // min(3 / (1 x 1 / 4 + 2) = 4/3, audio 0, happy: 2 / (3 x 1 / 4 + 2) = 8/11)
    near(table.of(4, "video", 1), 8 / 11);
  });

  test("by way of the emotion, a cue that the clip has not is counted over the others as they are", () => {
    const more = measureAssociation([...clips, clip(1, 0, "sad")], 2);
    // clip 5 without video 0: of 5 others three have it, two are sad, two are both: (2 + 2) / (3 x 2 / 5 + 2) = 5/4; audio 0,
    // sad without the clip itself: (2 + 2) / (4 x 2 / 5 + 2) = 10/9
    near(more.throughEmotion(5, "video", 0), 10 / 9);
    const table = measureAssociation(clips, 2);
    // clip 0 without video 1, which is never sad: (0 + 2) / (2 x 1 / 4 + 2) = 4/5
    near(table.throughEmotion(0, "video", 1), 4 / 5);
    // a clip without an emotion suggests nothing by it, however often its sound goes with the cue
    near(table.throughEmotion(2, "video", 0), 0);
    // a concept of no clip: nothing is known of it
    near(table.throughEmotion(0, "video", 9), 1);
  });

  test("a concept that no other clip has says nothing", () => {
    const table = measureAssociation(clips, 2);
    // audio 1 is in clip 3 alone: every lift with it is (0 + 2) / (0 + 2)
    near(table.of(3, "video", 1), 1);
    near(measureAssociation(clips.slice(3, 4), 2).of(0, "video", 1), 1);
  });

  test("counts of the clip itself would make rare pairs the strongest", () => {
    // negative control: with clip 3 counted, audio 1 (1 of 5) and video 1 (2 of 5) together once give (1 + 2) / (.4 + 2) > 1
    assert.ok(3 / 2.4 > 1 && measureAssociation(clips, 2).of(3, "audio", 1) <= 1);
  });
});

describe("concepts", () => {
  const embedder = wordEmbedder(["frown", "brow", "smile", "loud"]);
  const cue = (text: string, kind: "video" | "audio" = "video") => ({ kind, text });

  test("wordings join the most frequent one that is near, within their kind", async () => {
    const samples = [
      testSample("a", { cues: [cue("a frown"), cue("loud", "audio"), { kind: "emotion", text: "smile" }] }),
      testSample("b", { cues: [cue("frown brow"), cue("a smile")] }),
      testSample("c", { cues: [cue("a frown"), cue("the frown", "audio")] }),
    ];
    const concepts = await cueConceptsOf(samples, embedder);
    // "frown brow" has cosine .7071 with "a frown", which is said twice; "the frown" is heard, so a concept of its own
    assert.deepEqual(concepts.bank.cues, [
      cue("a frown"),
      cue("a smile"),
      cue("loud", "audio"),
      cue("the frown", "audio"),
    ]);
    assert.deepEqual(concepts.counts, [3, 1, 1, 1]);
    assert.equal(concepts.conceptOf(cue("frown brow")), 0);
    assert.equal(concepts.conceptOf(cue("never said")), -1);
    const reversed = await cueConceptsOf([...samples].reverse(), embedder);
    assert.deepEqual(reversed.bank.cues, concepts.bank.cues);
    // negative control: with a threshold above .7071 they stay apart
    assert.equal((await cueConceptsOf(samples, embedder, 0.8)).bank.cues.length, 5);
  });

  test("more wordings than one block holds give the same concepts as a plain loop", async () => {
    const words = Array.from({ length: 40 }, (_, i) => `w${String.fromCharCode(97 + (i % 26))}${i < 26 ? "x" : "y"}`);
    const many = wordEmbedder(words);
    const samples = Array.from({ length: 400 }, (_, i) =>
      testSample(`s${i}`, { cues: [cue(`${words[i % 40]} ${words[(i * 7 + (i % 11)) % 40]} n${i}`)] }),
    );
    const { bank, conceptOf } = await cueConceptsOf(samples, many);
    const texts = samples.map(({ cues }) => cues[0]!.text).sort();
    const leaders: string[] = [];
    const cosine = (a: string, b: string) => {
      const [x, y] = [many.embed([a]) as Float32Array, many.embed([b]) as Float32Array];
      return x.reduce((sum, value, d) => sum + value * y[d]!, 0);
    };
    for (const text of texts) {
      const scores = leaders.map((leader) => cosine(text, leader));
      const highest = Math.max(0, ...scores);
      if (highest <= 0.6) leaders.push(text);
      else assert.equal(bank.cues[conceptOf(cue(text))]!.text, leaders[scores.indexOf(highest)]);
    }
    assert.deepEqual(
      bank.cues.map(({ text }) => text),
      leaders,
    );
  });
});

describe("on the theatre", () => {
  const clipsOf = (kind: SceneKind, numClips: number): Sample[] =>
    placedScenes({ seed: 3, splits: [{ name: "x", kind, numClips }], format: defaultClipFormat }).map((placed) =>
      sceneSample(placed, defaultClipFormat),
    );
  const options = { ...setOptionsFor(null), maxSamples: 1000, minCues: 1 };
  const setting = { embedder: theatreKind.embedder() };

  test("what is measured is what the world says", async () => {
    const samples = clipsOf("congruent", 300);
    const { isTypical, fitsEmotion, samples: chosen } = await selectOnCorpus(samples, setting, options);
    let [both, measured, known] = [0, 0, 0];
    for (const sample of chosen) {
      for (const cue of sample.cues.filter(({ kind }) => kind !== "emotion")) {
        const [m, k] = [isTypical(sample, cue), isTypicalCue(sample, cue)];
        measured += Number(m);
        known += Number(k);
        both += Number(m && k);
      }
    }
    assert.ok(known > 1000);
    // measured when this was written: .974 and .991
    assert.ok(both / measured > 0.95, `precision ${both / measured}`);
    assert.ok(both / known > 0.95, `recall ${both / known}`);
    // of cues that a clip has not: these the adversarial controls ask for, by way of the emotion alone
    const bank = await theatreKind.bank(theatreKind.embedder());
    let [absentBoth, absentMeasured, absentKnown, direct] = [0, 0, 0, 0];
    for (const sample of chosen) {
      const own = new Set(sample.cues.map(({ text }) => text));
      for (const cue of bank.cues.filter(({ text }) => !own.has(text))) {
        const [m, k] = [fitsEmotion(sample, cue), isTypicalCue(sample, cue)];
        direct += Number(isTypical(sample, cue) && !k);
        absentMeasured += Number(m);
        absentKnown += Number(k);
        absentBoth += Number(m && k);
      }
    }
    assert.ok(absentKnown > 300);
    // measured when this was written: 333 of 333 and of 376; the direct way finds 1522 that do not fit
    assert.ok(absentBoth / absentMeasured > 0.95, `precision ${absentBoth} of ${absentMeasured}`);
    assert.ok(absentBoth / absentKnown > 0.8, `recall ${absentBoth} of ${absentKnown}`);
    assert.ok(direct > 2 * absentKnown, `${direct} suggested directly`);
    // negative control: where face and voice are drawn apart, hardly a clip is left
    const apart = await selectOnCorpus(clipsOf("decorrelated", 300), setting, options);
    assert.ok(apart.samples.length < 0.1 * 300, `${apart.samples.length} clips`);
  });

  test("clips are drawn, not ranked, and a refused one makes room for another", async () => {
    const samples = clipsOf("congruent", 60);
    const draw = (seed: number, accept?: (sample: Sample) => Promise<boolean>) =>
      selectSamples(samples, setting.embedder, ({ labels }) => labels, { ...options, seed, maxSamples: 10 }, accept);
    const first = await draw(1);
    const ids = first.samples.map(({ id }) => id);
    assert.equal(ids.length, 10);
    assert.deepEqual(ids, ids.toSorted());
    assert.deepEqual((await draw(1)).samples, first.samples);
    assert.notDeepEqual((await draw(2)).samples, first.samples);
    const without = await draw(1, async ({ id }) => id !== ids[0]);
    assert.equal(without.samples.length, 10);
    assert.equal(without.counts.refused, 1);
    const { candidates, fewCues, weakAssociation, notDrawn, refused } = without.counts;
    assert.equal(candidates, fewCues + weakAssociation + notDrawn + refused + 10);
    const probes = { ...options, maxProbesPerModality: 6, maxProbesPerClip: 2 };
    const set = await makeMepSet(
      { congruent: first.samples, conflict: [] },
      { embedder: setting.embedder, bank: null, isTypical: first.isTypical },
      probes,
    );
    const masked = set.probes.filter(({ kind }) => kind === "masked");
    assert.equal(masked.length, 12);
    assert.ok(masked.every(({ sample, cue }) => first.isTypical(sample, cue)));
  });
});
