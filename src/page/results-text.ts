// The results table for a terminal: the same rows as the page, plain text.
import { type MetricGroup, measuredRows, metricGroups } from "./metric-rows.ts";
import type { TableArm } from "./results-table.ts";

const labelWidth = 44;
/** Of a column; one with a longer title is as wide as that and a gap. */
const columnWidth = 16;
const gap = 2;

export function resultsText(arms: readonly TableArm[], groups: readonly MetricGroup[] = metricGroups): string {
  const widths = arms.map(({ title }) => Math.max(columnWidth, title.length + gap));
  const lines = ["".padEnd(labelWidth) + arms.map(({ title }, i) => title.padStart(widths[i]!)).join("")];
  for (const group of groups) {
    lines.push("", group.title);
    for (const row of measuredRows(group, arms)) {
      const cells = arms.map((arm, i) => {
        const value = arm.metrics[row.metric]?.value ?? null;
        return (value === null ? "-" : value.toFixed(row.digits)).padStart(widths[i]!);
      });
      lines.push(
        `  ${row.label} ${row.better === "lower" ? "(less is better)" : ""}`.padEnd(labelWidth) + cells.join(""),
      );
    }
  }
  return lines.join("\n");
}
