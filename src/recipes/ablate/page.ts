// A grid's page: the table with the paper's numbers beside ours, what became of its orderings, curves of training, responses to what
// is swept and to doses, everything measured, and what failed. One file, no network.
import { join } from "node:path";
import { conditionName } from "../../bench/support/conditions.ts";
import { type Chart, chartGrid, chartScript, runningMean } from "../../page/charts.ts";
import { folded, pageDocument, scrolling } from "../../page/document.ts";
import { type Html, html } from "../../page/html.ts";
import { metricGroups } from "../../page/metric-rows.ts";
import { armColor, resultsTable } from "../../page/results-table.ts";
import { readStepLog } from "../../run/metrics.ts";
import { formatDuration } from "../../run/progress.ts";
import type { Cell, Shelf } from "./cells.ts";
import type { GoalResult } from "./goals.ts";
import type { Grid, GridColumn } from "./grid.ts";
import { responseCharts } from "./responses.ts";
import type { GridResults, Ordering, PhaseResults, RowResult } from "./results.ts";
import {
  choiceText,
  goalCounts,
  goalText,
  intervalText,
  numberText,
  orderingText,
  printedText,
  runsText,
  sourceText,
  unitsText,
  verdictCounts,
} from "./words.ts";

export function gridPage(shelf: Shelf, cells: readonly Cell[], results: GridResults): string {
  const { grid, all, chosen, failures, seconds } = results;
  const choice = choiceText(results);
  const units = unitsText(results);
  const curves = trainingCharts(shelf, grid, cells, all);
  const responses = responseCharts(grid, all);
  const body = html`<h1>${grid.title}</h1><p class="lede">${lede(results)}</p>
${choice !== null && html`<p>${choice}</p>`}
${failures.length > 0 && html`<h2>Missing cells</h2><ul>${failures.map(({ cell, message }) => html`<li>${cell}: ${message}</li>`)}</ul>`}
${gridTable(grid, all)}
<p class="muted">${sourceText(results)}. Small numbers: 95% intervals over ${units.intervals} drawn together, and how many
${units.count} of each run they rest on. Bold: told apart from every other row by a paired test after Holm's correction. Italic: as the paper prints it.</p>
${grid.notes.map((note) => html`<p class="muted">${note}</p>`)}
${all.orderings.length > 0 && orderingsTable(results)}
${all.goals.length > 0 && goalsTable(results)}
${grid.evaluation.conditions.length > 0 && html`<h2>Under every kind of mask</h2>${byCondition(grid, all)}`}
${(curves.length > 0 || responses.length > 0) && chartScript()}
${responses.length > 0 && html`<h2>Responses</h2>${chartGrid("response", responses)}`}
${curves.length > 0 && html`<h2>Training</h2><p class="muted">Means over cold starts and seeds, running over five steps.</p>${chartGrid("curve", curves)}`}
${grid.evaluation.suite && folded("Everything measured", everything(all))}
${chosen !== null && folded("The chosen row on the test split", everything(chosen.test))}
<h2>This run</h2><dl class="facts"><dt>cells</dt><dd>${cells.length}, ${failures.length} missing</dd><dt>this call</dt><dd>${formatDuration(1000 * seconds)}</dd>
<dt>statements tested</dt><dd>${all.orderings.length}</dd></dl>`;
  return pageDocument({ title: grid.title, style: ownStyle, body });
}

const ownStyle = `
.results td.paper { color:var(--soft); font-style:italic; } .holds { color:var(--good); font-weight:700; } .not { color:var(--bad); font-weight:700; }
`;

/** What the numbers say, in words computed from them. */
function lede({ grid, all }: GridResults): Html {
  const counted = all.orderings.length === 0 ? "" : ` Of the paper's orderings ${verdictCounts(all.orderings)}.`;
  const best = grid.columns.map(({ score, title }) => {
    const name = all.best[score];
    const row = grid.rows.find((one) => one.name === name);
    return row === undefined ? `in ${title} no row is clearly best` : `in ${title} ${row.title} is clearly best`;
  });
  return html`${grid.rows.length} rows: ${best.join("; ")}.${counted}`;
}

function gridTable({ columns }: Grid, { rows, best }: PhaseResults): Html {
  const isPrinted = rows.some(({ row }) => Object.keys(row.printed).length > 0);
  const table = html`<table class="results"><thead><tr><th scope="col">row</th>${columns.map(
    ({ title, printedTitle, better }) =>
      html`<th scope="col">${title} ${better === "higher" ? "\u2191" : "\u2193"}</th>${isPrinted && html`<th scope="col">paper: ${printedTitle}</th>`}`,
  )}</tr></thead><tbody>${rows.map(
    (result) =>
      html`<tr><th scope="row">${result.row.title}<span class="hint">${runsText(result)}${
        result.row.printedAs !== undefined && `; in the paper ${result.row.printedAs}`
      }</span></th>${columns.map(
        (column) =>
          html`${cell(result, column, best[column.score] === result.row.name)}${
            isPrinted && html`<td class="paper">${printedText(result.row, column) ?? "\u2013"}</td>`
          }`,
      )}</tr>`,
  )}</tbody></table>`;
  return scrolling("The grid", table);
}

