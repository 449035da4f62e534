// Which arm of a table may be called the best: the one that a paired test tells apart from every other, not the largest number.
import type { BootstrapOptions } from "../bootstrap.ts";
import { holm } from "./p-value.ts";
import { type MeasuredRun, pairedRuns, reportOfRuns } from "./runs.ts";

/** Below this, after correction, chance is a poor explanation. */
const significance = 0.05;

/**
 * The index of the arm that is better than each of the others in one score (Holm-corrected over them), or null.
 * @param arms the runs of every arm, over the same clips
 */
export function clearBest(
  arms: readonly (readonly MeasuredRun[])[],
  score: string,
  better: "higher" | "lower",
  options: BootstrapOptions,
): number | null {
  const own = arms.map((runs) => runs.map((run) => onlyScore(run, score)));
  const values = own.map((runs) => reportOfRuns(runs, { ...options, numResamples: 1 })[score]?.value ?? null);
  const sign = better === "higher" ? 1 : -1;
  const known = values.flatMap((value, arm) => (value === null ? [] : [{ value, arm }]));
  if (known.length < 2) return null;
  const best = known.reduce((most, one) => (sign * one.value > sign * most.value ? one : most)).arm;
  const pValues = known
    .filter(({ arm }) => arm !== best)
    .map(({ arm }) => pairedRuns(own[best]!, own[arm]!, options)[score]?.pValue ?? 1);
  return holm(pValues).every((pValue) => pValue < significance) ? best : null;
}

function onlyScore(run: MeasuredRun, score: string): MeasuredRun {
  const measure = run.measures[score];
  return { ...run, measures: measure === undefined ? {} : { [score]: measure } };
}
