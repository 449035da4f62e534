// The words of a grid's results that every form of them shares: cells, counts, verdicts.

import type { Metric } from "../../bench/report.ts";
import { pValueText } from "../../bench/statistics/p-value.ts";
import type { GoalResult } from "./goals.ts";
import type { GridColumn, GridRow } from "./grid.ts";
import type { GridResults, Ordering, RowResult } from "./results.ts";
import { orderingOptions } from "./runs-by-row.ts";

/** Percent of a share with one digit, else two digits. */
export function numberText(value: number, { isShare }: Pick<GridColumn, "isShare">): string {
  return isShare ? (100 * value).toFixed(1) : value.toFixed(2);
}

export function intervalText(metric: Metric, column: GridColumn): string {
  return metric.low === null || metric.high === null
    ? ""
    : `[${numberText(metric.low, column)}, ${numberText(metric.high, column)}]`;
}

/** What the paper prints there, as printed; null: nothing. */
export function printedText(row: GridRow, { score, isShare }: GridColumn): string | null {
  const value = row.printed[score];
  return value === undefined ? null : value.toFixed(isShare ? 2 : 3);
}

/** Example: "3 cold starts x 3 seeds" */
export function runsText({ numStarts, numSeeds, row }: RowResult): string {
  const many = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;
  return row.preset === null
    ? many(numStarts, "cold start")
    : `${many(numStarts, "cold start")} x ${many(numSeeds, "seed")}`;
}

/** Example: "OPPO above + PAPO in Recall: holds (+9.2 [6.1, 12.0], p 0.004; 9 pairs; Table 3, 70.44 and 58.29)" */
export function orderingText(ordering: Ordering, { grid }: Pick<GridResults, "grid">): string {
  const title = (name: string) => grid.rows.find((row) => row.name === name)!.title;
  const column = columnOf(grid.columns, ordering.score);
  const { value } = ordering.difference;
  const sign = (value ?? 0) > 0 ? "+" : "";
  const sure = `${sign}${value === null ? "?" : numberText(value, column)} ${intervalText(ordering.difference, column)}, p ${pValueText(ordering.pValue, orderingOptions.numResamples)}`;
  return `${title(ordering.better)} above ${title(ordering.worse)} in ${column.title}: ${ordering.verdict} (${sure}; ${ordering.numPairs} pairs; ${ordering.source})`;
}

/** A score that is no column of the grid stands under its name. */
export function columnOf(columns: readonly GridColumn[], score: string): GridColumn {
  return (
    columns.find((column) => column.score === score) ?? {
      ...{ score, title: score, printedTitle: score, better: "higher", isShare: true },
    }
  );
}

/** Example: "12 of 40 hold, 3 do not, 25 cannot be told" */
export function verdictCounts(orderings: readonly Ordering[]): string {
  const count = (verdict: Ordering["verdict"]) => orderings.filter((one) => one.verdict === verdict).length;
  return `${count("holds")} of ${orderings.length} hold, ${count("does not hold")} do not, ${count("cannot tell")} cannot be told`;
}

/** What a choice came to. null where nothing was to choose. */
export function choiceText({ grid, chosen, all }: GridResults): string | null {
  if (grid.choice === null) return null;
  if (chosen === null) return `${grid.choice.symbol}: nothing could be chosen, for no row is measured.`;
  const row = grid.rows.find(({ name }) => name === chosen.row)!;
  const test = chosen.test.rows.find(({ row: own }) => own.name === chosen.row)!;
  const numbers = grid.columns.map((column) => {
    const metric = test.report[column.score];
    return `${column.title} ${metric === undefined || metric.value === null ? "-" : `${numberText(metric.value, column)} ${intervalText(metric, column)}`}`;
  });
  return `${grid.choice.symbol}: chosen on the ${all.phase} split by the mean of the columns: ${row.title} (${(100 * chosen.mean).toFixed(1)}). On the test split, once: ${numbers.join(", ")}.`;
}

const phaseText = { dev: "the dev split", test: "the test split" } as const;

/** What the numbers were read from. Example: "Measured on the test split" */
export function sourceText({ grid, all }: Pick<GridResults, "grid" | "all">): string {
  return isOfLogs(grid) ? "Read from the logs of training" : `Measured on ${phaseText[all.phase]}`;
}

/** What one number rests on, and what intervals are over. */
export function unitsText({ grid }: Pick<GridResults, "grid">): { readonly count: string; readonly intervals: string } {
  return isOfLogs(grid)
    ? { count: "steps", intervals: "cold starts, seeds and steps" }
    : { count: "clips or probes", intervals: "cold starts, seeds and clips" };
}

/** Whether models are not asked anything. */
function isOfLogs({ evaluation: { suite, conditions } }: GridResults["grid"]): boolean {
  return !suite && conditions.length === 0;
}

/** Example: "OPPO: unsupported claims under video blur:1 at most 0.50: met (0.12, 0.38 inside [0.30, 0.45], p <0.001; 9 runs)" */
export function goalText(goal: GoalResult, { grid }: Pick<GridResults, "grid">): string {
  const title = (name: string) => grid.rows.find((row) => row.name === name)!.title;
  const margin = goal.margin === 0 ? "" : ` ${goal.margin > 0 ? "+" : "-"} ${Math.abs(goal.margin).toFixed(2)}`;
  const bound = typeof goal.bound === "string" ? `that of ${title(goal.bound)}` : goal.bound.toFixed(2);
  const { value, low, high } = goal.distance;
  const number = (one: number | null) => (one === null ? "?" : one.toFixed(2));
  const side = (value ?? 0) >= 0 ? `${number(value)} inside` : `${number(value === null ? null : -value)} outside`;
  const p = pValueText(goal.pValue, orderingOptions.numResamples);
  return `${title(goal.row)}: ${goal.title} at ${goal.side} ${bound}${margin}: ${goal.verdict} (${number(goal.value)}, ${side} [${number(low)}, ${number(high)}], p ${p}; ${goal.numRuns} runs)`;
}

/** Example: "OPPO: 3 of 24 goals met" */
export function goalCounts({ grid, all }: Pick<GridResults, "grid" | "all">): string[] {
  return grid.rows.flatMap(({ name, title }) => {
    const own = all.goals.filter(({ row }) => row === name);
    const met = own.filter(({ verdict }) => verdict === "met").length;
    return own.length === 0 ? [] : [`${title}: ${met} of ${own.length} goals met${met === own.length ? " (all)" : ""}`];
  });
}
