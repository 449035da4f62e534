// EMER, DFEW, MAFW, RAVDESS and SABER in their own layouts, on rows made up here.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readGroundTruth } from "../../../src/data/read-dataset.ts";
import { dfew } from "../../../src/data/readers/dfew.ts";
import { emer } from "../../../src/data/readers/emer.ts";
import { mafw } from "../../../src/data/readers/mafw.ts";
import { ravdess } from "../../../src/data/readers/ravdess.ts";
import { saber } from "../../../src/data/readers/saber.ts";
import { datasetFolder, readAll } from "../../support/dataset-folder.ts";

test("EMER v1 and v2: reasons, with or without a word and a subtitle", async (t) => {
  const root = datasetFolder(t, {
    "EMER/dataset-v1/gt-eng.csv":
      'names,emotions,subtitles,reasons\nsample_1,Angry,"Go, now!","He shouts ""go"", so he is angry."\nsample_2,happy,,\n../x,sad,,r\n',
    "EMER/dataset-v2/final-EMER-reason.csv": 'name,chinese,english\nsample_3,\u5728,"In the video, a man frowns."\n',
    "EMER/video/sample_3.avi": "",
  });
  const first = await readAll(emer, root, "v1");
  assert.deepEqual(first.samples, [
    {
      id: "sample_1",
      media: "EMER/video/sample_1.mp4",
      subtitle: "Go, now!",
      labels: ["angry"],
      reasoning: 'He shouts "go", so he is angry.',
      cues: [],
      meta: { dataset: "EMER", split: "v1" },
    },
  ]);
  assert.deepEqual(first.annotations, [["sample_1", "angry"]]);
  assert.deepEqual(first.problems, [
    ["unlabelled", 3],
    ["unsafe-name", 4],
  ]);
  const second = await readAll(emer, root, "v2");
  assert.deepEqual(
    second.samples.map(({ id, media, labels, reasoning }) => [id, media, labels, reasoning]),
    [["sample_3", "EMER/video/sample_3.avi", [], "In the video, a man frowns."]],
  );
  const other = datasetFolder(t, { "final-EMER-reason.csv": "names,chinese,english\na,b,c\n" });
  await assert.rejects(readAll(emer, other, "v2"), { code: "ERR_DATASET_TABLE_COLUMNS" });
});

test("DFEW: numbers 1 to 7, clips by number in any part", async (t) => {
  const root = datasetFolder(t, {
    "DFEW/EmoLabel_DataSplit/test(single-labeled)/set_2.csv":
      "video_name,label\n00001,1\n17,5\n18,8\n19,\n..,2\n17,6\n20,0\n",
    "DFEW/EmoLabel_DataSplit/train(single-labeled)/set_2.csv": "video_name,label\n21,7\n",
    "DFEW/Clip/original/part_1/1.mp4": "",
    "DFEW/Clip/original/part_2/17.avi": "",
  });
  const { samples, annotations, problems } = await readAll(dfew, root, "fold2-test");
  assert.deepEqual(annotations, [
    ["1", "happy"],
    ["17", "disgust"],
  ]);
  assert.deepEqual(
    samples.map(({ media, labels }) => [media, labels]),
    [
      ["DFEW/Clip/original/part_1/1.mp4", ["happy"]],
      ["DFEW/Clip/original/part_2/17.avi", ["disgust"]],
    ],
  );
  assert.deepEqual(problems, [
    ["repeated-name", 3],
    ["unknown-label", 4],
    ["unknown-label", 5],
    ["unsafe-name", 6],
    ["unknown-label", 8],
  ]);
  assert.deepEqual((await readAll(dfew, root, "fold2-train")).annotations, [["21", "fear"]]);
  await assert.rejects(readAll(dfew, root, "fold1-test"), { code: "ERR_DATASET_ABSENT" });

  const older = datasetFolder(t, { "label/single_testset_1.csv": "video_name,label\n3,3\n", "data/3/1.jpg": "" });
  const truth = await readGroundTruth(dfew, older);
  assert.deepEqual([truth.dataset, truth.kind, [...truth.rows]], ["DFEW", "discrete", [["3", "neutral"]]]);
});

