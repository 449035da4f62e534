// `oppo mep compare`: two systems that answered the same set, metric by metric, with the difference tested on the same clips.
import { defaultBootstrapOptions } from "../../bench/bootstrap.ts";
import { pairedReport } from "../../bench/measure.ts";
import type { PairedDifference } from "../../bench/report.ts";
import { pValueText } from "../../bench/statistics/p-value.ts";
import { OppoError } from "../../error.ts";
import { folded, pageDocument, scrolling } from "../../page/document.ts";
import { type Html, html } from "../../page/html.ts";
import { type MetricRow, measuredRows, mepMetricGroups } from "../../page/metric-rows.ts";
import { resultsTable } from "../../page/results-table.ts";
import { statementsAreClauses } from "./decompose.ts";
import { headline, mepStyle, paperTable } from "./page.ts";
import type { MepResults } from "./results.ts";

export interface MepComparison {
  readonly first: MepResults;
  readonly second: MepResults;
  /** first - second. */
  readonly differences: Readonly<Record<string, PairedDifference>>;
  /** Ways in which the two were asked differently. */
  readonly notes: readonly string[];
}

/** Settings by which two systems differ without being asked differently. */
const ownSettings: ReadonlySet<string> = new Set([
  "model",
  "endpoint",
  "extra",
  "device",
  "dtype",
  "batchSize",
  "statements",
]);

/** @throws OppoError ERR_MEP_COMPARE when they did not answer the same questions */
export function compareResults(first: MepResults, second: MepResults): MepComparison {
  if (first.set.hash !== second.set.hash) {
    throw new OppoError(
      "ERR_MEP_COMPARE",
      `mep compare: expected two results of one set, got ${nameOf(first)} and ${nameOf(second)}. Run both on the same set.`,
    );
  }
  const [left, right] = [first, second].map(({ settings }) => settings.statements ?? statementsAreClauses);
  if (left !== right) {
    throw new OppoError(
      "ERR_MEP_COMPARE",
      `mep compare: expected statements that were read in one way, got those of ${first.system} by ${left} and of ${second.system} by ${right}: their scores differ by that alone. Run one of them again with the other's --decompose.`,
    );
  }
  for (const [group, ids] of Object.entries(first.groups)) {
    if (JSON.stringify(second.groups[group]) === JSON.stringify(ids)) continue;
    throw new OppoError(
      "ERR_MEP_COMPARE",
      `mep compare: expected the same clips in both, got others in group ${group}. The files were changed; run both again.`,
    );
  }
  const names = [...new Set([...Object.keys(first.settings), ...Object.keys(second.settings)])];
  const notes = names.flatMap((name) => {
    const [one, other] = [first.settings[name] ?? null, second.settings[name] ?? null];
    return one === other || ownSettings.has(name) ? [] : [`asked differently: ${name} is ${one} and ${other}`];
  });
  const differences = pairedReport(first.measures, second.measures, defaultBootstrapOptions);
  return { first, second, differences, notes };
}

function nameOf({ system, set }: MepResults): string {
  return `${system} on ${set.name} (${set.hash.slice(0, 12)})`;
}

/** Twice the smaller tail of the resamples: below this, chance is a poor explanation. */
const significance = 0.05;

const labelWidth = 38;
const columnWidth = 16;

export function comparisonText({ first, second, differences, notes }: MepComparison): string {
  const head = [first.system, second.system, "difference", "p"].map((title) => title.slice(-columnWidth + 1));
  const lines = [...notes, "".padEnd(labelWidth) + head.map((title) => title.padStart(columnWidth)).join("")];
  const reports = [first, second].map(({ report }) => ({ metrics: report }));
  for (const group of mepMetricGroups) {
    lines.push("", group.title);
    for (const row of measuredRows(group, reports)) {
      const values = [first, second].map(({ report }) => cell(report[row.metric]?.value ?? null, row.digits));
      const difference = differences[row.metric];
      const p = difference?.pValue ?? null;
      const cells = [...values, signed(difference?.value ?? null, row.digits), p === null ? "-" : pText(p)];
      lines.push(`  ${row.label}`.padEnd(labelWidth) + cells.map((text) => text.padStart(columnWidth)).join(""));
    }
  }
  lines.push(
    "",
    `p: two-sided, paired over clips, ${defaultBootstrapOptions.numResamples} resamples; many rows, so some fall below ${significance} by chance`,
  );
  return lines.join("\n");
}

