// What was measured, row by row, as the statistics take it.
import { join } from "node:path";
import { type BootstrapOptions, defaultBootstrapOptions } from "../../bench/bootstrap.ts";
import { type Measures, meanMeasure } from "../../bench/measure.ts";
import type { MeasuredRun } from "../../bench/statistics/runs.ts";
import { readStepLog } from "../../run/metrics.ts";
import type { Cell, Phase, Shelf } from "./cells.ts";
import type { Grid } from "./grid.ts";
import { finalOmni, finalSteps } from "./tables.ts";

/** More draws than elsewhere: Holm's correction over many statements asks for small p values. */
export const orderingOptions: BootstrapOptions = { ...defaultBootstrapOptions, numResamples: 10_000 };

/** The measured runs of every row. */
export type RunsByRow = ReadonlyMap<string, readonly MeasuredRun[]>;

/** The runs that have a score, with nothing else. */
export function withScore(runs: readonly MeasuredRun[], score: string): MeasuredRun[] {
  return runs.flatMap((run) => {
    const measure = run.measures[score];
    return measure === undefined ? [] : [{ ...run, measures: { [score]: measure } }];
  });
}

export function readRuns(shelf: Shelf, grid: Grid, cells: readonly Cell[], phase: Phase): RunsByRow {
  const runs = new Map<string, MeasuredRun[]>(grid.rows.map(({ name }) => [name, []]));
  const isMeasured = grid.evaluation.suite || grid.evaluation.conditions.length > 0;
  for (const cell of cells) {
    if (!shelf.isMade(cell, grid.evaluation, phase)) continue;
    const measured = isMeasured ? shelf.measuresOf(cell, grid.evaluation, phase) : {};
    const measures = grid.columns.some(({ score }) => score === finalOmni)
      ? { ...measured, ...logMeasures(shelf, cell) }
      : measured;
    // Runs of one number of a cold start are partners, whatever kind of cold start it is.
    runs.get(cell.row.name)!.push({ start: `${cell.start.index}`, seed: cell.training?.seed ?? 0, measures });
  }
  return runs;
}

/** What the training log says: the last steps' rewards, of which each is a draw as clips are. */
function logMeasures(shelf: Shelf, { training }: Cell): Measures {
  if (training === null) return {};
  const steps = readStepLog(join(shelf.trainingFolder(training), "metrics.jsonl"));
  const last = steps.slice(-finalSteps).map((step) => Number(step["rewards/omni/mean"] ?? Number.NaN));
  return { [finalOmni]: { ...meanMeasure("steps", last), isCount: true } };
}
