// A score report as one self-contained page.
import type { Metric } from "../../bench/report.ts";
import { folded, pageDocument, scrolling } from "../../page/document.ts";
import { type DotPanel, dotPanels } from "../../page/dot-panels.ts";
import { type Html, html } from "../../page/html.ts";
import { lexiconWarning, noteLines, stampLines } from "./notes.ts";
import { meanTitle, type ScoreReport, type SystemScore } from "./report.ts";
import {
  comparisonTable,
  confusionTables,
  mainTable,
  percent,
  publishedTables,
  type Table,
  wheelTables,
} from "./rows.ts";

export function scorePage(report: ScoreReport): string {
  const comparison = comparisonTable(report);
  const title = titleOf(report);
  const notes = noteLines(report);
  const warning = lexiconWarning(report);
  const stamps = stampLines(report).filter((line) => line !== warning);
  const body = html`<h1>${title}</h1>
${warning !== null && html`<div class="notes"><p>${warning}</p></div>`}
${intervalPlot(report)}
${tableSection(mainTable(report))}
<ul class="muted">${stamps.map((stamp) => html`<li>${stamp}</li>`)}</ul>
${comparison !== null && tableSection(comparison)}
${notes.length > 0 && html`<h2>To know</h2><ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
${publishedTables(report).map(tableSection)}
${wheelTables(report).map((table) => folded(table.title, tableBody(table)))}
${confusionTables(report).map((table) => folded(table.title, tableBody(table)))}`;
  return pageDocument({ title, body });
}

function titleOf({ isBenchmark, partial }: ScoreReport): string {
  if (partial !== null) return `MER-UniBench, ${partial.numSets} of ${partial.numAll} sets`;
  return isBenchmark ? "MER-UniBench" : "Emotion scores";
}

function tableSection(table: Table): Html {
  return html`<h2>${table.title}</h2>${tableBody(table)}`;
}

/** Characters; what is longer may break. */
const longCell = 24;
const strongestShade = 0.6;

/** Numbers stand under each other, words begin at one line. */
function isNumeric(text: string): boolean {
  return /^[-<\d]/.test(text) || text === "";
}

function tableBody({ title, header, rows, shades, groupBy }: Table): Html {
  const shown = header.map((_, column) => column).filter((column) => column !== groupBy);
  const styles = header.map((_, column) => {
    const align = rows.every((row) => isNumeric(row[column]!)) ? "" : "text-align:left;";
    return (text: string) => align + (text.length > longCell ? "white-space:normal" : "");
  });
  const shade = (r: number, c: number) => {
    const share = Math.round(100 * (shades?.[r]?.[c] ?? 0));
    return share === 0
      ? ""
      : `;background:color-mix(in srgb,var(--video) ${Math.round(share * strongestShade)}%,transparent)`;
  };
  const line = (row: readonly string[], r: number) =>
    html`<tr>${shown.map((c, i) => {
      const text = row[c]!;
      return i === 0
        ? html`<th scope="row">${text}</th>`
        : html`<td style="${styles[c]!(text) + shade(r, c)}">${text}</td>`;
    })}</tr>`;
  const heading = (row: readonly string[], r: number) =>
    groupBy !== undefined &&
    row[groupBy] !== rows[r - 1]?.[groupBy] &&
    html`<tr class="group"><th scope="rowgroup" colspan="${shown.length}">${row[groupBy]!}</th></tr>`;
  return scrolling(
    title,
    html`<table class="results"><thead><tr>${shown.map((c) => html`<th scope="col" style="${styles[c]!(header[c]!)}">${header[c] || html`<span class="aside">row</span>`}</th>`)}</tr></thead>
<tbody>${rows.map((row, r) => html`${heading(row, r)}${line(row, r)}`)}</tbody></table>`,
  );
}

const colours = ["var(--video)", "var(--audio)", "var(--emotion)", "var(--bad)", "var(--soft)"];

/** Systems under each other on every set, each in its colour; the sets of a lone system are one panel. */
function intervalPlot(report: ScoreReport): Html {
  const { systems } = report;
  const columns = [
    ...(systems[0]?.sets ?? []).map(({ title }, i) => ({
      title,
      metricOf: ({ sets }: SystemScore) => sets[i]!.metrics[sets[i]!.primary]!,
    })),
    { title: meanTitle(report), metricOf: ({ mean }: SystemScore) => mean },
  ].filter(({ metricOf }) => systems.some((system) => metricOf(system) !== null));
  const dot = (name: string, metric: Metric | null, s: number) => ({
    name,
    metric: metric ?? undefined,
    color: colours[s % colours.length]!,
  });
  const panel = { hint: "", better: "higher" } as const;
  const lone = systems.length === 1 ? systems[0]! : null;
  const panels: DotPanel[] =
    lone === null
      ? columns.map(({ title, metricOf }) => ({
          ...panel,
          title,
          dots: systems.map((system, s) => dot(system.name, metricOf(system), s)),
        }))
      : [{ ...panel, title: lone.name, dots: columns.map(({ title, metricOf }) => dot(title, metricOf(lone), 0)) }];
  return dotPanels(panels, (value) => percent(value));
}
