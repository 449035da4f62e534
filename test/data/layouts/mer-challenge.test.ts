// The open-vocabulary sets in the layouts of the MER2025 and MER2026 releases and of MER-UniBench, on rows made up here.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readDataset, readGroundTruth } from "../../../src/data/read-dataset.ts";
import { humanOv } from "../../../src/data/readers/human-ov.ts";
import { merCaptionPlus } from "../../../src/data/readers/mer-caption-plus.ts";
import { mer2025Ov } from "../../../src/data/readers/mer2025-ov.ts";
import { ovMerd } from "../../../src/data/readers/ov-merd.ts";
import { ovMerdPlus } from "../../../src/data/readers/ov-merd-plus.ts";
import { datasetFolder, readAll } from "../../support/dataset-folder.ts";

const subtitles = 'name,chinese,english\nclip_a,\u6ca1\u4e8b\u3002,"Never mind, it\'s fine."\nclip_b,\u597d\u3002,\n';

test("MER-Caption+: labels, description, subtitle and media of a clip", async (t) => {
  const root = datasetFolder(t, {
    "mer2025-dataset/track2_train_mercaptionplus.csv":
      'name,openset\nclip_a,"[Happy, surprised]"\nclip_b,[]\nclip_c,"[calm\uff0ctired]"\n',
    "mer2025-dataset/track3_train_mercaptionplus.csv": 'name,reason\nclip_a,"In the video, she smiles."\n',
    "mer2025-dataset/subtitle_chieng.csv": subtitles,
    "mer2025-dataset/video/clip_b.avi": "",
  });
  const { samples, annotations, problems } = await readAll(merCaptionPlus, root, "train");
  assert.deepEqual(samples[0], {
    id: "clip_a",
    media: "mer2025-dataset/video/clip_a.mp4",
    audio: "mer2025-dataset/audio/clip_a.wav",
    subtitle: "Never mind, it's fine.",
    labels: ["happy", "surprised"],
    reasoning: "In the video, she smiles.",
    cues: [],
    meta: { dataset: "MERCaptionPlus", split: "train" },
  });
  // An empty set is trained on as neutral and scored as empty; the full-width comma is no separator of the official parser.
  assert.deepEqual(
    samples.map(({ media, subtitle, labels }) => [media.split("/").at(-1), subtitle, labels]),
    [
      ["clip_a.mp4", "Never mind, it's fine.", ["happy", "surprised"]],
      ["clip_b.avi", "", ["neutral"]],
      ["clip_c.mp4", "", ["calm\uff0ctired"]],
    ],
  );
  assert.deepEqual(annotations, [
    ["clip_a", "[Happy, surprised]"],
    ["clip_b", "[]"],
    ["clip_c", "[calm\uff0ctired]"],
  ]);
  assert.deepEqual(problems, []);
});

test("OV-MERD+: the names are those of the subtitle table; a name without a label row is counted", async (t) => {
  const root = datasetFolder(t, {
    "ovmerdplus-process/subtitle_eng.csv": "name,sentence\nclip_b,Go away!\nclip_x,Hm.\nclip_a,\n",
    "ovmerdplus-process/ovlabel.csv": "name,openset\nclip_a,\"['sad', 'lost']\"\nclip_b,\nclip_z,[calm]\n",
  });
  const { samples, annotations, problems, reasons } = await readAll(ovMerdPlus, root, "test");
  assert.deepEqual(annotations, [
    ["clip_b", null],
    ["clip_a", "['sad', 'lost']"],
  ]);
  assert.deepEqual(
    samples.map(({ labels, subtitle }) => [labels, subtitle]),
    [
      [["neutral"], "Go away!"],
      [["sad", "lost"], ""],
    ],
  );
  assert.deepEqual([problems, reasons], [[["unlabelled", 0]], ['no row for "clip_x" of subtitle_eng.csv']]);
});

