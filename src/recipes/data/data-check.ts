// Looks at a data set as it lies on disk, before anyone trains or scores on it: what is there, what is missing, which rows
// cannot be read, which names occur in training and test. Nothing is decoded; media only have to exist.
import { existsSync } from "node:fs";
import { audioPath, mediaPath } from "../../data/jsonl.ts";
import type {
  AnnotatedSample,
  DatasetReader,
  DatasetSource,
  ProblemKind,
  RowProblem,
  Split,
} from "../../data/reader.ts";
import { datasetNamed, datasets } from "../../data/readers/datasets.ts";
import { OppoError } from "../../error.ts";

export interface DataCheck {
  readonly dataset: string;
  readonly title: string;
  readonly root: string;
  /** False when no split has its files. */
  readonly isThere: boolean;
  readonly splits: readonly SplitCheck[];
  readonly overlaps: readonly Overlap[];
  /** What must be repaired, for people. Empty when the set can be used. */
  readonly problems: readonly string[];
  /** What one should know. */
  readonly notes: readonly string[];
  readonly source: DatasetSource;
}

export interface SplitCheck {
  readonly name: string;
  readonly role: Split["role"];
  readonly state: "read" | "absent" | "unreadable";
  /** Why it is absent or unreadable; empty otherwise. */
  readonly reason: string;
  readonly numSamples: number;
  readonly numPublished: number | null;
  readonly numWithoutLabels: number;
  readonly numWithoutSubtitle: number;
  readonly missingMedia: readonly string[];
  readonly missingAudio: readonly string[];
  /** Rows that did not become samples, by kind, and the first of them. */
  readonly numRowProblems: Readonly<Partial<Record<ProblemKind, number>>>;
  readonly rowProblems: readonly RowProblem[];
  /** Samples per label, most frequent first. */
  readonly labels: Readonly<Record<string, number>>;
  /** Labels with a separator inside that the official parser does not know: each is read as one label. */
  readonly suspectLabels: readonly string[];
}

export interface Overlap {
  /** "train" of this set, or "NAME/SPLIT" of another. */
  readonly training: string;
  readonly test: string;
  readonly names: readonly string[];
}

/** Another set to compare names with, which one means to train on. */
export interface OtherDataset {
  readonly reader: DatasetReader;
  readonly root: string;
}

/** What can be read, without the functions that read it. */
export function listDatasets(): Omit<DatasetReader, "read">[] {
  return datasets.map(({ read: _, ...rest }) => rest);
}

/**
 * The check as a person asks for it.
 * @param against other sets as NAME=ROOT
 * @throws DatasetError ERR_DATASET_UNKNOWN, OppoError ERR_DATASET_PAIR
 */
export async function checkDataNamed(name: string, root: string, against: readonly string[] = []): Promise<DataCheck> {
  return checkData(datasetNamed(name), root, against.map(parseOther));
}

function parseOther(text: string): OtherDataset {
  const at = text.indexOf("=");
  if (at > 0 && at < text.length - 1) return { reader: datasetNamed(text.slice(0, at)), root: text.slice(at + 1) };
  throw new OppoError(
    "ERR_DATASET_PAIR",
    `--against: expected NAME=ROOT, got "${text}". Write for instance human-ov=/data.`,
  );
}

const maxRowProblemsKept = 20;
/** Full-width and other separators, brackets that were not at the ends, line breaks. */
const suspectCharacters = /[\uff0c\u3001\uff1b\u3002;|/[\]\n]/;

