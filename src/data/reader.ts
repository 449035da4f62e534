// What a data set's reader is: who publishes the data, in which splits, and how rows become samples. A reader is one file
// with one object; the list of all is all-readers.ts. Bad rows are counted with file and line and never stop a reading
// before the limit that the caller sets.
import type { GroundTruth, RawLabels } from "./ground-truth.ts";
import { DatasetError, type SkippedRow } from "./jsonl.ts";
import type { Sample } from "./sample.ts";

export interface DatasetReader {
  /** What people type: "mer2023". */
  readonly name: string;
  /** What tables print: "MER2023". */
  readonly title: string;
  readonly kind: GroundTruth["kind"];
  /** The closed label space in the data set's order; empty for open vocabularies and sentiment. */
  readonly labels: readonly string[];
  readonly splits: readonly Split[];
  /** The split whose score is published; null for sets that are only trained on. */
  readonly scoredSplit: string | null;
  readonly source: DatasetSource;
  /**
   * The rows of one split, lazily: nothing is opened before the first row is asked for.
   * @throws DatasetError `ERR_DATASET_ABSENT` when the split's files are not there
   */
  read(root: string, split: string, options?: DatasetReadOptions): AsyncIterable<AnnotatedSample>;
}

export interface Split {
  readonly name: string;
  readonly role: "train" | "validation" | "test";
  /** How many samples the publishers count. */
  readonly numPublished?: number;
  /** Splits of different folds share samples by design. */
  readonly fold?: number;
  /** Nobody published labels for it: rows are names and subtitles. */
  readonly isUnlabelled?: true;
}

export interface DatasetSource {
  /** Where the data are, and on what terms. */
  readonly access: string;
  /** The folder tree that the reader expects, one line each, relative to the root. */
  readonly layout: readonly string[];
  /** What goes wrong with this set. */
  readonly traps?: readonly string[];
}

export interface AnnotatedSample {
  readonly sample: Sample;
  /** As the file has it, for the scorers: labels of an open set (raw), a word of `labels`, or a sentiment strength. */
  readonly annotation: RawLabels | number;
}

export type ProblemKind = "malformed" | "unsafe-name" | "repeated-name" | "unknown-label" | "unlabelled";

/** A row that did not become a sample. A repeated name is the earlier row: the last one counts, as in the official code. */
export interface RowProblem extends SkippedRow {
  readonly kind: ProblemKind;
  /** The sample's name, where the row has one. */
  readonly name?: string;
}

export interface DatasetReadOptions {
  /** Bad rows to tolerate before reading stops with a `DatasetError`; repeated names do not count. */
  readonly maxSkippedRows?: number;
  readonly onSkip?: (row: RowProblem) => void;
}

/** Counts one reading's bad rows and ends it when there are too many. */
export type SkipRow = (problem: RowProblem) => void;

const defaultMaxSkippedRows = 10;

export function skipCounter(options: DatasetReadOptions = {}): SkipRow {
  const maxSkippedRows = options.maxSkippedRows ?? defaultMaxSkippedRows;
  let numSkipped = 0;
  return (problem) => {
    const { kind, file, line, reason } = problem;
    options.onSkip?.(problem);
    if (kind === "repeated-name") return;
    numSkipped += 1;
    if (numSkipped <= maxSkippedRows) return;
    throw new DatasetError(
      "ERR_DATASET_TOO_MANY_BAD_ROWS",
      `${file}:${line}: expected at most ${maxSkippedRows} bad rows, got ${numSkipped}; the last one: ${reason}. Repair the file, or raise maxSkippedRows.`,
      { file, line },
    );
  };
}

/** The split of that name. @throws DatasetError `ERR_DATASET_SPLIT_UNKNOWN` */
export function splitOf(reader: Pick<DatasetReader, "name" | "splits">, name: string): Split {
  const split = reader.splits.find((candidate) => candidate.name === name);
  if (split !== undefined) return split;
  const names = reader.splits.map((candidate) => candidate.name).join(", ");
  throw new DatasetError(
    "ERR_DATASET_SPLIT_UNKNOWN",
    `${reader.name}: expected one of the splits ${names}, got "${name}". Choose one of them.`,
    { file: reader.name },
  );
}