describe("the other sets of the releases", () => {
  const cases = [
    { reader: ovMerd, folder: "mer2025-dataset", file: "track2_train_ovmerd.csv", split: "train" },
    { reader: mer2025Ov, folder: "mer2025-dataset", file: "track2_test.csv", split: "test" },
    { reader: humanOv, folder: "mer2026-dataset", file: "track2_train_human.csv", split: "train" },
  ];
  for (const { reader, folder, file, split } of cases) {
    test(reader.title, async (t) => {
      // The root may be the data set's own folder; without a subtitle table there are no subtitles.
      const root = datasetFolder(t, {
        [file]: 'name,openset\nclip_a,"worried,sad"\n',
        "subtitle_chieng.csv": subtitles,
      });
      const truth = await readGroundTruth(reader, root);
      assert.deepEqual(
        [truth.dataset, truth.kind, [...truth.rows]],
        [reader.title, "open", [["clip_a", "worried,sad"]]],
      );
      for await (const { id, labels, media, subtitle } of readDataset(reader, root, split)) {
        assert.deepEqual([id, labels, media], ["clip_a", ["worried", "sad"], "video/clip_a.mp4"]);
        assert.equal(subtitle, "Never mind, it's fine.");
      }
      await assert.rejects(readGroundTruth(reader, datasetFolder(t, { [`${folder}/video/a.mp4`]: "" })), (error) => {
        assert.match((error as Error).message, new RegExp(`${folder}/${file}: expected a file of the data set`));
        return (error as { code?: string }).code === "ERR_DATASET_ABSENT";
      });
    });
  }
});

test("MER2026's unpacked parts are found in their groups", async (t) => {
  const root = datasetFolder(t, {
    "mer2026-dataset/track2_train_human.csv": "name,openset\na,[sad]\n",
    "mer2026-dataset/video_7z/0007/a.mp4": "",
    "mer2026-dataset/audio_7z/0007/a.wav": "",
  });
  const { samples } = await readAll(humanOv, root, "train");
  assert.equal(samples[0]!.media, "mer2026-dataset/video_7z/0007/a.mp4");
  assert.equal(samples[0]!.audio, "mer2026-dataset/audio_7z/0007/a.wav");
});

test("MER2025's candidates have names and no labels, and cannot be scored on", async (t) => {
  const root = datasetFolder(t, {
    "track_all_candidates.csv": "name\nclip_a\nclip_b\n",
    "subtitle_chieng.csv": subtitles,
  });
  const { samples, annotations } = await readAll(mer2025Ov, root, "candidates");
  assert.deepEqual(annotations, [
    ["clip_a", null],
    ["clip_b", null],
  ]);
  assert.deepEqual(
    samples.map(({ labels }) => labels),
    [[], []],
  );
  await assert.rejects(readGroundTruth(mer2025Ov, root, "candidates"), { code: "ERR_DATASET_EMPTY" });
});

test("names that leave the folder, repeated names and other columns", async (t) => {
  const table = "name,openset\n../../etc/passwd,[a]\nb,[b]\nc\\d,[c]\n,[d]\nb,[second]\n..,[e]\n";
  const root = datasetFolder(t, { "mer2026-dataset/track2_train_human.csv": table });
  const { annotations, problems } = await readAll(humanOv, root, "train");
  assert.deepEqual(annotations, [["b", "[second]"]]);
  assert.deepEqual(problems, [
    ["repeated-name", 3],
    ["unsafe-name", 2],
    ["unsafe-name", 4],
    ["unsafe-name", 5],
    ["unsafe-name", 7],
  ]);
  // A score must not come from fewer samples than the set has.
  await assert.rejects(readGroundTruth(humanOv, root), { code: "ERR_DATASET_TOO_MANY_BAD_ROWS" });
  const truth = await readGroundTruth(humanOv, root, "train", { maxSkippedRows: 4 });
  assert.deepEqual([[...truth.rows], truth.repeatedNames], [[["b", "[second]"]], ["b"]]);

  const other = datasetFolder(t, { "mer2026-dataset/track2_train_human.csv": "name,labels\na,[a]\n" });
  await assert.rejects(readAll(humanOv, other, "train"), { code: "ERR_DATASET_TABLE_COLUMNS" });
  await assert.rejects(readAll(humanOv, root, "test"), { code: "ERR_DATASET_SPLIT_UNKNOWN" });
});
