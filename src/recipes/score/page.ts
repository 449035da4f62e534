// A score report as one self-contained page.
import { type Html, html, raw } from "../report/html.ts";
import { styleSheet } from "../report/style.ts";
import {
  comparisonTable,
  confusionTables,
  mainTable,
  noteLines,
  publishedTables,
  stampLines,
  type Table,
  wheelTables,
} from "./rows.ts";
import type { ScoreReport } from "./score.ts";

export function scorePage(report: ScoreReport): string {
  const comparison = comparisonTable(report);
  const title = report.isBenchmark ? "MER-UniBench" : "Emotion scores";
  const notes = noteLines(report);
  const stamps = html`<ul class="muted">${stampLines(report).map((stamp) => html`<li>${stamp}</li>`)}</ul>`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><link rel="icon" href="data:,"><style>${raw(styleSheet)}</style></head>
<body>
<h1>${title}</h1>
${stamps}
${tableSection(mainTable(report))}
${intervalPlot(report)}
${comparison !== null && tableSection(comparison)}
${notes.length > 0 && html`<h2>To know</h2><ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
${wheelTables(report).map((table) => details(table))}
${confusionTables(report).map((table) => details(table))}
${publishedTables(report).map(tableSection)}
<script>addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details")) d.open = true; });</script>
</body></html>
`.text;
}

function tableSection(table: Table): Html {
  return html`<h2>${table.title}</h2>${tableBody(table)}`;
}

function details(table: Table): Html {
  return html`<details><summary>${table.title}</summary>${tableBody(table)}</details>`;
}

/** Characters; what is longer may break. */
const longCell = 24;

function tableBody({ header, rows }: Table): Html {
  return html`<div class="scroll"><table class="results"><thead><tr>${header.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map((text) => html`<td style="${text.length > longCell && "white-space:normal"}">${text}</td>`)}</tr>`)}</tbody></table></div>`;
}

const plot = { width: 1000, labelWidth: 300, rowHeight: 22, top: 10, axisHeight: 24 };

/** One line per system and set: the interval, and a dot for the score. */
function intervalPlot({ systems }: ScoreReport): Html {
  const rows = systems.flatMap(({ name, sets, mean }) => [
    ...sets.map((set) => ({ label: `${name}, ${set.dataset}`, metric: set.metrics[set.primary]! })),
    ...(mean === null ? [] : [{ label: `${name}, mean`, metric: mean }]),
  ]);
  const height = plot.top + rows.length * plot.rowHeight + plot.axisHeight;
  const x = (value: number) => (plot.labelWidth + value * (plot.width - plot.labelWidth - 20)).toFixed(1);
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return html`<svg class="dots" viewBox="0 0 ${plot.width} ${height}" role="img" aria-label="Scores with their intervals">
${ticks.map((tick) => html`<line x1="${x(tick)}" x2="${x(tick)}" y1="${plot.top}" y2="${height - plot.axisHeight}"/><text class="axis" text-anchor="middle" x="${x(tick)}" y="${height - 8}">${100 * tick}</text>`)}
${rows.map(({ label, metric }, r) => {
  const y = plot.top + (r + 0.5) * plot.rowHeight;
  const { value, low, high } = metric;
  return html`<text x="0" y="${y + 4}">${label}</text>${
    value !== null &&
    html`<line x1="${x(low ?? value)}" x2="${x(high ?? value)}" y1="${y}" y2="${y}" style="stroke:var(--video);stroke-width:3"/><circle cx="${x(value)}" cy="${y}" r="5" fill="var(--video)"/>`
  }`;
})}
</svg>`;
}
