// The recipe of a calibration: pairs from a bank, a corpus or the theatre; record, text and page; what a run is told.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { deltaWarnings, readKnownDelta } from "../../../src/corpus/known-delta.ts";
import { defaultAccess, openEmbedder } from "../../../src/corpus/open-embedder.ts";
import { writeSamples } from "../../../src/data/jsonl.ts";
import type { Sample } from "../../../src/data/sample.ts";
import { calibrateEmbedder, openCalibrated } from "../../../src/recipes/embed/calibrate-embedder.ts";
import { calibrationPage } from "../../../src/recipes/embed/calibrate-page.ts";
import { calibrationText } from "../../../src/recipes/embed/calibrate-text.ts";
import { samplePairs } from "../../../src/recipes/embed/sample-pairs.ts";
import { listPresets, presetDelta } from "../../../src/recipes/presets/preset-list.ts";
import { calibratedDeltas } from "../../../src/train/presets.ts";
import { testSample } from "../../support/rollouts.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { wordEmbedder } from "../../support/word-embedder.ts";

const theatre = { bank: null, data: null, seed: 0 };

describe("pairs of a corpus", () => {
  const samples: Sample[] = [
    testSample("a", {
      labels: ["Angry"],
      cues: [
        { kind: "video", text: "a deep frown" },
        { kind: "video", text: "wide eyes" },
        { kind: "audio", text: "a loud voice" },
        { kind: "emotion", text: "she is furious" },
      ],
    }),
    testSample("b", {
      labels: ["angry"],
      cues: [
        { kind: "video", text: "deep frowns" },
        { kind: "emotion", text: "he is mad" },
      ],
    }),
    testSample("c", { labels: ["sad"], cues: [{ kind: "emotion", text: "tears of sorrow" }] }),
    testSample("d", { labels: ["sad", "angry"], cues: [{ kind: "emotion", text: "mixed feelings" }] }),
  ];

  test("labels join emotion cues, word forms join others, neighbours and other labels differ", () => {
    const { texts, same, different } = samplePairs(samples);
    const read = (pairs: readonly (readonly [number, number])[]) =>
      pairs.map(([a, b]) => `${texts[a]} | ${texts[b]}`).sort();
    assert.deepEqual(read(same), ["a deep frown | deep frowns", "she is furious | he is mad"]);
    assert.deepEqual(read(different), [
      "a deep frown | wide eyes",
      "he is mad | tears of sorrow",
      "she is furious | tears of sorrow",
    ]);
  });

  test("a corpus without such cues is refused", () => {
    assert.throws(() => samplePairs(samples.slice(2)), { code: "ERR_CALIBRATION", message: /--bank/ });
  });
});

