// The ground truth that a command line asks for: data sets in their official layouts below a root, or a file of one's own.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { labelSpaces } from "../../bench/mer-unibench/class-recall.ts";
import { benchmarkSets } from "../../bench/mer-unibench/compare.ts";
import type { GroundTruth } from "../../data/ground-truth.ts";
import { DatasetError } from "../../data/jsonl.ts";
import { readGroundTruth } from "../../data/read-dataset.ts";
import type { DatasetReader } from "../../data/reader.ts";
import { datasetNamed } from "../../data/readers/datasets.ts";
import { readTruthFile } from "../../data/scoring/truth-file.ts";
import { OppoError } from "../../error.ts";
import type { LeftOutSet } from "./report.ts";

export interface TruthRequest {
  /** Names of data sets, "name:split", or "mer-unibench" for all nine. */
  readonly datasets: readonly string[];
  /** Folder that holds the data sets' folders. */
  readonly root: string | null;
  readonly file: string | null;
  readonly kind: GroundTruth["kind"] | null;
  /** Sets of the benchmark may be missing; left out: they may not. */
  readonly isPartial?: boolean;
}

export interface Truths {
  readonly truths: readonly GroundTruth[];
  /** Sets of the benchmark that are not there, where that is allowed. */
  readonly leftOut: readonly LeftOutSet[];
}

const wholeBenchmark = "mer-unibench";

/** @throws OppoError ERR_SCORE_TRUTH, DatasetError */
export async function readTruths(request: TruthRequest): Promise<Truths> {
  const { root, file } = request;
  const datasets = request.datasets.flatMap((text) => text.split(",")).map((name) => name.trim());
  if (file !== null) return { truths: [truthFromFile(file, { ...request, datasets })], leftOut: [] };
  if (root === null || datasets.length === 0) {
    throw new OppoError(
      "ERR_SCORE_TRUTH",
      "ground truth: expected what to score against, got neither --truth FILE nor --root FOLDER with --dataset NAME. " +
        "Give one of them; `oppo data list` has the names.",
    );
  }
  // Asked for twice, in whatever spelling, is once: the mean must not count it double.
  const truths = new Map<string, GroundTruth>();
  const missing = new Map<string, MissingSet>();
  for (const name of datasets.filter((one) => one !== "")) {
    const isWhole = name.toLowerCase() === wholeBenchmark;
    for (const one of isWhole ? benchmarkSets : [name]) {
      const { reader, split } = asked(one);
      const key = `${reader.name}:${split}`;
      if (truths.has(key) || missing.has(key)) continue;
      const truth = await (isWhole ? truthOrMissing(reader, root, split) : readGroundTruth(reader, root, split));
      if ("folder" in truth) missing.set(key, truth);
      else truths.set(key, truth);
    }
  }
  if (missing.size === 0) return { truths: [...truths.values()], leftOut: [] };
  if (request.isPartial !== true || truths.size === 0) throw missingSets(root, [...missing.values()]);
  const leftOut = [...missing.values()].map(({ reader, folder }) => ({
    dataset: reader.title,
    why: `${folder} is missing`,
  }));
  return { truths: [...truths.values()], leftOut };
}

/** "name:split", or the split whose score is published. @throws DatasetError ERR_DATASET_UNKNOWN */
function asked(text: string): { readonly reader: DatasetReader; readonly split: string | null } {
  const [set, split] = text.split(":");
  const reader = datasetNamed(set!);
  return { reader, split: split ?? reader.scoredSplit };
}

interface MissingSet {
  readonly reader: DatasetReader;
  /** The folder or file that is not there. */
  readonly folder: string;
}

async function truthOrMissing(
  reader: DatasetReader,
  root: string,
  split: string | null,
): Promise<GroundTruth | MissingSet> {
  try {
    return await readGroundTruth(reader, root, split);
  } catch (error) {
    if (!(error instanceof DatasetError && error.code === "ERR_DATASET_ABSENT")) throw error;
    const folder = reader.source.layout[0]!.trim().replace(/\/.*$/, "");
    // A folder that is there lacks a file.
    return { reader, folder: existsSync(join(root, folder)) ? error.file : join(root, folder) };
  }
}

function missingSets(root: string, missing: readonly MissingSet[]): OppoError {
  const list = missing.map(({ reader, folder }) => `${reader.title} (${folder})`).join(", ");
  const numThere = benchmarkSets.length - missing.length;
  const advice = numThere === 0 ? "Check --root" : `Score the ${numThere} that are there with --partial`;
  return new OppoError(
    "ERR_SCORE_TRUTH",
    `${root}: expected all ${benchmarkSets.length} sets of ${wholeBenchmark}, got ${numThere}; missing: ${list}. ${advice}, or run ` +
      `\`oppo data check ${missing[0]!.reader.name} ${root}\` for what to download and how its folder must look.`,
  );
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
