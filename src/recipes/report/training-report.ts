// `oppo report` on a run of oppo train or oppo sft: its folder in, report.html out. The run may be under way.
import { join } from "node:path";
import { replaceFile } from "../../run/checkpoint.ts";
import { trainingPage } from "./training-page.ts";
import { readTrainingRun, type TrainingRun } from "./training-run.ts";

export interface TrainingReport {
  readonly report: string;
  readonly steps: number;
  readonly evaluations: number;
  readonly warnings: readonly string[];
}

/** @throws OppoError ERR_LOG_BROKEN, ERR_DISK_FULL, ConfigError */
export function writeTrainingReport(directory: string, kind: TrainingRun["kind"]): TrainingReport {
  const run = readTrainingRun(directory, kind);
  const report = join(directory, "report.html");
  replaceFile(report, trainingPage(run, new Date().toISOString().slice(0, 16).replace("T", " ")));
  return {
    report,
    steps: run.metrics.length,
    evaluations: run.evaluations.length,
    warnings: run.warnings.map(({ line }) => line),
  };
}