function cell({ report }: RowResult, column: GridColumn, isBest: boolean): Html {
  const metric = report[column.score];
  if (metric === undefined || metric.value === null) return html`<td>\u2013</td>`;
  return html`<td class="${isBest && "best"}">${numberText(metric.value, column)}<small>${intervalText(metric, column)} n ${metric.count}</small></td>`;
}

function orderingsTable(results: GridResults): Html {
  const { all } = results;
  const named = { holds: "holds", "does not hold": "not", "cannot tell": "" } as const;
  const line = (ordering: Ordering) => {
    const [statement, sure] = orderingText(ordering, results).split(`: ${ordering.verdict} `);
    return html`<tr><th scope="row">${statement}</th><td class="${named[ordering.verdict]}">${ordering.verdict}</td><td>${sure}</td></tr>`;
  };
  return html`<h2>Which of the paper's orderings hold here: ${verdictCounts(all.orderings)}</h2>
${scrolling("Orderings", html`<table class="results"><thead><tr><th scope="col">statement</th><th scope="col">here</th><th scope="col">difference, 95% interval, p</th></tr></thead><tbody>${all.orderings.map(line)}</tbody></table>`)}
<p class="muted">Paired over runs of the same cold start and seed and over the same clips; p two-sided, after Holm's correction over all statements of this page.
"Cannot tell" is an outcome: with so few runs and clips neither order is clear.</p>`;
}

function goalsTable(results: GridResults): Html {
  const { all } = results;
  const named = { met: "holds", missed: "not", "cannot tell": "" } as const;
  const line = (goal: GoalResult) => {
    const [statement, sure] = goalText(goal, results).split(`: ${goal.verdict} `);
    return html`<tr><th scope="row">${statement}</th><td class="${named[goal.verdict]}">${goal.verdict}</td><td>${sure}</td></tr>`;
  };
  return html`<h2>Goals</h2><p>${goalCounts(results).join("; ")}.</p>
${scrolling("Goals", html`<table class="results"><thead><tr><th scope="col">goal</th><th scope="col">verdict</th><th scope="col">value, distance to the bound, 95% interval, p</th></tr></thead><tbody>${all.goals.map(line)}</tbody></table>`)}
<p class="muted">Met or missed: on that side of the bound with p below .01, paired over cold starts, seeds and clips, after Holm's correction over the row's goals.</p>`;
}

const conditionScores = [
  { score: "unsupported", title: "Unsupported claims per clip", better: "lower" },
  { score: "supported", title: "Supported claims per clip", better: "higher" },
  { score: "recallReadable", title: "Recall of what can be read", better: "higher" },
  { score: "format", title: "Format", better: "higher" },
] as const;

function byCondition({ evaluation }: Grid, { rows }: PhaseResults): Html {
  const measured = rows.filter(({ runs }) => runs.length > 0);
  const arms = measured.map((result) => ({
    title: `${result.row.title} (${runsText(result)})`,
    metrics: result.report,
  }));
  const groups = conditionScores.map(({ score, title, better }) => ({
    title,
    rows: evaluation.conditions.map((condition) => {
      const label = condition.dose === 0 ? `${condition.modality}, as it is` : conditionName(condition);
      return { metric: `${conditionName(condition)}/${score}`, label, hint: "", better, digits: 2 };
    }),
  }));
  return html`${groups.map((group) => folded(group.title, resultsTable(arms, [group]), group === groups[0]))}`;
}

function everything({ rows }: PhaseResults): Html {
  const measured = rows.filter(({ runs }) => runs.length > 0);
  const arms = measured.map((result) => ({
    title: `${result.row.title} (${runsText(result)})`,
    metrics: result.report,
  }));
  return resultsTable(arms, metricGroups);
}

function trainingCharts(shelf: Shelf, grid: Grid, cells: readonly Cell[], { phase }: PhaseResults): Chart[] {
  const made = cells.filter((one) => one.training !== null && shelf.isMade(one, grid.evaluation, phase));
  const logs = new Map(
    made.map((one) => [one, readStepLog(join(shelf.trainingFolder(one.training!), "metrics.jsonl"))]),
  );
  return grid.curves
    .map(({ metric, title }): Chart => {
      const lines = grid.rows.flatMap((row, r) => {
        const own = made.filter((one) => one.row.name === row.name).map((one) => logs.get(one)!);
        const numSteps = Math.max(0, ...own.map(({ length }) => length));
        const values = Array.from({ length: numSteps }, (_, step) => meanAt(own, step, metric));
        const label = `${row.title} (n ${own.length})`;
        return values.some((value) => value !== null)
          ? [{ label, color: armColor(r), values: runningMean(values) }]
          : [];
      });
      const longest = Math.max(0, ...lines.map(({ values }) => values.length));
      return { title, steps: Array.from({ length: longest }, (_, step) => step + 1), lines };
    })
    .filter(({ lines }) => lines.length > 0);
}

function meanAt(logs: readonly (readonly object[])[], step: number, metric: string): number | null {
  const values = logs.flatMap((log) => {
    const value = Number((log[step] as Record<string, unknown> | undefined)?.[metric] ?? Number.NaN);
    return Number.isNaN(value) ? [] : [value];
  });
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