describe("calibrateEmbedder", () => {
  test("the presets' record is what the theatre's embedder gives today, and presets show it", async () => {
    using opened = await openEmbedder("theatre");
    const record = await calibrateEmbedder(opened, theatre, () => undefined);
    const [known] = calibratedDeltas;
    assert.equal(record.embedder, known!.embedder);
    const round = (value: number) => Math.abs(Number(value.toFixed(2)));
    assert.equal(round(record.delta), known!.delta);
    assert.deepEqual(record.range.map(round), known!.range);
    assert.match(record.cautions.join(), /^perfect, as the embedder was fitted/);
    assert.match(presetDelta(), new RegExp(`delta of all: 0\\.5 .* ${known!.embedder}`));
    assert.deepEqual(listPresets()[0]!.delta, { value: 0.5, embedder: known!.embedder });
  });

  test("a bank and a file of samples are sources too", async (t) => {
    const folder = temporaryFolder(t);
    const bank = join(folder, "bank.json");
    writeFileSync(bank, '[{"name":"a","phrases":["loud voice","loud"]},{"name":"b","phrases":["smile"]}]');
    const words = { embedder: wordEmbedder(["loud", "voice", "smile"]) };
    const record = await calibrateEmbedder(words, { ...theatre, bank }, () => undefined);
    // same: .7071; different: 0, 0
    assert.ok(Math.abs(record.delta - Math.SQRT1_2 / 2) < 1e-6);
    assert.deepEqual(record.cautions, []);
    const data = join(folder, "corpus.jsonl");
    const row = (id: string, label: string, text: string) =>
      JSON.stringify({ id, media: "x.mp4", labels: [label], cues: [{ kind: "emotion", text }] });
    writeFileSync(data, [row("a", "l", "loud voice"), row("b", "l", "loud"), row("c", "s", "smile")].join("\n"));
    const weak = await calibrateEmbedder(words, { ...theatre, data }, () => undefined);
    assert.equal(weak.delta, record.delta);
    assert.match(weak.cautions.join(), /labels say less than paraphrases/);
    assert.match(weak.source, /cues of .*corpus\.jsonl/);
  });

  test("text and page say the same, and texts cannot steer them", async (t) => {
    const folder = temporaryFolder(t);
    const bank = join(folder, "bank.json");
    const hostile = "smile <script>alert(1)</script> \u001b[31m";
    writeFileSync(
      bank,
      JSON.stringify([
        { name: "a", phrases: ["loud voice", "loud"] },
        { name: "b", phrases: [hostile] },
      ]),
    );
    const words = { embedder: wordEmbedder(["loud", "voice", "smile"]) };
    const record = await calibrateEmbedder(words, { ...theatre, bank }, () => undefined);
    const text = calibrationText(record);
    assert.match(text, /\ndelta {11}0\.35, 95 % interval 0\.35 to 0\.35; as good from 0\.00 to 0\.71\n/);
    assert.match(text, /#{30} {2}0\.70\n/, "all of the same pairs are in the bin of .7");
    assert.match(text, / 0\.35 +<- delta 0\.35\n/);
    assert.match(text, / 0\.00 #{30}\n/);
    assert.ok(!text.includes("\u001b"));
    const page = calibrationPage(record);
    assert.match(page, /<h1>delta = 0\.35 for words<\/h1>/);
    assert.ok(page.includes("&lt;script&gt;") && !page.includes("<script>"));
    assert.equal(page.match(/<rect class="same"/g)?.length, 1);
    assert.equal(page.match(/<rect class="different"/g)?.length, 1);
  });
});

describe("what a run is told", () => {
  const known = [{ embedder: "e", delta: 0.7, range: [0.6, 0.8] as const }];

  test("nothing when delta is near the good thresholds; a warning when it is far or of another embedder", () => {
    for (const fine of [0.55, 0.7, 0.85]) assert.deepEqual(deltaWarnings("e", fine, known), []);
    assert.match(
      deltaWarnings("e", 0.5, known)[0]!,
      /0\.5 is far .* 0\.70, good from 0\.60 to 0\.80; other cues will count/,
    );
    assert.match(deltaWarnings("e", 0.9, known)[0]!, /paraphrases of a cue will not count/);
    assert.match(deltaWarnings("other", 0.7, known)[0]!, /not calibrated for this embedder \(other; calibrated: e\)/);
  });

  test("a record is read back, anything else is refused", async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "delta.json");
    using opened = await openEmbedder("theatre");
    const record = await calibrateEmbedder(opened, theatre, () => undefined);
    writeFileSync(file, JSON.stringify(record));
    const { embedder, delta, range } = readKnownDelta(file);
    assert.deepEqual(
      { embedder, delta, range },
      { embedder: record.embedder, delta: record.delta, range: record.range },
    );
    for (const [text, got] of [
      ["{", "JSON"],
      ["{}", "format"],
      [JSON.stringify({ ...record, version: 2 }), "version"],
      [JSON.stringify({ ...record, delta: 3 }), "delta"],
    ] as const) {
      writeFileSync(file, text);
      assert.throws(() => readKnownDelta(file), { code: "ERR_CALIBRATION", message: new RegExp(got) });
    }
    assert.throws(() => readKnownDelta(join(folder, "nowhere")), { code: "ERR_CALIBRATION", message: /ENOENT/ });
  });
});

test("the embedder that a training fits on a corpus' cues can be calibrated on that corpus", async (t) => {
  const file = join(temporaryFolder(t), "samples.jsonl");
  const cues = ["a deep frown", "deep frowns", "wide eyes"].map((text) => ({ kind: "video" as const, text }));
  await writeSamples(file, [testSample("a", { cues: cues.slice(0, 2) }), testSample("b", { cues: cues.slice(1) })]);
  using opened = await openCalibrated("cues", { data: file }, defaultAccess, () => undefined);
  const record = await calibrateEmbedder(opened, { bank: null, data: file, seed: 0 }, () => undefined);
  assert.equal(record.embedder, opened.embedder.name);
  assert.match(record.embedder, /^builtin-/);
  const refused = openCalibrated("cues", { data: null }, defaultAccess, () => undefined);
  await assert.rejects(refused, { code: "ERR_EMBEDDER", message: /Give --data/ });
});