test("MAFW: lines of clip and noun; the nouns become the words that are scored", async (t) => {
  const lines = ["\ufeff00001.mp4 anger", "00002.mp4 happiness", "", "00003.mp4 joy", "00004.mp4", "00005.mp4 fear x"];
  const nouns = ["disgust", "sadness", "surprise", "contempt", "disappointment", "helplessness", "anxiety", "neutral"];
  const rest = nouns.map((noun, index) => `001${index}.mp4\t${noun}`);
  const root = datasetFolder(t, {
    "Train & Test Set/single/no_caption/set_5/test.txt": [...lines, ...rest, "../up.mp4 fear", "00002.mp4 fear"].join(
      "\r\n",
    ),
    "data/clips/00001.mp4": "",
  });
  const { annotations, samples, problems } = await readAll(mafw, root, "fold5-test");
  assert.deepEqual(
    annotations.map(([, word]) => word),
    ["angry", "fear", "disgust", "sad", "surprise", "contemptuous", "disappointed", "helpless", "anxious", "neutral"],
  );
  assert.deepEqual([samples[0]!.id, samples[0]!.media], ["00001", "data/clips/00001.mp4"]);
  assert.deepEqual(problems, [
    ["malformed", 5],
    ["malformed", 6],
    ["repeated-name", 2],
    ["unknown-label", 4],
    ["unsafe-name", 15],
  ]);
  assert.equal(mafw.labels.length, 11);
});

test("RAVDESS: the names hold the labels; songs and silent takes are left out", async (t) => {
  const clips = ["01-01-06-01-02-01-12", "01-01-08-02-01-02-12", "02-01-06-01-02-01-12", "01-02-06-01-02-01-12"];
  const wrong = ["01-01-09-01-02-01-12", "01-01-01-01-02-01-11", "take-two"];
  const files = [...clips, ...wrong].map((name) => [`RAVDESS/Actor_12/${name}.mp4`, ""]);
  const root = datasetFolder(t, {
    ...Object.fromEntries(files),
    "RAVDESS/Actor_12/notes.txt": "",
    "RAVDESS/readme": "",
  });
  const { samples, annotations, reasons } = await readAll(ravdess, root, "all");
  assert.deepEqual(annotations, [
    ["01-01-06-01-02-01-12", "fear"],
    ["01-01-08-02-01-02-12", "surprise"],
  ]);
  assert.deepEqual(samples[1], {
    id: "01-01-08-02-01-02-12",
    media: "RAVDESS/Actor_12/01-01-08-02-01-02-12.mp4",
    subtitle: "Kids are talking by the door",
    labels: ["surprise"],
    reasoning: "",
    cues: [],
    meta: { dataset: "RAVDESS", split: "all", actor: 12, intensity: "strong" },
  });
  assert.equal(reasons.length, 3);
  assert.match(reasons[2]!, /seven two-digit numbers/);
  await assert.rejects(readAll(ravdess, datasetFolder(t, { "Actor_1.txt": "" }), "all"), {
    code: "ERR_DATASET_ABSENT",
  });
});

test("SABER: descriptions by modality, with or without a folder per corpus", async (t) => {
  const whole = {
    audio_desc: { speech_content: "Why?", acoustic_feat: "A low voice." },
    video_desc: "A kitchen.",
    facial_exp_desc: "Brows are raised.",
    body_lang_desc: "",
    sentiment_analysis: "He is curious.",
  };
  const root = datasetFolder(t, {
    "SABER/json/a.json": JSON.stringify(whole),
    "SABER/json/b.json": "{",
    "SABER/json/c.json": JSON.stringify({ audio_desc: { speech_content: "Go" } }),
    "SABER/json/d.json": JSON.stringify({ video_desc: ["a"] }),
    "SABER/json/MELD/dia0_utt0.json": JSON.stringify({ facial_exp_desc: "A smile." }),
    "SABER/video/MELD/dia0_utt0.avi": "",
  });
  const { samples, annotations, problems } = await readAll(saber, root, "train");
  const descriptions = [
    { kind: "video", text: "A kitchen." },
    { kind: "video", text: "Brows are raised." },
    { kind: "audio", text: "A low voice." },
    { kind: "emotion", text: "He is curious." },
  ];
  assert.deepEqual(samples[0], {
    id: "a",
    media: "SABER/video/a.mp4",
    subtitle: "Why?",
    labels: [],
    reasoning: "A kitchen.\nBrows are raised.\nA low voice.\nHe is curious.",
    cues: [],
    meta: { dataset: "SABER", split: "train", descriptions },
  });
  assert.deepEqual([samples[1]!.id, samples[1]!.media], ["MELD_dia0_utt0", "SABER/video/MELD/dia0_utt0.avi"]);
  assert.deepEqual(
    annotations.map(([, annotation]) => annotation),
    [null, null],
  );
  assert.deepEqual(
    problems.map(([kind]) => kind),
    ["malformed", "unlabelled", "malformed"],
  );
});
