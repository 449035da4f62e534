// DFEW, the single-labelled clips: tables `video_name,label` per fold with labels 1 to 7 (numbers as in jiangxingxun/DFEW,
// README.md; paths as in sunlicai/MAE-DFER, preprocess/dfew.py). Words are those of R1-Omni's evaluation.

import { findFile, mediaFinder, nameProblem, openFolder } from "../folder.ts";
import { foldSplits } from "../layouts/cross-validation.ts";
import { type AnnotatedSample, type DatasetReader, type DatasetReadOptions, skipCounter, splitOf } from "../reader.ts";
import { readTableByName } from "../table.ts";

/** In the order of the numbers 1 to 7. */
const words = ["happy", "sad", "neutral", "angry", "surprise", "disgust", "fear"];

export const dfew: DatasetReader = {
  name: "dfew",
  title: "DFEW",
  kind: "discrete",
  labels: words,
  splits: foldSplits,
  scoredSplit: "fold1-test",
  source: {
    access:
      "dfew-dataset.github.io: write to the authors from an academic address; they send the password of the archives.",
    layout: [
      "DFEW/",
      "  EmoLabel_DataSplit/train(single-labeled)/set_1.csv to set_5.csv    (video_name,label)",
      "  EmoLabel_DataSplit/test(single-labeled)/set_1.csv to set_5.csv",
      "  Clip/original/part_1/1.mp4    (or original/1.mp4, or videos/1.mp4)",
    ],
    traps: [
      "R1-Omni does not say which fold its numbers are from; others who rebuilt it used fold 5.",
      "Clip/clip_224x224 holds cut-out faces as pictures, without sound: use the original clips.",
    ],
  },
  read,
};

async function* read(root: string, splitName: string, options?: DatasetReadOptions): AsyncGenerator<AnnotatedSample> {
  const skip = skipCounter(options);
  const { name: split, role, fold } = splitOf(dfew, splitName);
  const folder = openFolder(root, ["DFEW", "DFEW-part2"]);
  const file = findFile(folder, [
    `EmoLabel_DataSplit/${role}(single-labeled)/set_${fold}.csv`,
    `label/single_${role}set_${fold}.csv`,
  ]);
  const video = mediaFinder(folder, ["Clip/original", "Clip/original/*", "videos", "all_parts"], [".mp4", ".avi"]);
  for (const [cell, { line, cells }] of await readTableByName(file, "video_name", ["video_name", "label"], skip)) {
    // The tables have numbers, the clips are named by the number without leading zeros.
    const name = /^\d+(\.0)?$/.test(cell) ? String(Number(cell)) : cell;
    const word = words[Number(cells.label) - 1];
    const unsafe = nameProblem(name);
    if (unsafe !== null) skip({ kind: "unsafe-name", file, line, reason: unsafe, name });
    else if (word === undefined || cells.label.trim() === "") {
      skip({
        kind: "unknown-label",
        file,
        line,
        reason: `label "${cells.label}" is none of 1 to ${words.length}`,
        name,
      });
    } else {
      const meta = { dataset: dfew.title, split };
      const sample = { id: name, media: video(name), subtitle: "", labels: [word], reasoning: "", cues: [], meta };
      yield { sample, annotation: word };
    }
  }
}
