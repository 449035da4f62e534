// What callers do with a reader: take samples for training, or the ground truth of a split for scoring.
import type { GroundTruth, RawLabels } from "./ground-truth.ts";
import { DatasetError } from "./jsonl.ts";
import { type DatasetReader, type DatasetReadOptions, splitOf } from "./reader.ts";
import type { Sample } from "./sample.ts";

/** The samples of one split, lazily. @throws DatasetError */
export async function* readDataset(
  reader: DatasetReader,
  root: string,
  split: string,
  options: DatasetReadOptions = {},
): AsyncGenerator<Sample> {
  for await (const { sample } of reader.read(root, split, options)) yield sample;
}

/**
 * The ground truth of one split, by default the one whose score is published. A row that cannot be read ends it, unless the
 * options say otherwise: a score must not come from fewer samples than the set has.
 * @throws DatasetError `ERR_DATASET_TOO_MANY_BAD_ROWS`, `ERR_DATASET_EMPTY`, `ERR_DATASET_SPLIT_UNKNOWN`, `ERR_DATASET_ABSENT`
 */
export async function readGroundTruth(
  reader: DatasetReader,
  root: string,
  split: string | null = reader.scoredSplit,
  options: DatasetReadOptions = {},
): Promise<GroundTruth> {
  const { isUnlabelled } = splitOf(reader, split ?? "");
  const rows = new Map<string, RawLabels | number>();
  const repeatedNames: string[] = [];
  const onSkip: DatasetReadOptions["onSkip"] = (row) => {
    if (row.kind === "repeated-name") repeatedNames.push(row.name ?? "");
    options.onSkip?.(row);
  };
  for await (const { sample, annotation } of reader.read(root, split!, { maxSkippedRows: 0, ...options, onSkip })) {
    rows.set(sample.id, annotation);
  }
  if (rows.size > 0 && !isUnlabelled) {
    const { title: dataset, kind, labels } = reader;
    return { dataset, split: split!, kind, labels, rows, source: root, repeatedNames } as GroundTruth;
  }
  throw new DatasetError(
    "ERR_DATASET_EMPTY",
    `${root}: expected labelled samples of ${reader.title}, split ${split}, got none. Run \`oppo data check ${reader.name}\`.`,
    { file: root },
  );
}
