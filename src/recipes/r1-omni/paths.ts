// What of a run lies where: data, one folder per training, one file of answers per model and set.
import { join } from "node:path";
import type { RowName } from "./rows.ts";

export interface RunPaths {
  readonly root: string;
  /** What is learnt and what is measured on, as files. */
  readonly data: string;
  /** Decoded clips, shared by all stages. */
  readonly cache: string;
  /** The theatre's own: models before the four rows. */
  readonly models: string;
  readonly timings: string;
  readonly results: string;
  readonly report: string;
  training(name: string): string;
  answers(row: RowName, seed: number, set: string): string;
}

export function runPaths(root: string): RunPaths {
  return {
    root,
    data: join(root, "data"),
    cache: join(root, "cache"),
    models: join(root, "models"),
    timings: join(root, "timings.json"),
    results: join(root, "results.json"),
    report: join(root, "report.html"),
    training: (name) => join(root, "training", name),
    answers: (row, seed, set) => join(root, "answers", `${row}-${seed}-${set}.json`),
  };
}
