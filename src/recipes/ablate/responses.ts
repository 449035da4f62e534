// Scores over what is swept, and over doses of every kind of mask: one chart each, a line per row.

import { conditionName } from "../../bench/support/conditions.ts";
import type { Chart } from "../../page/charts.ts";
import { armColor } from "../../page/results-table.ts";
import type { Grid } from "./grid.ts";
import type { PhaseResults } from "./results.ts";

export function responseCharts(grid: Grid, all: PhaseResults): Chart[] {
  return [...sweepCharts(grid, all), ...doseCharts(grid, all)];
}

/** Rows of numeric values of one setting, in their order. */
function sweepCharts({ columns }: Grid, { rows }: PhaseResults): Chart[] {
  const swept = rows
    .filter(({ row, runs }) => typeof row.swept === "number" && runs.length > 0)
    .sort((a, b) => Number(a.row.swept) - Number(b.row.swept));
  if (swept.length < 2) return [];
  return columns.map(({ score, title }): Chart => {
    const of = (bound: "value" | "low" | "high") => swept.map(({ report }) => report[score]?.[bound] ?? null);
    return {
      title,
      along: "value",
      hasPoints: true,
      steps: swept.map(({ row }) => Number(row.swept)),
      lines: [
        { label: `mean (n ${swept[0]!.runs.length})`, color: armColor(1), values: of("value") },
        { label: "95%, low", color: armColor(0), values: of("low") },
        { label: "95%, high", color: armColor(0), values: of("high") },
      ],
    };
  });
}

/** Scores that are drawn over doses. */
const doseScores = [
  { score: "unsupported", title: "unsupported claims per clip" },
  { score: "recallReadable", title: "recall of what can be read" },
] as const;

function doseCharts({ evaluation, rows }: Grid, all: PhaseResults): Chart[] {
  const { conditions } = evaluation;
  const kinds = [
    ...new Set(conditions.filter(({ dose }) => dose > 0).map(({ modality, kind }) => `${modality} ${kind}`)),
  ];
  return kinds.flatMap((name) => {
    // As it is, a clip is the first kind's dose 0, and every kind's.
    const own = conditions
      .filter(({ modality, kind, dose }) => `${modality} ${kind}` === name || (dose === 0 && name.startsWith(modality)))
      .sort((a, b) => a.dose - b.dose);
    return doseScores.map(({ score, title }): Chart => {
      const lines = rows.flatMap((row, r) => {
        const result = all.rows.find((one) => one.row.name === row.name)!;
        const values = own.map((one) => result.report[`${conditionName(one)}/${score}`]?.value ?? null);
        const label = `${row.title} (n ${result.runs.length})`;
        return values.some((value) => value !== null) ? [{ label, color: armColor(r), values }] : [];
      });
      return { title: `${name}: ${title}`, along: "dose", hasPoints: true, steps: own.map(({ dose }) => dose), lines };
    });
  });
}
