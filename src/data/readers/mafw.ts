// MAFW, the single-labelled clips: lines `00001.mp4 anger` per fold (paths as in sunlicai/MAE-DFER, preprocess/mafw.py). The
// nouns of the files become the words of R1-Omni's evaluation.
import { readFileSync } from "node:fs";
import { findFile, mediaFinder, nameProblem, openFolder } from "../folder.ts";
import { foldSplits } from "../layouts/cross-validation.ts";
import {
  type AnnotatedSample,
  type DatasetReader,
  type DatasetReadOptions,
  type SkipRow,
  skipCounter,
  splitOf,
} from "../reader.ts";
import { checkSize } from "../table.ts";

const wordOfNoun: ReadonlyMap<string, string> = new Map([
  ["happiness", "happy"],
  ["surprise", "surprise"],
  ["neutral", "neutral"],
  ["anger", "angry"],
  ["disgust", "disgust"],
  ["sadness", "sad"],
  ["fear", "fear"],
  ["contempt", "contemptuous"],
  ["disappointment", "disappointed"],
  ["helplessness", "helpless"],
  ["anxiety", "anxious"],
]);

export const mafw: DatasetReader = {
  name: "mafw",
  title: "MAFW",
  kind: "discrete",
  labels: [...wordOfNoun.values()],
  splits: foldSplits,
  scoredSplit: "fold1-test",
  source: {
    access:
      "github.com/MAFW-database/MAFW: send the signed form from a university address; the authors send the links.",
    layout: [
      "MAFW/",
      "  Train & Test Set/single/no_caption/set_1/train.txt, test.txt    (00001.mp4 anger)",
      "  ... set_2 to set_5",
      "  data/clips/00001.mp4    (or clips/00001.mp4)",
    ],
    traps: [
      "R1-Omni does not say which fold its numbers are from; others who rebuilt it used fold 5.",
      "21 clips have no sound track that FFmpeg can read (count in a public preprocessing script).",
    ],
  },
  read,
};

async function* read(root: string, splitName: string, options?: DatasetReadOptions): AsyncGenerator<AnnotatedSample> {
  const skip = skipCounter(options);
  const { name: split, role, fold } = splitOf(mafw, splitName);
  const folder = openFolder(root, ["MAFW"]);
  const below = `single/no_caption/set_${fold}/${role}.txt`;
  const file = findFile(folder, [`Train & Test Set/${below}`, `train_test_set/Train & Test Set/${below}`, below]);
  const video = mediaFinder(folder, ["data/clips", "clips"], [".mp4"]);
  for (const [name, { line, noun }] of readLines(file, skip)) {
    const word = wordOfNoun.get(noun);
    const unsafe = nameProblem(name);
    if (unsafe !== null) skip({ kind: "unsafe-name", file, line, reason: unsafe, name });
    else if (word === undefined) {
      skip({ kind: "unknown-label", file, line, reason: `label "${noun}" is none of MAFW's eleven`, name });
    } else {
      const meta = { dataset: mafw.title, split };
      const sample = { id: name, media: video(name), subtitle: "", labels: [word], reasoning: "", cues: [], meta };
      yield { sample, annotation: word };
    }
  }
}

/** Clip name without its extension -> line and noun; of repeated names the last. */
function readLines(file: string, skip: SkipRow): Map<string, { readonly line: number; readonly noun: string }> {
  const rows = new Map<string, { line: number; noun: string }>();
  checkSize(file);
  const text = readFileSync(file, "utf8").replace(/^\ufeff/, "");
  for (const [index, content] of text.split(/\r\n|\n|\r/).entries()) {
    const line = index + 1;
    const [clip, noun, ...rest] = content.trim().split(/\s+/);
    if (clip === "") continue;
    if (noun === undefined || rest.length > 0) {
      skip({ kind: "malformed", file, line, reason: `expected "NAME.mp4 LABEL", got "${content.slice(0, 80)}"` });
      continue;
    }
    const name = clip!.replace(/\.mp4$/, "");
    const earlier = rows.get(name);
    if (earlier !== undefined) {
      const reason = `repeated name "${name}": line ${line} counts`;
      skip({ kind: "repeated-name", file, line: earlier.line, reason, name });
    }
    rows.set(name, { line, noun });
  }
  return rows;
}