export async function checkData(
  reader: DatasetReader,
  root: string,
  others: readonly OtherDataset[] = [],
): Promise<DataCheck> {
  const read = await readSplits(reader, root);
  const splits = read.map(({ check }) => check);
  const foreign = await Promise.all(
    others.map(async (other) => ({ ...other, splits: await readSplits(other.reader, other.root) })),
  );
  const overlaps = [...ownOverlaps(read), ...foreign.flatMap((other) => foreignOverlaps(read, other))];
  const isThere = splits.some(({ state }) => state !== "absent");
  return {
    dataset: reader.name,
    title: reader.title,
    root,
    isThere,
    splits,
    overlaps,
    problems: [
      ...(isThere ? problemsOf(splits, overlaps) : [`${root}: nothing of ${reader.title} is there`]),
      ...foreign.filter(isEmpty).map((other) => `${other.reader.name} in ${other.root}: nothing there to compare with`),
    ],
    notes: [...(isThere ? notesOf(splits) : []), ...(reader.source.traps ?? [])],
    source: reader.source,
  };
}

interface ReadSplit {
  readonly split: Split;
  readonly check: SplitCheck;
  readonly names: ReadonlySet<string>;
}

function isEmpty(other: { readonly splits: readonly ReadSplit[] }): boolean {
  return other.splits.every(({ names }) => names.size === 0);
}

async function readSplits(reader: DatasetReader, root: string): Promise<ReadSplit[]> {
  const read: ReadSplit[] = [];
  for (const split of reader.splits) read.push(await readSplit(reader, root, split));
  return read;
}

async function readSplit(reader: DatasetReader, root: string, split: Split): Promise<ReadSplit> {
  const names = new Set<string>();
  const labels = new Map<string, number>();
  const missingMedia: string[] = [];
  const missingAudio: string[] = [];
  const rowProblems: RowProblem[] = [];
  const numRowProblems: Partial<Record<ProblemKind, number>> = {};
  let [numWithoutLabels, numWithoutSubtitle, state, reason] = [0, 0, "read" as SplitCheck["state"], ""];
  const onSkip = (problem: RowProblem): void => {
    numRowProblems[problem.kind] = (numRowProblems[problem.kind] ?? 0) + 1;
    if (rowProblems.length < maxRowProblemsKept) rowProblems.push(problem);
  };
  try {
    for await (const row of reader.read(root, split.name, { maxSkippedRows: Number.POSITIVE_INFINITY, onSkip })) {
      const { sample } = row;
      names.add(sample.id);
      for (const label of new Set(sample.labels)) labels.set(label, (labels.get(label) ?? 0) + 1);
      if (isWithoutLabels(row)) numWithoutLabels += 1;
      if (sample.subtitle === "") numWithoutSubtitle += 1;
      if (!existsSync(mediaPath(root, sample))) missingMedia.push(sample.media);
      const audio = audioPath(root, sample);
      if (audio !== null && !existsSync(audio)) missingAudio.push(sample.audio!);
    }
  } catch (error) {
    if (!(error instanceof OppoError)) throw error;
    state = error.code === "ERR_DATASET_ABSENT" ? "absent" : "unreadable";
    reason = error.message;
  }
  const check: SplitCheck = {
    name: split.name,
    role: split.role,
    state,
    reason,
    numSamples: names.size,
    numPublished: split.numPublished ?? null,
    numWithoutLabels: split.isUnlabelled ? 0 : numWithoutLabels,
    numWithoutSubtitle,
    missingMedia,
    missingAudio,
    numRowProblems,
    rowProblems,
    labels: Object.fromEntries([...labels].sort((a, b) => b[1] - a[1])),
    suspectLabels: [...labels.keys()].filter((label) => suspectCharacters.test(label)),
  };
  return { split, check, names };
}

