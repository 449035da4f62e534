// Scores over what is swept, and over doses of every kind of mask: one chart each, a line per row.

import type { Chart } from "../../page/charts.ts";
import { armColor } from "../../page/results-table.ts";
import { type Condition, conditionName } from "../../train/theatre/conditions.ts";
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

type MaskCondition = Extract<Condition, { kind: "mask" }>;

/** Scores that are drawn over doses, where they were measured. */
const doseScores = [
  { score: "unsupported", title: "unsupported claims" },
  { score: "claims", title: "claims" },
] as const;

function doseCharts({ evaluation, rows }: Grid, all: PhaseResults): Chart[] {
  const masks = evaluation.conditions.filter((one): one is MaskCondition => one.kind === "mask");
  const kinds = [...new Set(masks.map(({ modality, mask }) => `${modality} ${mask}`))];
  return kinds.flatMap((kind) => {
    const own = masks.filter(({ modality, mask }) => `${modality} ${mask}` === kind).sort((a, b) => a.dose - b.dose);
    const score = doseScores.find((one) => hasScore(all, `${one.score}@${conditionName(own[0]!)}`));
    if (own.length < 2 || score === undefined) return [];
    const lines = rows.flatMap((row, r) => {
      const result = all.rows.find((one) => one.row.name === row.name)!;
      const values = own.map((one) => result.report[`${score.score}@${conditionName(one)}`]?.value ?? null);
      const label = `${row.title} (n ${result.runs.length})`;
      return values.some((value) => value !== null) ? [{ label, color: armColor(r), values }] : [];
    });
    const title = `${kind}: ${score.title} per clip`;
    return [{ title, along: "dose", hasPoints: true, steps: own.map(({ dose }) => dose), lines }];
  });
}

function hasScore({ rows }: PhaseResults, score: string): boolean {
  return rows.some(({ report }) => report[score] !== undefined);
}
