// A published set as JSON lines: what was read comes back, media are found from where the file lies, nothing is left out
// without a word.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { audioPath, loadSamples, mediaPath } from "../../../src/data/jsonl.ts";
import { exportText } from "../../../src/recipes/data/data-check-text.ts";
import { type ExportRequest, exportDataset } from "../../../src/recipes/data/data-export.ts";
import { datasetFolder } from "../../support/dataset-folder.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const files = {
  "mer2025-dataset/track2_train_mercaptionplus.csv": 'name,openset\na,"[calm, tired]"\nb,[happy]\n../c,[sad]\n',
  "mer2025-dataset/track3_train_mercaptionplus.csv": "name,reason\na,He smiles.\n",
  "mer2025-dataset/subtitle_chieng.csv": "name,chinese,english\na,x,Hello.\n",
  "mer2025-dataset/video/a.mp4": "",
  "mer2025-dataset/video/b.mp4": "",
  "mer2025-dataset/audio/a.wav": "",
};
const request = (root: string, out: string, more: Partial<ExportRequest> = {}): ExportRequest => ({
  ...{
    dataset: "mer-caption-plus",
    root,
    split: "train",
    out,
    sound: "files",
    missing: "leave-out",
    maxSkippedRows: 10,
  },
  ...more,
});

test("samples, sound files and reasons come back; what is not there is named", async (t) => {
  const root = datasetFolder(t, files);
  const out = join(root, "train.jsonl");
  const result = await exportDataset(request(root, out));
  assert.deepEqual(result, {
    ...{
      dataset: "MERCaptionPlus",
      split: "train",
      file: out,
      numSamples: 1,
      numSkippedRows: 1,
      leftOut: ["b"],
      link: null,
    },
  });
  assert.equal(
    exportText(result),
    `MERCaptionPlus, train: 1 samples in ${out}\n1 rows are no samples (oppo data check names them)\n1 samples without their media were left out`,
  );
  const { samples, skipped } = await loadSamples(out);
  assert.deepEqual(skipped, []);
  assert.deepEqual(samples, [
    {
      id: "a",
      media: "mer2025-dataset/video/a.mp4",
      audio: "mer2025-dataset/audio/a.wav",
      subtitle: "Hello.",
      labels: ["calm", "tired"],
      reasoning: "He smiles.",
      cues: [],
      meta: { dataset: "MERCaptionPlus", split: "train" },
    },
  ]);
  const own = await exportDataset(request(root, out, { sound: "video", missing: "refuse" }));
  assert.equal(own.numSamples, 2);
  assert.ok((await loadSamples(out)).samples.every(({ audio }) => audio === undefined));
  await assert.rejects(exportDataset(request(root, out, { missing: "refuse" })), {
    code: "ERR_EXPORT_MEDIA",
    message:
      /audio\/b\.wav: expected the sound of b, got nothing there\. Take the video's own sound with --sound video/,
  });
  assert.equal((await loadSamples(out)).samples.length, 2, "a refused export leaves what was there");
});

test("a file elsewhere finds the media through a link; a file above the data needs none", async (t) => {
  const root = datasetFolder(t, files);
  const folder = join(temporaryFolder(t), "corpora");
  const out = join(folder, "train.jsonl");
  const { link } = await exportDataset(request(root, out));
  assert.equal(realpathSync(link!), realpathSync(root));
  const [sample] = (await loadSamples(out)).samples;
  assert.equal(sample!.media, "mer-caption-plus-media/mer2025-dataset/video/a.mp4");
  assert.ok(existsSync(mediaPath(folder, sample!)) && existsSync(audioPath(folder, sample!)!));
  assert.equal((await exportDataset(request(root, out))).link, link, "the same link serves again");
  await assert.rejects(exportDataset(request(join(root, "mer2025-dataset"), out)), { code: "ERR_EXPORT_LINK" });
  const above = join(root, "..", `${t.name.length}-above.jsonl`);
  t.after(() => writeFileSync(above, ""));
  const { link: none } = await exportDataset(request(root, above));
  assert.equal(none, null);
  const [found] = (await loadSamples(above)).samples;
  assert.ok(existsSync(mediaPath(join(root, ".."), found!)));
});

test("a split must be named where there are several; a set without any media is refused", async (t) => {
  const root = datasetFolder(t, { "Actor_01/01-01-01-01-01-01-01.mp4": "" });
  const out = join(root, "out.jsonl");
  assert.equal((await exportDataset(request(root, out, { dataset: "ravdess", split: null }))).split, "all");
  assert.match(readFileSync(out, "utf8"), /^\{"id":"01-01-01-01-01-01-01","media":"Actor_01\//);
  await assert.rejects(exportDataset(request(root, out, { dataset: "meld", split: null })), {
    code: "ERR_EXPORT_SPLIT",
    message: /meld: expected --split, one of .*test/,
  });
  const bare = datasetFolder(t, { "track2_train_mercaptionplus.csv": "name,openset\na,[sad]\n" });
  mkdirSync(join(bare, "video"));
  await assert.rejects(exportDataset(request(bare, join(bare, "x.jsonl"))), {
    code: "ERR_EXPORT_MEDIA",
    message: /expected samples of MERCaptionPlus, split train, with their media, got none of 1\./,
  });
  assert.equal(existsSync(join(bare, "x.jsonl")), false);
});
