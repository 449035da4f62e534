// A score report as one self-contained page.
import type { Metric } from "../../bench/report.ts";
import { type Html, html, raw } from "../../page/html.ts";
import { styleSheet } from "../../page/style.ts";
import { noteLines, stampLines } from "./notes.ts";
import { meanTitle, type ScoreReport, type SystemScore } from "./report.ts";
import { comparisonTable, confusionTables, mainTable, publishedTables, type Table, wheelTables } from "./rows.ts";

export function scorePage(report: ScoreReport): string {
  const comparison = comparisonTable(report);
  const title = titleOf(report);
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
${publishedTables(report).map(tableSection)}
${wheelTables(report).map((table) => details(table))}
${confusionTables(report).map((table) => details(table))}
<script>addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details")) d.open = true; });</script>
</body></html>
`.text;
}

function titleOf({ isBenchmark, partial }: ScoreReport): string {
  if (partial !== null) return `MER-UniBench, ${partial.numSets} of ${partial.numAll} sets`;
  return isBenchmark ? "MER-UniBench" : "Emotion scores";
}

function tableSection(table: Table): Html {
  return html`<h2>${table.title}</h2>${tableBody(table)}`;
}

function details(table: Table): Html {
  return html`<details><summary>${table.title}</summary>${tableBody(table)}</details>`;
}

/** Characters; what is longer may break. */
const longCell = 24;
const strongestShade = 0.6;

/** Numbers stand under each other, words begin at one line. */
function isNumeric(text: string): boolean {
  return /^[-<\d]/.test(text) || text === "";
}

function tableBody({ header, rows, shades }: Table): Html {
  const styles = header.map((_, column) => {
    const cells = rows.map((row) => row[column]!);
    const align = cells.every(isNumeric) ? "" : "text-align:left;";
    return (text: string) => align + (text.length > longCell ? "white-space:normal" : "");
  });
  const shade = (r: number, c: number) => {
    const share = Math.round(100 * (shades?.[r]?.[c] ?? 0));
    return share === 0
      ? ""
      : `;background:color-mix(in srgb,var(--video) ${Math.round(share * strongestShade)}%,transparent)`;
  };
  return html`<div class="scroll"><table class="results"><thead><tr>${header.map((name, c) => html`<th scope="col" style="${styles[c]!(name)}">${name}</th>`)}</tr></thead>
<tbody>${rows.map(([first, ...rest], r) => html`<tr><th scope="row">${first}</th>${rest.map((text, c) => html`<td style="${styles[c + 1]!(text) + shade(r, c + 1)}">${text}</td>`)}</tr>`)}</tbody></table></div>`;
}

const plot = { width: 1000, labelWidth: 300, rowHeight: 22, gap: 8, top: 10, axisHeight: 24 };
const colours = ["var(--video)", "var(--audio)", "var(--emotion)", "var(--bad)", "var(--soft)"];

interface PlotRow {
  readonly label: string;
  readonly metric: Metric;
  readonly colour: string;
  readonly y: number;
}

/** Systems under each other on every set, each in its colour: the interval, and a dot for the score. */
function plotRows(report: ScoreReport): { rows: PlotRow[]; height: number } {
  const { systems } = report;
  const rows: PlotRow[] = [];
  let y = plot.top;
  const place = (title: string, metricOf: (system: SystemScore) => Metric | null) => {
    for (const [s, system] of systems.entries()) {
      const metric = metricOf(system);
      if (metric === null) continue;
      const label = systems.length > 1 ? `${title}, ${system.name}` : title;
      rows.push({ label, metric, colour: colours[s % colours.length]!, y: y + plot.rowHeight / 2 });
      y += plot.rowHeight;
    }
    if (systems.length > 1) y += plot.gap;
  };
  for (const [i, { title }] of (systems[0]?.sets ?? []).entries()) {
    place(title, ({ sets }) => sets[i]!.metrics[sets[i]!.primary]!);
  }
  place(meanTitle(report), ({ mean }) => mean);
  return { rows, height: y + plot.axisHeight };
}

function intervalPlot(report: ScoreReport): Html {
  const { rows, height } = plotRows(report);
  const x = (value: number) => (plot.labelWidth + value * (plot.width - plot.labelWidth - 20)).toFixed(1);
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return html`<svg class="dots" viewBox="0 0 ${plot.width} ${height}" role="img" aria-label="Scores with their intervals">
${ticks.map((tick) => html`<line x1="${x(tick)}" x2="${x(tick)}" y1="${plot.top}" y2="${height - plot.axisHeight}"/><text class="axis" text-anchor="middle" x="${x(tick)}" y="${height - 8}">${100 * tick}</text>`)}
${rows.map(({ label, metric, colour, y }) => {
  const { value, low, high } = metric;
  return html`<text x="0" y="${y + 4}">${label}</text>${
    value !== null &&
    html`<line x1="${x(low ?? value)}" x2="${x(high ?? value)}" y1="${y}" y2="${y}" style="stroke:${colour};stroke-width:3"/><circle cx="${x(value)}" cy="${y}" r="5" fill="${colour}"/>`
  }`;
})}
</svg>`;
}
