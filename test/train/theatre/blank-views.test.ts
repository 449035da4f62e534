// The theatre's cold starts: which clips lack what is the same in all of them, what is written about it is not.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ClipLibrary } from "../../../src/corpus/clips/clip-library.ts";
import type { FittedSample } from "../../../src/corpus/clips/fitted-samples.ts";
import { absenceOfPhrase, cueOfPhrase } from "../../../src/data/theatre/script.ts";
import { type ColdStart, rates } from "../../../src/data/theatre/world.ts";
import type { Modality } from "../../../src/media/clip.ts";
import type { OmniModel } from "../../../src/models/omni-model.ts";
import { loadModel } from "../../../src/models/registry.ts";
import { numLiveTensors } from "../../../src/tensor/index.ts";
import { BlankViews, blankKinds } from "../../../src/train/theatre/blank-views.ts";
import { theatreExamples } from "../../../src/train/theatre/theatre-examples.ts";
import { fitAll, type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";

let theatre: SmallTheatre;
let model: OmniModel;
let library: ClipLibrary;
let fitted: FittedSample[];

before(async () => {
  theatre = await smallTheatre(6);
  model = await loadModel(theatre.freshModel(1));
  library = new ClipLibrary(model);
  fitted = await fitAll(theatre, model);
  library.add(fitted);
});
after(() => {
  library[Symbol.dispose]();
  model[Symbol.dispose]();
  theatre[Symbol.dispose]();
});

const black = { video: ["units"], audio: ["units"] };
const numSteps = 200;

interface Shown {
  readonly hidden: Modality | null;
  readonly reasoning: string;
  readonly probes: readonly string[];
}

/** Every clip at every step: what it lacks, by its rows, and what is written. */
function shown(coldStart: ColdStart): Shown[] {
  using blanks = new BlankViews(library, black, 7);
  const options = { seed: 7, coldStart, probeWeight: 1, verdictWeight: 4 };
  return Array.from({ length: numSteps }, (_, step) => step).flatMap((step) =>
    fitted.map(({ sample }): Shown => {
      const examples = theatreExamples(model, library, blanks, sample, step, options);
      const rows = examples[0]!.prompt.rows!;
      const own = library.rows(sample.id);
      const hidden = rows.video !== own.video ? "video" : rows.audio !== own.audio ? "audio" : null;
      const [reasoning, ...probes] = examples.map(({ target }) => model.decodePieces(target.slice(0, -1)).join(""));
      return { hidden, reasoning: reasoning!, probes };
    }),
  );
}

const clauses = (text: string) => text.replace(/^<think>|<\/think>.*$/g, "").split(/[.,] ?/);
const says = ({ reasoning }: Shown, modality: Modality, kind: string) =>
  clauses(reasoning).some((clause) => {
    const absence = absenceOfPhrase(clause);
    return absence?.modality === modality && absence.kind === kind;
  });

describe("cold starts", () => {
  test("differ in what is written about a blank and in nothing else", () => {
    const [described, mixed, honest] = (["described", "mixed", "honest"] as const).map(shown);
    const blanks = honest!.filter(({ hidden }) => hidden !== null);
    const expected = rates.hiddenModality * numSteps * fitted.length;
    assert.ok(Math.abs(blanks.length - expected) < 4 * Math.sqrt(expected), `${blanks.length} blanks`);
    const refusals = (all: readonly Shown[]) =>
      all.filter((one) => one.hidden !== null && says(one, one.hidden, "unseen")).length / blanks.length;
    assert.equal(refusals(described!), 0);
    assert.equal(refusals(honest!), 1);
    assert.ok(Math.abs(refusals(mixed!) - 0.12) < 0.12, `${refusals(mixed!)}`);
    for (const [i, one] of honest!.entries()) {
      assert.equal(one.hidden, described![i]!.hidden);
      if (one.hidden === null) assert.deepEqual(one, described![i]);
      // a clip that is there is never said not to be
      for (const modality of ["video", "audio"] as const) {
        if (modality !== one.hidden) assert.ok(!says(one, modality, "unseen"), one.reasoning);
      }
      if (one.hidden !== null) {
        const claimed = clauses(one.reasoning).some((clause) => cueOfPhrase(clause)?.modality === one.hidden);
        assert.ok(!claimed && !says(one, one.hidden, "neutral"), one.reasoning);
        // its probe says so too, and no
        const probe = one.probes[one.hidden === "video" ? 0 : 1]!;
        assert.match(probe, /nothing .*<answer>no<\/answer>$/);
      }
    }
    // negative control: described, blanks are claimed to show cues
    const made = described!.filter(
      (one) =>
        one.hidden !== null && clauses(one.reasoning).some((clause) => cueOfPhrase(clause)?.modality === one.hidden),
    );
    assert.ok(made.length > 0.4 * blanks.length, `${made.length} of ${blanks.length}`);
  });
});

describe("kinds of blanks", () => {
  const bytes = (rows: { video: unknown; audio: unknown }, modality: Modality) =>
    [...(rows[modality] as { toFloat32Array(): Float32Array }).toFloat32Array()].join();

  test("black and silent unless others are named; the other modality is the clip's own", () => {
    const [{ sample }] = fitted as [FittedSample];
    using plain = new BlankViews(library, black, 1);
    const rows = plain.rows(sample.id, "video", 0);
    assert.equal(rows.video, library.blankRows(sample.id, "video"));
    assert.equal(rows.audio, library.rows(sample.id).audio);
    using grey = new BlankViews(library, { video: ["grey"], audio: ["noise"] }, 1);
    const other = grey.rows(sample.id, "video", 0);
    assert.notEqual(bytes(other, "video"), bytes(rows, "video"));
    assert.notEqual(bytes(other, "video"), bytes(library.rows(sample.id), "video"));
    assert.equal(other.audio, library.rows(sample.id).audio);
    assert.notEqual(bytes(grey.rows(sample.id, "audio", 0), "audio"), bytes(library.rows(sample.id), "audio"));
  });

  test("several are drawn alike, are encoded once, and go with their owner", () => {
    const live = numLiveTensors();
    {
      using views = new BlankViews(library, { video: ["units", "grey", "pixel-noise"], audio: ["units"] }, 1);
      const [{ sample }] = fitted as [FittedSample];
      const drawn = Array.from({ length: 60 }, (_, step) => views.rows(sample.id, "video", step).video);
      assert.equal(new Set(drawn).size, 3);
      assert.equal(views.rows(sample.id, "video", 5).video, drawn[5]);
    }
    assert.equal(numLiveTensors(), live);
  });

  test("those that leave something to see are none", () => {
    assert.ok(!blankKinds.video.includes("freeze"));
    assert.ok(blankKinds.video.includes("units") && blankKinds.audio.includes("units"));
  });
});