/** An empty cell, or brackets around nothing. */
function isWithoutLabels({ annotation }: AnnotatedSample): boolean {
  return annotation === null || (typeof annotation === "string" && /^[[\]'"\s,]*$/.test(annotation));
}

/** Names that occur in a split to learn from and in a test split of the same fold. */
function ownOverlaps(read: readonly ReadSplit[]): Overlap[] {
  const tests = read.filter(({ split }) => split.role === "test");
  return read
    .filter(({ split }) => split.role !== "test")
    .flatMap((training) =>
      tests
        .filter(({ split }) => split.fold === training.split.fold)
        .map((test) => overlapOf(training.check.name, training.names, test.check.name, test.names)),
    )
    .filter(({ names }) => names.length > 0);
}

/** Every pair of splits counts: whoever asks for the comparison means to train on one and to measure on the other. */
function foreignOverlaps(
  read: readonly ReadSplit[],
  other: { readonly reader: DatasetReader; readonly splits: readonly ReadSplit[] },
): Overlap[] {
  return other.splits
    .flatMap((theirs) =>
      read.map((ours) =>
        overlapOf(`${other.reader.name}/${theirs.check.name}`, theirs.names, ours.check.name, ours.names),
      ),
    )
    .filter(({ names }) => names.length > 0);
}

function overlapOf(training: string, left: ReadonlySet<string>, test: string, right: ReadonlySet<string>): Overlap {
  return { training, test, names: [...right].filter((name) => left.has(name)) };
}

function problemsOf(splits: readonly SplitCheck[], overlaps: readonly Overlap[]): string[] {
  const problems = splits.flatMap((split) => {
    const { name, numSamples, missingMedia, missingAudio } = split;
    const numLeftOut = leftOut(split);
    return [
      ...(split.state === "unreadable" ? [`${name}: ${split.reason}`] : []),
      ...(numLeftOut > 0 ? [`${name}: ${numLeftOut} rows are no samples (see the rows below)`] : []),
      ...(split.state === "read" && numSamples === 0 ? [`${name}: the files are there and hold no sample`] : []),
      ...(missingMedia.length > 0
        ? [`${name}: ${missingMedia.length} of ${numSamples} clips are missing, such as ${some(missingMedia)}`]
        : []),
      ...(missingAudio.length > 0
        ? [
            `${name}: ${missingAudio.length} of ${numSamples} sound files are missing, such as ${some(missingAudio)}; to take the videos' own sound instead: oppo data export --sound video`,
          ]
        : []),
    ];
  });
  const shared = overlaps.map(
    ({ training, test, names }) => `${names.length} names are in ${training} and in ${test}, such as ${some(names)}`,
  );
  return [...problems, ...shared];
}

function notesOf(splits: readonly SplitCheck[]): string[] {
  return splits.flatMap((split) => {
    const { name, numSamples, numPublished, numWithoutLabels, numWithoutSubtitle } = split;
    if (split.state !== "read") return split.state === "absent" ? [`${name}: not there`] : [];
    const [onlyLabel, ...others] = Object.keys(split.labels);
    const numRepeated = split.numRowProblems["repeated-name"] ?? 0;
    return [
      ...(numPublished !== null && numPublished !== numSamples
        ? [`${name}: ${numSamples} samples where the publishers count ${numPublished}`]
        : []),
      ...(numRepeated > 0 ? [`${name}: ${numRepeated} repeated names; the last row counts, as officially`] : []),
      ...(numWithoutLabels > 0 ? [`${name}: ${numWithoutLabels} samples have no label; no wheel scores them`] : []),
      ...(numSamples > 1 && numWithoutSubtitle === numSamples ? [`${name}: no sample has a subtitle`] : []),
      ...(numSamples > 1 && onlyLabel !== undefined && others.length === 0
        ? [`${name}: every sample has the label "${onlyLabel}": placeholders, most likely`]
        : []),
      ...(split.suspectLabels.length > 0
        ? [
            `${name}: ${split.suspectLabels.length} labels hold a separator that the official parser does not split at, such as ${some(split.suspectLabels)}`,
          ]
        : []),
    ];
  });
}

/** Rows that became no sample; repeated names did. */
export function leftOut({ numRowProblems }: SplitCheck): number {
  const counts = Object.entries(numRowProblems).filter(([kind]) => kind !== "repeated-name");
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

const maxNamed = 3;

function some(names: readonly string[]): string {
  return names
    .slice(0, maxNamed)
    .map((name) => JSON.stringify(name))
    .join(", ");
}
