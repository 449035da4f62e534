// The layout that MERBench gave eight data sets and that MER-UniBench took over: a folder `NAME-process` with a label archive,
// a table of transcripts, a folder of videos and one of sound. Folders, files and columns: AffectGPT's config.py.
import { type DatasetFolder, findFile, hasFile, mediaFinder, openFolder } from "../folder.ts";
import {
  type AnnotatedSample,
  type DatasetReader,
  type DatasetReadOptions,
  type ProblemKind,
  type SkipRow,
  type Split,
  skipCounter,
  splitOf,
} from "../reader.ts";
import { readTableByName } from "../table.ts";
import { type LabelEntry, readCorpus } from "./label-archive.ts";

export interface MerbenchSplit extends Split {
  /** The archive's member: "test1_corpus". */
  readonly corpus: string;
  /** Which of the corpus' samples belong to the split; all, when left out. */
  readonly takes?: (name: string) => boolean;
}

export interface MerbenchLayout {
  readonly name: string;
  readonly title: string;
  readonly kind: "discrete" | "sentiment";
  /** Of a discrete set: the words, and in this order the class numbers, where the archive has numbers. */
  readonly labels: readonly string[];
  /** Of a sentiment set: the ends of the scale. */
  readonly range?: readonly [number, number];
  readonly folder: string;
  readonly labelFile: string;
  readonly splits: readonly MerbenchSplit[];
  readonly scoredSplit: string;
  readonly video: { readonly folder: string; readonly extensions: readonly string[] };
  readonly audioFolder: string;
  readonly subtitleFile: string;
  readonly subtitleColumn: string;
  readonly access: string;
  readonly traps?: readonly string[];
}

export function merbenchReader(layout: MerbenchLayout): DatasetReader {
  const { name, title, kind, labels, splits, scoredSplit, access, traps } = layout;
  return {
    name,
    title,
    kind,
    labels,
    splits,
    scoredSplit,
    source: { access, layout: treeOf(layout), ...(traps === undefined ? {} : { traps }) },
    read: (root, split, options) =>
      readSplit(layout, openFolder(root, [layout.folder]), splitOf(layout, split) as MerbenchSplit, options),
  };
}

function treeOf(layout: MerbenchLayout): string[] {
  const { video, audioFolder } = layout;
  const corpora = [...new Set(layout.splits.map(({ corpus }) => corpus))].join(", ");
  return [
    `${layout.folder}/`,
    `  ${video.folder}/NAME${video.extensions.join(" or ")}`,
    `  ${audioFolder}/NAME.wav`,
    `  ${layout.labelFile}    (${corpora})`,
    `  ${layout.subtitleFile}    (name,${layout.subtitleColumn})`,
  ];
}

async function* readSplit(
  layout: MerbenchLayout,
  folder: DatasetFolder,
  split: MerbenchSplit,
  options?: DatasetReadOptions,
): AsyncGenerator<AnnotatedSample> {
  const skip = skipCounter(options);
  const file = findFile(folder, [layout.labelFile, layout.labelFile.replace(/\.npz$/, ".csv")]);
  const entries = await readCorpus(file, split.corpus, skip);
  const subtitles = await readSubtitles(layout, folder, skip);
  const video = mediaFinder(folder, [layout.video.folder], layout.video.extensions);
  const audio = mediaFinder(folder, [layout.audioFolder], [".wav"]);
  for (const [name, entry] of entries) {
    if (split.takes?.(name) === false) continue;
    const read = layout.kind === "discrete" ? wordOf(layout, entry) : strengthOf(layout, entry);
    if ("problem" in read) {
      skip({ kind: read.kind, file, line: entry.line, reason: `${name}: ${read.problem}`, name });
      continue;
    }
    const sample = {
      id: name,
      media: video(name),
      audio: audio(name),
      subtitle: subtitles.get(name)?.cells[layout.subtitleColumn] ?? "",
      labels: [read.word],
      reasoning: "",
      cues: [],
      meta: { dataset: layout.title, split: split.name, ...strengthMeta(entry) },
    };
    yield { sample, annotation: read.annotation };
  }
}

type Reading =
  | { readonly word: string; readonly annotation: string | number }
  | { readonly kind: ProblemKind; readonly problem: string };

function wordOf(layout: MerbenchLayout, { emotion }: LabelEntry): Reading {
  const word = typeof emotion === "number" ? layout.labels[emotion] : emotion?.trim().toLowerCase();
  if (word !== undefined && layout.labels.includes(word)) return { word, annotation: word };
  const kind = emotion === null ? "unlabelled" : "unknown-label";
  return { kind, problem: `label ${JSON.stringify(emotion)} is none of ${layout.labels.join(", ")}` };
}

function strengthOf(layout: MerbenchLayout, { strength }: LabelEntry): Reading {
  const [low, high] = layout.range!;
  if (strength === null || !(strength >= low && strength <= high)) {
    const kind = strength === null ? "unlabelled" : "unknown-label";
    return { kind, problem: `sentiment ${strength} is not within ${low} to ${high}` };
  }
  const word = strength > 0 ? "positive" : strength < 0 ? "negative" : "neutral";
  return { word, annotation: strength };
}

/** MERBench writes -10 where a set has no such number. */
const noStrength = -10;

function strengthMeta({ strength }: LabelEntry): { readonly strength?: number } {
  return strength === null || strength === noStrength ? {} : { strength };
}

async function readSubtitles(layout: MerbenchLayout, folder: DatasetFolder, skip: SkipRow) {
  if (!hasFile(folder, [layout.subtitleFile])) return new Map<string, { cells: Record<string, string> }>();
  const columns: readonly string[] = ["name", layout.subtitleColumn];
  return await readTableByName(findFile(folder, [layout.subtitleFile]), "name", columns, skip);
}
