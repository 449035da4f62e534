// From files of answers to the table and its verdicts, on answers whose outcome is known; and the files made of data folders.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import type { TestSet } from "../../../src/recipes/r1-omni/material.ts";
import { runPaths } from "../../../src/recipes/r1-omni/paths.ts";
import { publishedMaterial } from "../../../src/recipes/r1-omni/published-data.ts";
import { resultsOf } from "../../../src/recipes/r1-omni/results.ts";
import { type RowName, rowNames } from "../../../src/recipes/r1-omni/rows.ts";
import { rOneOmniSettings } from "../../../src/recipes/r1-omni/settings.ts";
import { trainingsOf } from "../../../src/recipes/r1-omni/stages.ts";
import { finding, resultsText } from "../../../src/recipes/r1-omni/text.ts";
import { resolveSft } from "../../../src/recipes/sft/settings.ts";
import { resolveTrain } from "../../../src/recipes/train/run-config.ts";
import { datasetFolder } from "../../support/dataset-folder.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const numClips = 120;
const numSeeds = 3;

/** Answers of which a share is right and another is no word of the set, by the clip's number. */
function answered(t: TestContext, right: Readonly<Record<RowName, number>>, set: TestSet) {
  const paths = runPaths(temporaryFolder(t));
  for (const row of rowNames) {
    for (let seed = 0; seed < (row === "base" ? 1 : numSeeds); seed++) {
      const answers = Array.from({ length: numClips }, (_, i) => {
        const gold = i % 2 === 0 ? "happy" : "sad";
        const other = gold === "sad" ? "happy" : "sad";
        const said = (i * 7 + seed) % 100 < right[row] ? gold : i % 10 === 0 ? "joyful" : other;
        return { id: `${i}`, media: "clip.mp4", gold, text: row === "rlvr" ? `<answer>${said}</answer>` : said };
      });
      const file = paths.answers(row, seed, set.title);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify(answers));
    }
  }
  return resultsOf([set], numSeeds, paths);
}

const set: TestSet = { title: "RAVDESS", file: "none", labels: ["happy", "sad"], isOutside: true };

test("clear orderings hold or do not; what resamples cannot tell apart is said to be so", (t) => {
  const results = answered(t, { base: 10, cold: 50, labels: 50, rlvr: 90 }, set);
  const verdicts = results.orderings
    .filter(({ measure }) => measure === "war")
    .map(({ better, worse, verdict }) => [better, worse, verdict]);
  assert.deepEqual(verdicts, [
    ["cold", "base", "holds"],
    ["labels", "cold", "cannot tell"],
    ["rlvr", "labels", "holds"],
  ]);
  const worse = answered(t, { base: 10, cold: 50, labels: 90, rlvr: 50 }, set);
  assert.equal(worse.orderings.at(-1)!.verdict, "does not hold");
  assert.match(finding(worse), /On RAVDESS, out of distribution, RLVR is below label SFT/);
  const [table] = results.sets;
  assert.deepEqual(
    table!.rows.map(({ numSeeds }) => numSeeds),
    [1, 3, 3, 3],
  );
  assert.deepEqual(table!.rows[3]!.published, [43, 44.69]);
  assert.ok(table!.rows[0]!.report.outside!.value! > 0.05, "words outside of the set are counted");
  assert.match(resultsText(results), /RLVR \(R1-Omni\), 3 seeds .*43\.00 \/ 44\.69/);
});

const dfewFiles = {
  "DFEW/EmoLabel_DataSplit/train(single-labeled)/set_1.csv": "video_name,label\n1,1\n2,2\n",
  "DFEW/EmoLabel_DataSplit/test(single-labeled)/set_1.csv": "video_name,label\n3,4\n",
  "RAVDESS/Actor_01/01-01-05-01-01-01-01.mp4": "",
  "EMER/dataset-v1/gt-eng.csv": "names,emotions,subtitles,reasons\nclip1,worried,oh no,He frowns.\n",
};

test("data folders become R1-Omni's files, media behind a link", async (t) => {
  const data = datasetFolder(t, dfewFiles);
  const paths = runPaths(temporaryFolder(t));
  const config = rOneOmniSettings.parse({ model: "base", data, sets: ["dfew", "ravdess"] });
  const material = await publishedMaterial(config, paths);
  const rows = JSON.parse(readFileSync(material.labels.file, "utf8"));
  assert.equal(rows.length, 2);
  assert.deepEqual(rows[1].conversations[1], { from: "gpt", value: "sad" });
  assert.match(rows[1].video, /^clips-media\/DFEW\/.*2\.mp4$/);
  const [cold] = JSON.parse(readFileSync(material.cold.file, "utf8"));
  assert.equal(cold.conversations[1].value, "<think>He frowns.</think>\n<answer>worried</answer>");
  assert.match(cold.conversations[0].value, /^<video>\n<audio>\nAs an emotional recognition expert; throughout/);
  const sample = JSON.parse(readFileSync(material.rlvr, "utf8").split("\n")[0]!);
  assert.deepEqual([sample.labels, sample.reasoning, sample.subtitle], [["happy"], "", ""]);
  assert.deepEqual(
    material.sets.map(({ title, isOutside, labels }) => [title, isOutside, labels.length]),
    [
      ["DFEW", false, 7],
      ["RAVDESS", true, 8],
    ],
  );
  await assert.rejects(publishedMaterial({ ...config, sets: ["ravdess"] }, paths), { code: "ERR_R1_OMNI_DATA" });
  await assert.rejects(publishedMaterial({ ...config, model: null }, paths), { code: "ERR_R1_OMNI_DATA" });
});

test("trainings are what sft and train take, with the paper's figures where nothing else is said", async (t) => {
  const folder = temporaryFolder(t);
  const paths = runPaths(folder);
  const media = { file: join(folder, "rows.json"), media: folder };
  const material = {
    ...{ base: "base", cold: media, labels: media, rlvr: join(folder, "rlvr.jsonl"), sets: [set] },
    questions: { plain: "what?", thinking: "why?" },
  };
  for (const theatre of [false, true]) {
    const [[cold, labels], [rlvr]] = trainingsOf(2, material, rOneOmniSettings.parse({ theatre }), paths) as never as [
      [{ settings: object }, { settings: object }],
      [{ settings: object }],
    ];
    const file = (settings: object, name: string) => {
      const path = join(folder, `${name}.json`);
      writeFileSync(path, JSON.stringify(settings));
      return { file: path };
    };
    const first = resolveSft(file(cold.settings, "cold"));
    const second = resolveSft(file(labels.settings, "labels"));
    const third = resolveTrain(file(rlvr.settings, "rlvr"));
    assert.equal(third.model, join(paths.training("cold-2"), "model"));
    assert.deepEqual([third.groupSize, third.referenceKlWeight, third.question], [8, 0.04, "why?"]);
    assert.ok(new Set([first.seed, second.seed, third.seed]).size === 3);
    if (theatre) continue;
    assert.deepEqual([first.epochs, first.samplesPerStep, first.parts], [5, 16, ["decoder", "projector", "gate"]]);
    assert.deepEqual([second.epochs, second.samplesPerStep], [1, 128]);
    assert.deepEqual([third.steps, third.parts, third.learningRate], [1913, ["decoder", "projector"], 1e-6]);
  }
});
