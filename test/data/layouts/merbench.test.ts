// The eight sets in MERBench's layout: archives as numpy writes them, CSV in their place, and rows that are none.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readGroundTruth } from "../../../src/data/read-dataset.ts";
import { chSims } from "../../../src/data/readers/ch-sims.ts";
import { chSimsV2 } from "../../../src/data/readers/ch-sims-v2.ts";
import { cmuMosei } from "../../../src/data/readers/cmu-mosei.ts";
import { cmuMosi } from "../../../src/data/readers/cmu-mosi.ts";
import { iemocapFour } from "../../../src/data/readers/iemocap-four.ts";
import { meld } from "../../../src/data/readers/meld.ts";
import { mer2023 } from "../../../src/data/readers/mer2023.ts";
import { mer2024 } from "../../../src/data/readers/mer2024.ts";
import { datasetFolder, readAll } from "../../support/dataset-folder.ts";
import { labelArchives } from "../../support/label-archives.ts";

const archive = (name: keyof typeof labelArchives): Buffer => Buffer.from(labelArchives[name], "base64");

describe("archives as numpy writes them", () => {
  test("MER2023: words; the video may be .avi, the transcript is the English one", async (t) => {
    const root = datasetFolder(t, {
      "mer2023-dataset-process/label-6way.npz": archive("words"),
      "mer2023-dataset-process/transcription-engchi-polish.csv":
        "name,chinese,english\nsample_00000003,\u55ef\u3002,Hm.\nsamplenew_00000004,,\n",
      "mer2023-dataset-process/video/sample_00000003.avi": "",
    });
    const { samples, annotations, problems } = await readAll(mer2023, root, "test1");
    assert.deepEqual(samples[0], {
      id: "sample_00000003",
      media: "mer2023-dataset-process/video/sample_00000003.avi",
      audio: "mer2023-dataset-process/audio/sample_00000003.wav",
      subtitle: "Hm.",
      labels: ["worried"],
      reasoning: "",
      cues: [],
      meta: {
        dataset: "MER2023",
        split: "test1",
        strength: -1.25,
      },
    });
    assert.deepEqual(annotations, [
      ["sample_00000003", "worried"],
      ["samplenew_00000004", "neutral"],
    ]);
    assert.deepEqual(problems, []);
    // A seventh word is no label of the set: the row is counted, by its place in the corpus.
    const train = await readAll(mer2023, root, "train");
    assert.deepEqual(train.annotations, [["sample_00000001", "happy"]]);
    assert.deepEqual(train.problems, [["unknown-label", 2]]);
    assert.match(train.reasons[0]!, /^sample_00000002: label "contempt" is none of neutral, angry/);
    await assert.rejects(readAll(mer2023, root, "test3"), {
      code: "ERR_DATASET_NO_CORPUS",
      message: /expected the corpus test3_corpus, got train_corpus, test1_corpus/,
    });
  });

  test("MELD: class numbers become words; a number without a class and a name with a path are counted", async (t) => {
    const root = datasetFolder(t, { "label.npz": archive("numbers") });
    const { annotations, problems, samples } = await readAll(meld, root, "test");
    assert.deepEqual(annotations, [["test_dia0_utt0", "joy"]]);
    assert.deepEqual(problems, [
      ["unsafe-name", 3],
      ["unknown-label", 2],
    ]);
    // -10 is MERBench's "no value".
    assert.deepEqual(samples[0]!.meta, { dataset: "MELD", split: "test" });
    assert.equal(samples[0]!.audio, "subaudio/test_dia0_utt0.wav");
    assert.deepEqual((await readAll(meld, root, "train")).annotations, [["train_dia0_utt0", "anger"]]);
    assert.deepEqual((await readAll(meld, root, "val")).annotations, [["dev_dia0_utt1", "surprise"]]);
  });

  test("CMU-MOSI: NumPy scalars of both widths; off the scale and NaN are counted", async (t) => {
    const root = datasetFolder(t, { "cmumosi-process/label.npz": archive("strengths") });
    const { annotations, samples, problems } = await readAll(cmuMosi, root, "test");
    assert.deepEqual(annotations, [
      ["cD4_1", -1.75],
      ["cD4_2", 0],
    ]);
    assert.deepEqual(
      samples.map(({ labels }) => labels),
      [["negative"], ["neutral"]],
    );
    assert.deepEqual(problems, [
      ["unknown-label", 3],
      ["unknown-label", 4],
    ]);
    assert.deepEqual((await readAll(cmuMosi, root, "train")).annotations, [["aB3_1", 2.4]]);
    assert.deepEqual((await readAll(cmuMosi, root, "val")).annotations, [["aB3_2", -0.5]]);
    await assert.rejects(readGroundTruth(cmuMosi, root), { code: "ERR_DATASET_TOO_MANY_BAD_ROWS" });
  });
});

