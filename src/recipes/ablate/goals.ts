// Which goals a grid's rows reach, and how sure: a paired test of the distance to the bound over cold starts, seeds and clips.
import type { Measure } from "../../bench/measure.ts";
import type { Metric } from "../../bench/report.ts";
import { holm } from "../../bench/statistics/p-value.ts";
import { type MeasuredRun, pairedRuns, reportOfRuns } from "../../bench/statistics/runs.ts";
import type { Goal, Grid } from "./grid.ts";
import { orderingOptions, type RunsByRow, withScore } from "./runs-by-row.ts";

export interface GoalResult extends Goal {
  readonly value: number | null;
  /** How far on the right side of the bound, with its interval; below 0: on the wrong one. */
  readonly distance: Metric;
  /** Two-sided, after Holm's correction over the goals of the row. */
  readonly pValue: number;
  readonly verdict: "met" | "missed" | "cannot tell";
  readonly numRuns: number;
}

/** Below this a goal counts as met. */
const significance = 0.01;

export function goalResults({ rows, goals = [] }: Grid, runs: RunsByRow): GoalResult[] {
  return rows.flatMap(({ name }) => {
    const own = goals.filter(({ row }) => row === name).flatMap((goal) => distanceOf(goal, runs));
    const corrected = holm(own.map(({ pValue }) => pValue));
    return own.map((one, i): GoalResult => {
      const isReached = (one.distance.value ?? -1) >= 0;
      // One run says nothing about other seeds, however many clips it is sure on.
      const isClear = one.numRuns > 1 && corrected[i]! < significance;
      return { ...one, pValue: corrected[i]!, verdict: isClear ? (isReached ? "met" : "missed") : "cannot tell" };
    });
  });
}

function distanceOf(goal: Goal, runs: RunsByRow): Omit<GoalResult, "verdict">[] {
  const own = withScore(runs.get(goal.row) ?? [], goal.score);
  const sign = goal.side === "least" ? 1 : -1;
  const other =
    typeof goal.bound === "string"
      ? withScore(runs.get(goal.bound) ?? [], goal.score)
      : own.map((run) => withMeasure(run, goal.score, (measure) => constant(measure, goal.bound as number)));
  const bound = other.map((run) => withMeasure(run, goal.score, (measure) => shifted(measure, goal.margin)));
  const paired = (sign > 0 ? pairedRuns(own, bound, orderingOptions) : pairedRuns(bound, own, orderingOptions))[
    goal.score
  ];
  if (paired === undefined || paired.pValue === null) return [];
  const { value: distance, low, high, count, pValue, perRun } = paired;
  return [
    {
      ...goal,
      value: reportOfRuns(own, { ...orderingOptions, numResamples: 1 })[goal.score]!.value,
      distance: { value: distance, low, high, count },
      pValue,
      numRuns: perRun.length,
    },
  ];
}

function withMeasure(run: MeasuredRun, score: string, of: (measure: Measure) => Measure): MeasuredRun {
  return { ...run, measures: { [score]: of(run.measures[score]!) } };
}

/** A score that is `by` larger on every draw of clips. */
function shifted(measure: Measure, by: number): Measure {
  const parts = measure.parts.map(({ sums, counts }) => ({
    counts,
    sums: sums.map((sum, i) => sum + by * counts[i]!),
  }));
  return { ...measure, parts };
}

function constant(measure: Measure, value: number): Measure {
  const parts = measure.parts.map(({ counts }) => ({ counts, sums: counts.map((count) => value * count) }));
  return { ...measure, parts };
}
