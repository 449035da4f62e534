// The mean of several seeds, by hand; the choices for a corpus that brings none of its own.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { cueConcepts } from "../../../src/corpus/corpus-embedder.ts";
import { chooseSetting, type SettingOptions } from "../../../src/corpus/setting.ts";
import type { Sample } from "../../../src/data/sample.ts";
import { placedScenes } from "../../../src/data/theatre/corpus.ts";
import { defaultClipFormat } from "../../../src/data/theatre/plan.ts";
import { sceneSample } from "../../../src/data/theatre/render.ts";
import type { Embedder } from "../../../src/evidence/cue.ts";
import { cosineMatrix } from "../../../src/evidence/similarity.ts";
import { batchOf } from "../../../src/train/batches.ts";
import { testSample } from "../../support/rollouts.ts";
import { emotionDefaults } from "../../support/setting-options.ts";

const similarityThreshold = 0.5;

const folder = mkdtempSync(join(tmpdir(), "oppo-setting-"));
after(() => rmSync(folder, { recursive: true }));

describe("batchOf", () => {
  test("goes through all items in every epoch, in another order each time, whatever the batch size", () => {
    const items = Array.from({ length: 7 }, (_, i) => i);
    const seen = Array.from({ length: 7 }, (_, step) => batchOf(items, 3, 5, step)).flat();
    const epochs = [0, 1, 2].map((epoch) => seen.slice(7 * epoch, 7 * (epoch + 1)));
    for (const epoch of epochs) assert.deepEqual([...epoch].sort(), items);
    assert.notDeepEqual(epochs[0], epochs[1]);
    assert.deepEqual(batchOf(items, 3, 5, 4), batchOf(items, 3, 5, 4), "a function of seed and step alone");
  });
});

const defaults: SettingOptions = { embedder: "auto", question: null, ...emotionDefaults, similarityThreshold };

const plain: Sample[] = [
  testSample("a", {
    subtitle: "hello",
    labels: ["Happy"],
    cues: [
      { kind: "video", text: "a bright smile" },
      { kind: "audio", text: "a loud voice" },
    ],
  }),
  testSample("b", {
    cues: [
      { kind: "video", text: "the bright smile" },
      { kind: "audio", text: "it is" },
    ],
  }),
];

describe("chooseSetting", () => {
  const cosine = async (embedder: Embedder, left: string, right: string) =>
    cosineMatrix(await embedder.embed([left]), await embedder.embed([right]), embedder.dimension)[0]!;

  test("takes the theatre's for the theatre's clips", async () => {
    const plan = {
      seed: 1,
      splits: [{ name: "x", kind: "congruent" as const, numClips: 2 }],
      format: defaultClipFormat,
    };
    const samples = placedScenes(plan).map((placed) => sceneSample(placed, defaultClipFormat));
    const setting = await chooseSetting(samples, defaults);
    assert.equal(setting.emotion.score(["furious"], ["angry"]), 1, "the theatre's words for one emotion are one");
    assert.equal(setting.kind?.name, "theatre");
    assert.match(setting.notes.join("\n"), /corpus: the theatre's.*\nembedder: the theatre's/);
    assert.ok(setting.promptText(samples[0]!).startsWith(`the person says: ${samples[0]!.subtitle}.`));
    // negative control: one sample without a scene, and it is any corpus
    const mixed = await chooseSetting([...samples, ...plain], defaults);
    assert.equal(mixed.kind, null);
  });

  test("fits any other corpus' cues, and says so", async () => {
    const setting = await chooseSetting(plain, defaults);
    assert.ok((await cosine(setting.embedder, "a smile so bright", "the bright smile")) > similarityThreshold);
    assert.ok((await cosine(setting.embedder, "a bright smile", "a loud voice")) < similarityThreshold);
    const notes = setting.notes.join("\n");
    assert.match(notes, /fitted on this corpus' 2 distinct cues .* knows no paraphrases/);
    assert.match(notes, /0\.0% of the cues come above 0\.5 with another cue/);
    assert.match(notes, /1 cues without a word that says anything/);
    assert.match(notes, /accuracy: emotion-wheel F1, mean of 5 wheels, lexicon built-in/);
    assert.equal(setting.kind, null);
    // without a cue there is nothing to compare with, and a line says so; whoever asks for cues by name is refused
    const labelled = await chooseSetting([], defaults);
    assert.equal(labelled.kind, null, "no samples are of no kind");
    assert.match(labelled.notes.join("\n"), /embedder: none, for no sample has a cue/);
    assert.equal(
      await chooseSetting([], { ...defaults, embedder: "cues" }).catch((error) => error.code),
      "ERR_EMBEDDER_EMPTY_BANK",
    );
    assert.equal(setting.promptText(plain[1]!, "why?"), "why?");
    assert.equal(setting.promptText(plain[0]!, "why?"), 'The person says: "hello". why?');
  });

  test("takes a question, groups of emotion words and a bank of paraphrases", async () => {
    const bank = join(folder, "bank.json");
    writeFileSync(
      bank,
      '[{"name":"smile","kind":"video","phrases":["a bright smile","a broad grin"]},{"name":"loud","phrases":["shouting"]}]',
    );
    const emotionGroups = { good: ["Happy", "joyful"], bad: ["sad"] };
    const options = { ...defaults, embedder: `builtin:${bank}`, question: "Well?", emotionGroups };
    const setting = await chooseSetting(plain, options);
    assert.equal(setting.promptText(plain[1]!), "Well?");
    assert.equal(setting.emotion.score(["JOYFUL"], ["happy"]), 1);
    assert.equal(setting.emotion.score(["sad"], ["happy"]), 0);
    assert.ok((await cosine(setting.embedder, "a broad grin", "a bright smile")) > similarityThreshold);
  });

  test("says what is wrong with a choice or a bank", async () => {
    const choose = (embedder: string) => chooseSetting(plain, { ...defaults, embedder });
    await assert.rejects(choose("qwen"), { code: "ERR_EMBEDDER" });
    for (const [text, got] of [
      ["[", "JSON"],
      ["{}", "the file: "],
      ['[{"name":"a","phrases":[]}]', "0.phrases: "],
    ] as const) {
      const bank = join(folder, "bad.json");
      writeFileSync(bank, text);
      await assert.rejects(choose(`builtin:${bank}`), (error: Error & { code: string }) => {
        assert.equal(error.code, "ERR_BANK");
        assert.ok(error.message.includes(got), error.message);
        return true;
      });
    }
    await assert.rejects(choose("builtin:/nowhere.json"), /\/nowhere\.json: expected a bank .* got ENOENT/);
  });
});

test("cue texts that read the same are one concept", () => {
  const { concepts, numWordless } = cueConcepts(plain);
  assert.deepEqual(concepts, [
    { name: "a bright smile", kind: "video", phrases: ["a bright smile", "the bright smile"] },
    { name: "a loud voice", kind: "audio", phrases: ["a loud voice"] },
  ]);
  assert.equal(numWordless, 1);
});
