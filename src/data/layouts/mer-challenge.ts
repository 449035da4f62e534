// The open-vocabulary sets of the MER challenges, which share one layout: `video/NAME.mp4`, `audio/NAME.wav`, one table of
// label sets (`name, openset`), one of descriptions (`name, reason`) and one of subtitles. Paths and columns are those of
// AffectGPT's and MERTools' config.py and dataset classes.
import { normaliseLabels, parseLabelString } from "../../emotion/labels.ts";
import { type DatasetFolder, findFile, hasFile, mediaFinder, nameProblem, openFolder } from "../folder.ts";
import {
  type AnnotatedSample,
  type DatasetReader,
  type DatasetReadOptions,
  type DatasetSource,
  type SkipRow,
  type Split,
  skipCounter,
  splitOf,
} from "../reader.ts";
import { readTable, readTableByName } from "../table.ts";

export interface ChallengeSplit extends Split {
  /** `name, openset`; only `name` when the split is unlabelled. */
  readonly labelFile: string;
  /** `name, reason`. */
  readonly reasonFile?: string;
}

export interface ChallengeLayout {
  readonly name: string;
  readonly title: string;
  /** The folder's published name. */
  readonly folder: string;
  readonly splits: readonly ChallengeSplit[];
  readonly scoredSplit: string | null;
  readonly subtitleFile: string;
  readonly subtitleColumn: string;
  /** The names are those of the subtitle table, as OV-MERD+ has it; else those of the label table. */
  readonly namesInSubtitles?: true;
  readonly source: DatasetSource;
}

export function challengeReader(layout: ChallengeLayout): DatasetReader {
  const { name, title, splits, scoredSplit, source } = layout;
  return {
    name,
    title,
    kind: "open",
    labels: [],
    splits,
    scoredSplit,
    source,
    read: (root, split, options) =>
      readSplit(layout, openFolder(root, [layout.folder]), splitOf(layout, split) as ChallengeSplit, options),
  };
}

async function* readSplit(
  layout: ChallengeLayout,
  folder: DatasetFolder,
  split: ChallengeSplit,
  options?: DatasetReadOptions,
): AsyncGenerator<AnnotatedSample> {
  const skip = skipCounter(options);
  const labelFile = findFile(folder, [split.labelFile]);
  const labels = await readLabels(labelFile, split, skip);
  const subtitles = await readTexts(folder, layout.subtitleFile, layout.subtitleColumn, skip);
  const reasons = await readTexts(folder, split.reasonFile, "reason", skip);
  const names = layout.namesInSubtitles ? (subtitles ?? new Map<string, string>()).keys() : labels.keys();
  // MER2026's parts unpack into video_7z/GROUP and audio_7z/GROUP.
  const video = mediaFinder(folder, ["video", "video_7z/*"], [".mp4", ".avi", ".mkv"]);
  const audio = mediaFinder(folder, ["audio", "audio_7z/*"], [".wav", ".mp3"]);
  for (const name of names) {
    const label = labels.get(name);
    const problem = nameProblem(name);
    if (problem !== null) {
      skip({ kind: "unsafe-name", file: labelFile, line: label?.line ?? 0, reason: problem, name });
    } else if (label === undefined) {
      const reason = `no row for "${name}" of ${layout.subtitleFile}`;
      skip({ kind: "unlabelled", file: labelFile, line: 0, reason, name });
    } else {
      const words = normaliseLabels(parseLabelString(label.cell));
      const sample = {
        id: name,
        media: video(name),
        audio: audio(name),
        subtitle: subtitles?.get(name) ?? "",
        labels: words.length > 0 || split.isUnlabelled ? words : [labelOfNone],
        reasoning: reasons?.get(name) ?? "",
        cues: [],
        meta: { dataset: layout.title, split: split.name },
      };
      yield { sample, annotation: label.cell };
    }
  }
}

/** What AffectGPT trains on where a label set is empty (mercaptionplus_dataset.py). Scorers get the empty set. */
const labelOfNone = "neutral";

interface LabelCell {
  readonly cell: string | null;
  readonly line: number;
}

async function readLabels(file: string, split: ChallengeSplit, skip: SkipRow): Promise<Map<string, LabelCell>> {
  const labels = new Map<string, LabelCell>();
  if (split.isUnlabelled) {
    const rows = await readTableByName(file, "name", ["name"], skip);
    for (const [name, { line }] of rows) labels.set(name, { cell: null, line });
    return labels;
  }
  const rows = await readTableByName(file, "name", ["name", "openset"], skip);
  for (const [name, { cells, line }] of rows) labels.set(name, { cell: cells.openset || null, line });
  return labels;
}

/** Name -> text; null where the data set came without the table. A repeated name's last row counts, without a word. */
async function readTexts(
  folder: DatasetFolder,
  file: string | undefined,
  column: string,
  skip: SkipRow,
): Promise<Map<string, string> | null> {
  if (file === undefined || !hasFile(folder, [file])) return null;
  const texts = new Map<string, string>();
  for await (const { cells } of readTable(findFile(folder, [file]), ["name", column], skip)) {
    texts.set(cells.name!.trim(), cells[column]!);
  }
  return texts;
}
