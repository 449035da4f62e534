// `oppo data check` on folders made for it: clean, dirty in every way it looks for, and empty.
import assert from "node:assert/strict";
import { test } from "node:test";
import { mafw } from "../../../src/data/readers/mafw.ts";
import { merCaptionPlus } from "../../../src/data/readers/mer-caption-plus.ts";
import { checkData, checkDataNamed } from "../../../src/recipes/data/data-check.ts";
import { dataCheckText } from "../../../src/recipes/data/data-check-text.ts";
import { datasetFolder } from "../../support/dataset-folder.ts";
import { labelArchives } from "../../support/label-archives.ts";

const fold = (name: string) => `Train & Test Set/single/no_caption/set_1/${name}.txt`;
const clips = (...names: string[]) => Object.fromEntries(names.map((name) => [`clips/${name}.mp4`, ""]));

test("a clean set has nothing to repair; its counts are those of the files", async (t) => {
  const root = datasetFolder(t, {
    [fold("train")]: "1.mp4 anger\n2.mp4 anger\n3.mp4 fear\n",
    [fold("test")]: "4.mp4 anger\n5.mp4 neutral\n",
    ...clips("1", "2", "3", "4", "5"),
  });
  const check = await checkData(mafw, root);
  assert.deepEqual([check.isThere, check.problems, check.overlaps], [true, [], []]);
  const [train, measured, absent] = check.splits;
  assert.deepEqual(train!.labels, { angry: 2, fear: 1 });
  assert.deepEqual([train!.numSamples, measured!.numSamples, measured!.missingMedia], [3, 2, []]);
  assert.deepEqual([absent!.name, absent!.state], ["fold2-train", "absent"]);
  assert.match(dataCheckText(check), /fold1-train {2}3 .*\n(.*\n)*Nothing to repair\.$/);
  assert.doesNotMatch(dataCheckText(check), /Where to get it/);
});

test("missing clips, names in training and test, and bad rows are problems", async (t) => {
  const root = datasetFolder(t, {
    [fold("train")]: "1.mp4 anger\n2.mp4 rage\n3.mp4 fear\n",
    [fold("test")]: "3.mp4 fear\n4.mp4 fear\n4.mp4 fear\n",
    // Folds share clips by design: this is no overlap.
    [fold("train").replace("set_1", "set_2")]: "4.mp4 fear\n5.mp4 fear\n",
    ...clips("1", "3", "5"),
  });
  const check = await checkData(mafw, root);
  assert.deepEqual(check.overlaps, [{ training: "fold1-train", test: "fold1-test", names: ["3"] }]);
  assert.deepEqual(check.problems, [
    "fold1-train: 1 rows are no samples (see the rows below)",
    'fold1-test: 1 of 2 clips are missing, such as "clips/4.mp4"',
    'fold2-train: 1 of 2 clips are missing, such as "clips/4.mp4"',
    '1 names are in fold1-train and in fold1-test, such as "3"',
  ]);
  assert.ok(check.notes.includes("fold1-test: 1 repeated names; the last row counts, as officially"));
  assert.ok(check.notes.includes('fold1-test: every sample has the label "fear": placeholders, most likely'));
  const text = dataCheckText(check);
  assert.match(text, /set_1\/train\.txt:2: label "rage" is none of MAFW's eleven/);
  assert.match(text, /set_1\/test\.txt:2: repeated name "4": line 3 counts/);
});

test("open sets: empty label sets, separators that are none, the published count, and names of another set", async (t) => {
  const root = datasetFolder(t, {
    "mer2025-dataset/track2_train_mercaptionplus.csv": 'name,openset\na,"[calm\uff0ctired]"\nb,[]\nc,"[happy, sad]"\n',
    "mer2026-dataset/track2_train_human.csv": "name,openset\nb,[sad]\nz,[sad]\n",
    ...Object.fromEntries(["a", "b", "c"].map((name) => [`mer2025-dataset/video/${name}.mp4`, ""])),
  });
  const check = await checkDataNamed("MER-Caption+", root, [`human-ov=${root}`]);
  assert.deepEqual(check.overlaps, [{ training: "human-ov/train", test: "train", names: ["b"] }]);
  assert.deepEqual(check.problems, [
    'train: 3 of 3 sound files are missing, such as "mer2025-dataset/audio/a.wav", "mer2025-dataset/audio/b.wav", ' +
      `"mer2025-dataset/audio/c.wav"; to take the videos' own sound instead: oppo data export --sound video`,
    '1 names are in human-ov/train and in train, such as "b"',
  ]);
  assert.match(dataCheckText(check), /no clip {2}no sound file\n {2}train {2}3 .* 0 {8}3\n/);
  assert.deepEqual(check.splits[0]!.suspectLabels, ["calm\uff0ctired"]);
  assert.equal(check.splits[0]!.numWithoutLabels, 1);
  const notes = check.notes.slice(0, 4).map((note) => note.replace(/, such as.*/, ""));
  assert.deepEqual(notes, [
    "train: 3 samples where the publishers count 31327",
    "train: 1 samples have no label; no wheel scores them",
    "train: no sample has a subtitle",
    "train: 1 labels hold a separator that the official parser does not split at",
  ]);
  // All of the sound is yet to be downloaded: from where is said.
  assert.match(dataCheckText(check), /Where to get it\n(.*\n)*How the folder must look\n/);
  // Nothing to compare with is not "no overlap".
  const empty = await checkDataNamed("mer-caption-plus", root, [`human-ov=${root}/video`]);
  assert.match(empty.problems.join(), /human-ov in .*: nothing there to compare with/);
  await assert.rejects(checkDataNamed("mer-caption-plus", root, ["human-ov"]), { code: "ERR_DATASET_PAIR" });
});

test("where nothing is, it says what to download and how the folder must look", async (t) => {
  const check = await checkData(merCaptionPlus, datasetFolder(t, { "readme.txt": "" }));
  assert.equal(check.isThere, false);
  const text = dataCheckText(check);
  assert.match(text, /Where to get it\n {2}Hugging Face, MERChallenge\/MER2025/);
  assert.match(text, /How the folder must look\n {2}mer2025-dataset\/\n {4}video\/NAME\.mp4\n/);
  await assert.rejects(checkDataNamed("mer2022", "."), { code: "ERR_DATASET_UNKNOWN" });
});

test("a file that cannot be read is a problem of its splits, not the end of the check", async (t) => {
  const damaged = Buffer.from(labelArchives.words, "base64").subarray(0, 300);
  const check = await checkDataNamed("mer2023", datasetFolder(t, { "label-6way.npz": damaged }));
  assert.deepEqual(
    check.splits.map(({ state }) => state),
    ["unreadable", "unreadable", "unreadable", "unreadable"],
  );
  assert.match(check.problems[0]!, /^train: .*label-6way\.npz.*expected/);
});

test("control characters from files do not reach the terminal", async (t) => {
  const table = "name,openset\na,\u001b[31mred\na,[b\u0007]\n";
  const check = await checkDataNamed("human-ov", datasetFolder(t, { "track2_train_human.csv": table }));
  assert.ok(JSON.stringify(check).includes("\\u0007"));
  assert.match(dataCheckText(check), /train: b\? 1/);
  assert.doesNotMatch(dataCheckText(check).replaceAll("\n", ""), /\p{Cc}/u);
});
