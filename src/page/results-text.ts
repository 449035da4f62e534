// The results table for a terminal: the same rows as the page, plain text.
import { type MetricGroup, measuredRows, metricGroups } from "./metric-rows.ts";
import type { TableArm } from "./results-table.ts";

const labelWidth = 44;
const columnWidth = 16;

export function resultsText(arms: readonly TableArm[], groups: readonly MetricGroup[] = metricGroups): string {
  const lines = ["".padEnd(labelWidth) + arms.map((arm) => arm.title.padStart(columnWidth)).join("")];
  for (const group of groups) {
    lines.push("", group.title);
    for (const row of measuredRows(group, arms)) {
      const cells = arms.map((arm) => {
        const value = arm.metrics[row.metric]?.value ?? null;
        return (value === null ? "-" : value.toFixed(row.digits)).padStart(columnWidth);
      });
      lines.push(
        `  ${row.label} ${row.better === "lower" ? "(less is better)" : ""}`.padEnd(labelWidth) + cells.join(""),
      );
    }
  }
  return lines.join("\n");
}
