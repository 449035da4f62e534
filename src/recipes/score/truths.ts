// The ground truth that a command line asks for: data sets in their official layouts below a root, or a file of one's own.

import { labelSpaces } from "../../bench/mer-unibench/class-recall.ts";
import { benchmarkSets } from "../../bench/mer-unibench/compare.ts";
import type { GroundTruth } from "../../data/ground-truth.ts";
import { readGroundTruth } from "../../data/read-dataset.ts";
import { datasetNamed } from "../../data/readers/datasets.ts";
import { readTruthFile } from "../../data/scoring/truth-file.ts";
import { OppoError } from "../../error.ts";

export interface TruthRequest {
  /** Names of data sets, "name:split", or "mer-unibench" for all nine. */
  readonly datasets: readonly string[];
  /** Folder that holds the data sets' folders. */
  readonly root: string | null;
  readonly file: string | null;
  readonly kind: GroundTruth["kind"] | null;
}

const wholeBenchmark = "mer-unibench";

/** @throws OppoError ERR_SCORE_TRUTH, DatasetError */
export async function readTruths(request: TruthRequest): Promise<GroundTruth[]> {
  const { datasets, root, file } = request;
  if (file !== null) return [truthFromFile(file, request)];
  if (root === null || datasets.length === 0) {
    throw new OppoError(
      "ERR_SCORE_TRUTH",
      "ground truth: expected what to score against, got neither --truth FILE nor --root FOLDER with --dataset NAME. " +
        "Give one of them; `oppo data list` has the names.",
    );
  }
  const names = datasets.flatMap((name) => (name === wholeBenchmark ? [...benchmarkSets] : [name]));
  // Asked for twice, in whatever spelling, is once: the mean must not count it double.
  const truths = new Map<string, GroundTruth>();
  for (const name of names) {
    const [set, asked] = name.split(":");
    const reader = datasetNamed(set!);
    const split = asked ?? reader.scoredSplit;
    const key = `${reader.name}:${split}`;
    if (!truths.has(key)) truths.set(key, await readGroundTruth(reader, root, split));
  }
  return [...truths.values()];
}

function truthFromFile(file: string, { datasets, kind }: TruthRequest): GroundTruth {
  if (datasets.length > 1) {
    throw new OppoError(
      "ERR_SCORE_TRUTH",
      `--truth ${file}: expected one --dataset for one file, got ${datasets.length}. Score the sets one by one, or use --root.`,
    );
  }
  const [name] = datasets;
  if (name === undefined && kind === null) {
    throw new OppoError(
      "ERR_SCORE_TRUTH",
      `--truth ${file}: expected --kind open, discrete or sentiment, or the --dataset that it is of, got neither. Give one of them.`,
    );
  }
  const reader = name === undefined || kind !== null ? null : datasetNamed(name);
  const dataset = reader?.title ?? name ?? "file";
  const labels = reader?.labels ?? labelSpaces[dataset] ?? [];
  return readTruthFile(file, { dataset, kind: kind ?? reader!.kind, labels });
}
