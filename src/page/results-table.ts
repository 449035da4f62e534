// The table of arms and metrics, and the headline plot of the same numbers with their intervals.
import type { Metric } from "../bench/report.ts";
import type { ArmResult } from "./data.ts";
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
  return html`<div class="scroll"><table class="results">
  <thead><tr><th></th>${arms.map((arm) => html`<th scope="col">${arm.title}</th>`)}</tr></thead>
  <tbody>${groups.map(
    (group) => html`<tr class="group"><th colspan="${arms.length + 1}">${group.title}</th></tr>
    ${measuredRows(group, arms).map((row) => tableRow(row, arms, best.get(row.metric) ?? null))}`,
  )}</tbody></table></div>`;
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

const plot = { width: 1100, columns: 5, rowHeight: 22, top: 40, labelWidth: 130 };

/** Small multiples: one panel per headline metric, one dot with its interval per arm. SVG, so that it prints sharp. */
export function headlinePlot(arms: readonly ArmResult[]): Html {
  const rows = metricRows.filter((row) => row.headline === true);
  const height = plot.top + plot.rowHeight * arms.length + 24;
  const panelWidth = (plot.width - plot.labelWidth) / rows.length;
  return html`<div class="scroll"><svg class="dots" viewBox="0 0 ${plot.width} ${height}" role="img" aria-label="Headline metrics with intervals">
  ${arms.map((arm, a) => html`<text x="0" y="${armY(a) + 4}">${arm.title}</text>`)}
  ${rows.map((row, r) => panel(row, arms, plot.labelWidth + r * panelWidth, panelWidth - 26, height))}
</svg></div>`;
}

function panel(row: MetricRow, arms: readonly ArmResult[], x: number, width: number, height: number): Html {
  const highest = Math.max(1, ...arms.map((arm) => arm.metrics[row.metric]?.high ?? 0));
  const scale = highest > 1 ? Math.ceil(highest) : 1;
  const at = (value: number) => (x + (value / scale) * width).toFixed(1);
  const arrow = row.better === "higher" ? "\u2192 better" : "\u2190 better";
  return html`<text x="${x}" y="14" font-weight="700">${row.label}</text><text class="axis" x="${x}" y="28">${arrow}</text>
  ${[0, scale / 2, scale].map(
    (tick) =>
      html`<line x1="${at(tick)}" x2="${at(tick)}" y1="${plot.top - 6}" y2="${height - 22}"/><text class="axis" text-anchor="middle" x="${at(tick)}" y="${height - 8}">${tick}</text>`,
  )}
  ${arms.map((arm, a) => {
    const metric = arm.metrics[row.metric];
    if (metric === undefined || metric.value === null) return false;
    const color = armColor(a);
    return html`<line x1="${at(metric.low ?? metric.value)}" x2="${at(metric.high ?? metric.value)}" y1="${armY(a)}" y2="${armY(a)}" style="stroke:${color};stroke-width:3"/><circle cx="${at(metric.value)}" cy="${armY(a)}" r="5" fill="${color}"/>`;
  })}`;
}

function armY(index: number): number {
  return plot.top + plot.rowHeight * (index + 0.4);
}

/** One colour per arm, the same in the plot and in the curves; told apart by colour-blind readers too (Okabe-Ito). */
export function armColor(index: number): string {
  const colors = ["#7a7f8a", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9"];
  return colors[index % colors.length]!;
}