const pText = (pValue: number): string => pValueText(pValue, defaultBootstrapOptions.numResamples);

const cell = (value: number | null, digits: number): string => (value === null ? "-" : value.toFixed(digits));
function signed(value: number | null, digits: number): string {
  if (value === null) return "-";
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value > 0 ? "+" : "-"}${text}`;
}

export function comparisonPage(comparison: MepComparison): string {
  const { first, second, differences, notes } = comparison;
  const title = `MEP-Bench: ${first.system} against ${second.system} on ${first.set.name}`;
  const arms = [first, second].map(({ system, report }) => ({ title: system, metrics: report }));
  const said = [
    ...notes,
    ...[first, second].flatMap(({ system, notes: own }) => own.map((note) => `${system}: ${note}`)),
  ];
  const body = html`<h1>${title}</h1>
${said.length > 0 && html`<div class="notes">${said.map((note) => html`<p>${note}</p>`)}</div>`}
${headline([first, second])}
<h2>Scores</h2>
${resultsTable(
  arms,
  mepMetricGroups,
  new Map(
    mepMetricGroups
      .flatMap(({ rows }) => rows)
      .flatMap((row) => {
        const better = clearlyBetter(row, differences[row.metric]);
        return better === null ? [] : [[row.metric, better ? 0 : 1]];
      }),
  ),
)}
<h2>Differences, clip by clip</h2>
${scrolling(
  "Differences",
  html`<table class="results"><thead><tr><th scope="col">metric</th><th scope="col">${first.system} less ${second.system}</th><th scope="col">95% interval</th><th scope="col">p</th></tr></thead>
<tbody>${mepMetricGroups.map(
    (group) => html`<tr class="group"><th scope="rowgroup" colspan="4">${group.title}</th></tr>
    ${measuredRows(group, arms).map((row) => differenceRow(row, differences[row.metric]))}`,
  )}</tbody></table>`,
)}
<p class="muted">Both answered the same questions about the same clips; each resample draws clips and takes both systems on them. p is two-sided:
twice the smaller share of resamples at or beyond no difference. Bold: below ${significance}, in favour of the first (green) or against it (red). With so many rows some fall
below ${significance} by chance.</p>
${folded("The paper's figures, of another set", html`${[first, second].map(paperTable)}`)}`;
  return pageDocument({ title, style: mepStyle, body });
}

/** Whether the first is better; null where chance may explain it, or no direction is. */
function clearlyBetter(row: MetricRow, difference: PairedDifference | undefined): boolean | null {
  if (difference === undefined || difference.value === null || difference.pValue === null) return null;
  if (row.better === "near-half" || difference.pValue >= significance) return null;
  return row.better === "higher" ? difference.value > 0 : difference.value < 0;
}

function differenceRow(row: MetricRow, difference: PairedDifference | undefined): Html {
  if (difference === undefined || difference.value === null || difference.pValue === null) {
    return html`<tr><th scope="row">${row.label}</th><td>\u2013</td><td>\u2013</td><td>\u2013</td></tr>`;
  }
  const { value, low, high, pValue } = difference;
  const better = clearlyBetter(row, difference);
  const mark = better === null ? "" : better ? "best" : "worse";
  return html`<tr><th scope="row">${row.label}</th><td class="${mark}">${signed(value, row.digits)}</td>
  <td>${signed(low, row.digits)} to ${signed(high, row.digits)}</td><td>${pText(pValue)}</td></tr>`;
}
