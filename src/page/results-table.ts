// The table of arms and metrics, and the headline metrics as dots with their intervals.
import type { Metric } from "../bench/report.ts";
import type { ArmResult } from "./data.ts";
import { scrolling } from "./document.ts";
import { dotPanels } from "./dot-panels.ts";
import { type Html, html } from "./html.ts";
import { type MetricGroup, type MetricRow, measuredRows, metricGroups, metricRows } from "./metric-rows.ts";

/** What a table needs of an arm: its name for people, and its numbers. */
export type TableArm = Pick<ArmResult, "title" | "metrics">;

/** Metric -> the index of the arm that a paired test found better than every other; metrics without one are left out. */
export type ClearlyBest = ReadonlyMap<string, number>;

/** @param best without it nothing is marked */
export function resultsTable(
  arms: readonly TableArm[],
  groups: readonly MetricGroup[] = metricGroups,
  best: ClearlyBest = new Map(),
): Html {
  return scrolling(
    "Scores",
    html`<table class="results">
  <thead><tr><th scope="col">metric</th>${arms.map((arm) => html`<th scope="col">${arm.title}</th>`)}</tr></thead>
  <tbody>${groups.map(
    (group) => html`<tr class="group"><th scope="rowgroup" colspan="${arms.length + 1}">${group.title}</th></tr>
    ${measuredRows(group, arms).map((row) => tableRow(row, arms, best.get(row.metric) ?? null))}`,
  )}</tbody></table>`,
  );
}

function tableRow(row: MetricRow, arms: readonly TableArm[], best: number | null): Html {
  const arrow = { higher: "\u2191", lower: "\u2193", "near-half": "" }[row.better];
  return html`<tr><th scope="row">${row.label} ${arrow}<span class="hint">${row.hint}</span></th>${arms.map(
    (arm, a) => {
      const metric = arm.metrics[row.metric];
      if (metric === undefined || metric.value === null) return html`<td>\u2013</td>`;
      return html`<td class="${a === best && "best"}">${metric.value.toFixed(row.digits)}<small>${interval(metric, row.digits)}</small></td>`;
    },
  )}</tr>`;
}

function interval(metric: Metric, digits: number): string {
  if (metric.low === null || metric.high === null) return "";
  return `${metric.low.toFixed(digits)}\u2013${metric.high.toFixed(digits)}`;
}

/** The headline metrics, each with a dot and its interval per arm. */
export function headlinePlot(arms: readonly ArmResult[], best: ClearlyBest): Html {
  const rows = metricRows.filter((row) => row.headline === true);
  const panels = measuredRows({ title: "", rows }, arms).map(({ metric, label, hint, better }) => ({
    title: label,
    hint,
    better,
    dots: arms.map((arm, a) => ({
      name: arm.title,
      metric: arm.metrics[metric],
      color: armColor(a),
      isBest: best.get(metric) === a,
    })),
  }));
  return dotPanels(panels, (value) => value.toFixed(2));
}

/** One colour per arm, the same in the plot and in the curves; told apart by colour-blind readers too (Okabe-Ito). */
export function armColor(index: number): string {
  const colors = ["#7a7f8a", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9"];
  return colors[index % colors.length]!;
}
