// From measured cells to what is said of a grid: every row over its cold starts, seeds and clips, and what became of every statement
// of the paper. Cells that failed are left out of their row and counted.
import { defaultBootstrapOptions } from "../../bench/bootstrap.ts";
import type { Metric, Report } from "../../bench/report.ts";
import { clearBest } from "../../bench/statistics/clear-best.ts";
import { judgeOrderings, type Verdict } from "../../bench/statistics/ordering.ts";
import { type MeasuredRun, pairedRuns, reportOfRuns } from "../../bench/statistics/runs.ts";
import type { Cell, Phase } from "./cells.ts";
import { type GoalResult, goalResults } from "./goals.ts";
import type { Grid, GridColumn, GridRow, Statement } from "./grid.ts";
import { cellName } from "./plan.ts";
import { orderingOptions, type RunsByRow, withScore } from "./runs-by-row.ts";

export interface Failure {
  /** Example: "oppo, cold start mixed 1, seed 2" */
  readonly cell: string;
  readonly row: string;
  readonly message: string;
}

/** One cell's numbers. */
export interface RunResult {
  readonly start: number;
  /** null: the cold start as it is. */
  readonly seed: number | null;
  readonly values: Readonly<Record<string, number | null>>;
}

export interface RowResult {
  readonly row: GridRow;
  readonly numStarts: number;
  /** Per cold start, at most. */
  readonly numSeeds: number;
  readonly report: Report;
  readonly runs: readonly RunResult[];
}

export interface Ordering extends Statement {
  readonly difference: Metric;
  /** Two-sided, after Holm's correction over all statements of the grid. */
  readonly pValue: number;
  readonly verdict: Verdict;
  /** Pairs of runs of the same cold start and seed. */
  readonly numPairs: number;
}

export interface PhaseResults {
  readonly phase: Phase;
  readonly rows: readonly RowResult[];
  readonly orderings: readonly Ordering[];
  readonly goals: readonly GoalResult[];
  /** Score -> the row that a paired test tells apart from every other. */
  readonly best: Readonly<Record<string, string>>;
}

export interface GridResults {
  readonly grid: Grid;
  /** Of all rows. */
  readonly all: PhaseResults;
  /** On the dev split; null where nothing is chosen, or nothing could be. */
  readonly chosen: { readonly row: string; readonly mean: number; readonly test: PhaseResults } | null;
  readonly failures: readonly Failure[];
  /** Of this call. */
  readonly seconds: number;
}

export function phaseResults(grid: Grid, runs: RunsByRow, phase: Phase): PhaseResults {
  const rows = grid.rows.map((row) => rowResult(row, runs.get(row.name)!));
  return {
    phase,
    rows,
    orderings: judgeOrderings(grid.statements.flatMap((statement) => unjudged(grid, statement, runs))),
    goals: goalResults(grid, runs),
    best: bestRows(grid, runs),
  };
}

/** Of hundreds of scores under conditions, those that tables and pages show: every interval costs a resampling. */
const shownUnderConditions = /\/(unsupported|supported|missed|recallReadable|recallOther|format)$/;

function shownScores(run: MeasuredRun): MeasuredRun {
  const shown = Object.entries(run.measures).filter(([name]) => !name.includes("/") || shownUnderConditions.test(name));
  return { ...run, measures: Object.fromEntries(shown) };
}

function rowResult(row: GridRow, all: readonly MeasuredRun[]): RowResult {
  const runs = all.map(shownScores);
  const starts = new Set(runs.map(({ start }) => start));
  const seedsOf = (start: string) => runs.filter((run) => run.start === start).length;
  return {
    row,
    numStarts: starts.size,
    numSeeds: Math.max(0, ...[...starts].map(seedsOf)),
    report: reportOfRuns(runs, defaultBootstrapOptions),
    runs: runs.map((run) => ({
      start: Number(run.start),
      seed: row.preset === null ? null : run.seed,
      values: Object.fromEntries(
        Object.entries(reportOfRuns([run], { ...defaultBootstrapOptions, numResamples: 1 })).map(
          ([name, { value }]) => [name, value],
        ),
      ),
    })),
  };
}

function unjudged({ columns }: Grid, statement: Statement, runs: RunsByRow) {
  const only = (name: string) => withScore(runs.get(name)!, statement.score);
  const paired = pairedRuns(only(statement.better), only(statement.worse), orderingOptions)[statement.score];
  if (paired === undefined || paired.pValue === null) return [];
  const isLess = columns.find(({ score }) => score === statement.score)?.better === "lower";
  const { value, low, high, count, pValue, perRun } = paired;
  const difference = isLess
    ? { value: negated(value), low: negated(high), high: negated(low), count }
    : { value, low, high, count };
  return [{ ...statement, difference, pValue, numPairs: perRun.length }];
}

const negated = (value: number | null) => (value === null ? null : -value);

function bestRows(grid: Grid, runs: RunsByRow): Record<string, string> {
  const rows = grid.rows.filter(({ name }) => runs.get(name)!.length > 0);
  const all = rows.map(({ name }) => runs.get(name)!);
  return Object.fromEntries(
    grid.columns.flatMap(({ score, better }) => {
      const best = clearBest(all, score, better, orderingOptions);
      return best === null ? [] : [[score, rows[best]!.name]];
    }),
  );
}

/** The row with the largest mean of the columns; ties go to the first. null where nothing is measured. */
export function chooseRow(
  columns: readonly GridColumn[],
  { rows }: PhaseResults,
): { row: string; mean: number } | null {
  const means = rows.flatMap(({ row, report }) => {
    const values = columns.map(({ score }) => report[score]?.value ?? null);
    if (row.preset === null || values.includes(null)) return [];
    const signed = columns.map(({ better }, i) => (better === "higher" ? values[i]! : -values[i]!));
    return [{ row: row.name, mean: signed.reduce((sum, value) => sum + value, 0) / signed.length }];
  });
  return means.length === 0 ? null : means.reduce((best, one) => (one.mean > best.mean ? one : best));
}

/** The failures that cells show in a table. */
export function failuresOf(cells: readonly Cell[], messages: ReadonlyMap<string, string>): Failure[] {
  return cells.flatMap((cell) => {
    const message = messages.get(cellName(cell));
    return message === undefined ? [] : [{ cell: cellName(cell), row: cell.row.name, message }];
  });
}
