// The reference as a reader of cues: shares by hand, and what a warm model says of whole, half-masked and blank clips.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { borrowedRows, ClipLibrary } from "../../../src/corpus/clips/clip-library.ts";
import type { FittedSample } from "../../../src/corpus/clips/fitted-samples.ts";
import type { ModelPrompt, OmniModel } from "../../../src/models/omni-model.ts";
import { loadModel } from "../../../src/models/registry.ts";
import { noGrad, numLiveTensors, scope } from "../../../src/tensor/index.ts";
import { leastGain, readingReference, readShares } from "../../../src/train/observer/reference-reading.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";
import { theatreTerms, warmModel } from "../../support/theatre-training.ts";

const warmSteps = 48;

describe("shares by hand", () => {
  const shares = (masked: number[], whole: number[], blank: number[]) =>
    Array.from(readShares(masked, { whole: Float32Array.from(whole), blank: Float32Array.from(blank) }));

  test("the place between blank and whole, cut at both ends", () => {
    // whole -1, blank -3: -1.5 is three quarters of the way, -4 and 0 lie outside
    assert.deepEqual(shares([-1.5, -3, -4, -1, 0], [-1, -1, -1, -1, -1], [-3, -3, -3, -3, -3]), [0.75, 0, 0, 1, 1]);
  });

  test("a cue that the whole clip makes no likelier than the blank reads nothing, whatever the mask", () => {
    assert.deepEqual(shares([-1, -1, -1], [-2, -2, Number.NaN], [-2, -1, -2]), [0, 0, 0]);
    assert.deepEqual(shares([0], [-1], [-1 - leastGain / 2]), [0]);
    assert.deepEqual(shares([-1], [-1], [-1 - 2 * leastGain]), [1]);
  });
});

describe("a warm model", () => {
  let theatre: SmallTheatre;
  let model: OmniModel;
  let library: ClipLibrary;
  let fitted: FittedSample[];
  const { promptText } = theatreTerms();

  before(async () => {
    theatre = await smallTheatre(4);
    const warm = await warmModel(theatre, warmSteps);
    fitted = warm.fitted;
    model = await loadModel(warm.directory);
    library = new ClipLibrary(model);
    library.add(fitted);
  });
  after(() => {
    library[Symbol.dispose]();
    model[Symbol.dispose]();
    theatre[Symbol.dispose]();
  });

  /** By the whole distribution, one cue at a time. */
  function byHand(prompt: ModelPrompt, text: string): number {
    return noGrad(() =>
      scope(() => {
        const ids = model.encodeText(`<think>${text}`);
        const opening = model.encodeText("<think>").length;
        const logp = model
          .logits(model.hidden([prompt], [[ids]]).squeeze(0))
          .logSoftmax(-1)
          .toFloat32Array();
        let sum = 0;
        for (let t = opening; t < ids.length; t++) sum += logp[t * (logp.length / ids.length) + ids[t]!]!;
        return sum / (ids.length - opening);
      }),
    );
  }

  test("finds all in the whole clip, nothing in the blank, and between them what the formula says", () => {
    const read = readingReference({ reference: model, library, promptText });
    const before = numLiveTensors();
    let numBetween = 0;
    let numRead = 0;
    for (const { sample } of fitted) {
      for (const modality of ["video", "audio"] as const) {
        const cues = sample.cues.filter(({ kind }) => kind === modality);
        const own = library.rows(sample.id);
        const blankRows = library.blankRows(sample.id, modality);
        const showing = (shown: typeof blankRows) =>
          modality === "video" ? borrowedRows(shown, own.audio) : borrowedRows(own.video, shown);
        const [half] = library.maskedRows([{ sampleId: sample.id, masks: [{ modality, ratio: 0.6, seed: 3 }] }]);
        const at = (rows: typeof own) => read({ sample, modality, rows, cues });
        const shares = at(half!);
        const [whole, blank] = [at(own), at(showing(blankRows))];
        for (const [c, { text }] of cues.entries()) {
          const l = (rows: typeof own) => byHand(library.prompt(sample.id, promptText(sample), rows), text);
          const [high, low, between] = [l(own), l(showing(blankRows)), l(showing(half![modality]))];
          const isRead = high - low >= leastGain;
          assert.ok(Math.abs(whole[c]! - (isRead ? 1 : 0)) < 1e-3, `${whole[c]}`);
          assert.ok(Math.abs(blank[c]!) < 1e-3, `${blank[c]}`);
          const expected = isRead ? Math.min(1, Math.max(0, (between - low) / (high - low))) : 0;
          assert.ok(Math.abs(shares[c]! - expected) < 1e-3, `${text}: ${shares[c]} ${expected}`);
          if (isRead) numRead++;
          if (expected > 0.02 && expected < 0.98) numBetween++;
        }
        half![Symbol.dispose]();
      }
    }
    assert.ok(numRead > 3 && numBetween > 0, `${numRead} read, ${numBetween} between`);
    // blank rows and prompts are the library's; a second round makes nothing that stays
    assert.ok(numLiveTensors() - before <= 2);
  });

  test("a clip's share does not hang on what was asked before, and a mask of the other modality changes nothing", () => {
    const read = readingReference({ reference: model, library, promptText });
    const all = fitted.flatMap(({ sample }) =>
      (["video", "audio"] as const).map((modality) => {
        const cues = sample.cues.filter(({ kind }) => kind === modality);
        return { sample, modality, cues };
      }),
    );
    const isRead = ({ sample, ...rest }: (typeof all)[number]) =>
      read({ sample, ...rest, rows: library.rows(sample.id) }).some((share) => share > 0);
    const asked = all.find(isRead)!;
    const { sample, modality } = asked;
    const [half] = library.maskedRows([{ sampleId: sample.id, masks: [{ modality, ratio: 0.3, seed: 3 }] }]);
    const first = read({ ...asked, rows: half! });
    assert.deepEqual(read({ ...asked, rows: half! }), first);
    assert.deepEqual(readingReference({ reference: model, library, promptText })({ ...asked, rows: half! }), first);
    const other = modality === "video" ? "audio" : "video";
    const rows = { video: half!.video, audio: half!.audio, [other]: library.blankRows(sample.id, other) };
    assert.deepEqual(read({ ...asked, rows: borrowedRows(rows.video, rows.audio) }), first);
    assert.notDeepEqual(read({ ...asked, rows: library.rows(sample.id) }), first);
    half![Symbol.dispose]();
  });
});