test("MER2024: the Chinese transcript, as the official code has it", async (t) => {
  const root = datasetFolder(t, {
    "mer2024-dataset-process/label-6way.npz": archive("words"),
    "mer2024-dataset-process/transcription_merge.csv": "name,chinese\nsample_00000003,\u55ef\u3002\n",
  });
  const { samples } = await readAll(mer2024, root, "test1");
  assert.deepEqual(
    samples.map(({ id, subtitle, labels }) => [id, subtitle, labels]),
    [
      ["sample_00000003", "\u55ef\u3002", ["worried"]],
      ["samplenew_00000004", "", ["neutral"]],
    ],
  );
});

test("IEMOCAP: session 5 is the test set, and its subtitle table may repeat names", async (t) => {
  const root = datasetFolder(t, {
    "iemocap-process/label_4way.csv":
      "corpus,name,emo,val\nwhole_corpus,Ses01F_impro01_F000,0,-10\nwhole_corpus,Ses05M_script01_M003,3,-10\nwhole_corpus,Ses05F_impro02_F001,4,-10\n",
    "iemocap-process/transcription-engchi-polish.csv":
      "name,chinese,english\nSes05M_script01_M003,,first\nSes05M_script01_M003,,No way.\n",
  });
  const { samples, annotations, problems } = await readAll(iemocapFour, root, "test");
  assert.deepEqual(annotations, [["Ses05M_script01_M003", "anger"]]);
  assert.deepEqual(
    [samples[0]!.subtitle, samples[0]!.media],
    ["No way.", "iemocap-process/subvideo-tgt/Ses05M_script01_M003.avi"],
  );
  assert.deepEqual(problems, [
    ["repeated-name", 2],
    ["unknown-label", 4],
  ]);
  assert.deepEqual((await readAll(iemocapFour, root, "train")).annotations, [["Ses01F_impro01_F000", "happy"]]);
});

describe("the sentiment sets", () => {
  const cases = [
    { reader: cmuMosei, folder: "cmumosei-process", video: "subvideo_new", strongest: 3 },
    { reader: chSims, folder: "sims-process", video: "video", strongest: 1 },
    { reader: chSimsV2, folder: "simsv2-process", video: "video_new", strongest: 1 },
  ];
  for (const { reader, folder, video, strongest } of cases) {
    test(reader.title, async (t) => {
      const rows = [
        `test_corpus,a,0,${-strongest}`,
        "test_corpus,b,0,0.2",
        `test_corpus,c,0,${strongest + 0.1}`,
        "test_corpus,d,0,",
      ];
      const root = datasetFolder(t, {
        [`${folder}/label.csv`]: `corpus,name,emo,val\n${rows.join("\n")}\ntrain_corpus,e,0,0\n`,
        [`${folder}/transcription-engchi-polish.csv`]: "name,chinese,english\na,,I hate it\n",
      });
      const { annotations, samples, problems } = await readAll(reader, root, "test");
      assert.deepEqual(annotations, [
        ["a", -strongest],
        ["b", 0.2],
      ]);
      assert.deepEqual([samples[0]!.media, samples[0]!.subtitle], [`${folder}/${video}/a.mp4`, "I hate it"]);
      assert.deepEqual(problems, [
        ["unknown-label", 4],
        ["unlabelled", 5],
      ]);
      const truth = await readGroundTruth(reader, root, "test", { maxSkippedRows: 2 });
      assert.deepEqual([truth.dataset, truth.kind, truth.rows.size], [reader.title, "sentiment", 2]);
    });
  }
});

test("a pickle in place of the archive is refused with the way out, and what is no archive is refused", async (t) => {
  const root = datasetFolder(t, { "sims-process/label.pkl": "cos\nsystem\n(S'true'\ntR." });
  await assert.rejects(readAll(chSims, root, "test"), {
    code: "ERR_DATASET_PICKLE",
    message: /label\.pkl: expected a label file as \.npz or \.csv, got a pickle.*corpus,name,emo,val/,
  });
  const text = datasetFolder(t, { "sims-process/label.npz": "not a zip" });
  await assert.rejects(readAll(chSims, text, "test"), { code: "ERR_NPZ_UNREADABLE" });
  const columns = datasetFolder(t, { "sims-process/label.csv": "name,emo,val\na,0,1\n" });
  await assert.rejects(readAll(chSims, columns, "test"), { code: "ERR_DATASET_TABLE_COLUMNS" });
});
