// The page of a run of oppo train or oppo sft: how far it is, what was warned of, evaluations, curves, what was said last, settings. One
// file, nothing fetched.
import { basename, resolve } from "node:path";
import { chartGrid, chartScript } from "../../page/charts.ts";
import { pageDocument, scrolling } from "../../page/document.ts";
import { type Html, html } from "../../page/html.ts";
import type { StepRow } from "../../run/metrics.ts";
import { answerViews, rolloutViews } from "./answers.ts";
import { evaluationCharts, evaluationColumns, stepCharts } from "./panels.ts";
import type { TrainingRun } from "./training-run.ts";

const ownStyle = `
.warned { border-left:4px solid var(--bad); padding:.2em .9em; margin:.6em 0; } .warned p { max-width:62em; } .warned b { color:var(--bad); }
.evaluations { margin-bottom:1.2rem; } .evaluations td,.evaluations th { padding:.3em .6em; } .settings { columns:2; column-gap:2rem; } .settings div { break-inside:avoid; display:flex; gap:.8em; justify-content:space-between; font-size:.88rem; border-bottom:1px solid var(--line); }
.settings dt { color:var(--soft); flex:0 0 auto; } .settings dd { margin:0; text-align:right; overflow-wrap:anywhere; min-width:0; } .narration p { overflow-wrap:anywhere; }
@media (max-width:640px) { .settings { columns:1; } }
`;

/** @param now when it is made, for people */
export function trainingPage(run: TrainingRun, now: string): string {
  const name = basename(resolve(run.directory));
  const title = `${run.kind === "train" ? (run.settings.get("preset") ?? "train") : "sft"}: ${name}`;
  const steps = stepCharts(run.metrics);
  const evaluations = evaluationCharts(run.evaluations);
  const body = html`<h1>${title}</h1>
<p class="lede">${lede(run)}</p>
${warningsView(run)}
${run.evaluations.length > 0 && html`<h2>Evaluations on clips that are not trained on</h2>${evaluationTable(run)}${chartGrid("evaluation", evaluations)}`}
<h2>Training</h2>
${steps.length === 0 ? html`<p class="muted">No step is done yet.</p>` : html`<p class="muted">Running means over five ${run.metrics.length > 600 ? "points" : "steps"}.</p>${chartGrid("step", steps)}`}
${lastSaid(run)}
<h2>Settings</h2>
${settingsView(run.settings)}
<h2>This run</h2>
<dl class="facts">${[...run.facts].map(([fact, value]) => html`<dt>${fact}</dt><dd>${value}</dd>`)}<dt>this page</dt><dd>${now}</dd></dl>`;
  return pageDocument({ title, style: ownStyle, head: chartScript(), body });
}

function lede(run: TrainingRun): Html {
  const { settings, metrics, hasModel, hasBest } = run;
  const done = metrics.length === 0 ? 0 : metrics.at(-1)!.step + 1;
  const total = settings.get("steps");
  const seconds = metrics.reduce((sum, { step_time }) => sum + (typeof step_time === "number" ? step_time : 0), 0);
  const best = bestEvaluation(run);
  return html`${settings.get("model") ?? "A model"} on ${settings.get("data") ?? "its data"}: ${done}${total !== undefined && /^\d+$/.test(total) && ` of ${total}`} steps in ${duration(seconds)}.
${best !== null && bestText(measureOf(settings), best)}
${hasModel && " model/ is the last step's."}${hasBest && " best/ is that of the best evaluation."}
${!hasModel && run.checkpoint !== null && ` The newest checkpoint is that of step ${run.checkpoint}; the same command goes on from it.`}`;
}

function bestText(measure: string, { numSteps, value }: Best): string {
  return numSteps === 0
    ? ` No evaluation had a better ${measure} than the start (${short(value)}).`
    : ` Best ${measure} ${short(value)} after ${numSteps} steps.`;
}

function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function warningsView({ warnings, skipped, metrics }: TrainingRun): Html {
  const notApplied = metrics.filter((row) => row["optim/skipped_steps"] === 1).length;
  const items = [
    ...warnings.map(({ step, line }) => html`<p><b>step ${step + 1}</b> ${line}</p>`),
    ...(notApplied > 0 ? [html`<p>${notApplied} updates were skipped: their gradient was not finite.</p>`] : []),
    ...(skipped.length > 0
      ? [html`<p>${skipped.length} clips could not be read, such as ${skipped[0]!.id}: ${skipped[0]!.reason}</p>`]
      : []),
  ];
  return items.length === 0
    ? html`<p class="muted">No warning was given, no update skipped and no clip left out.</p>`
    : html`<h2>Warnings</h2><div class="warned">${items}</div>`;
}

interface Best {
  readonly numSteps: number;
  readonly value: number;
}

/** What chooses the best: a run of oppo sft has no choice. */
const measureOf = (settings: TrainingRun["settings"]) => settings.get("bestBy") ?? "loss";

/** The first of the best, as the run itself chooses; null where nothing was evaluated. */
function bestEvaluation({ settings, evaluations }: TrainingRun): Best | null {
  const measure = measureOf(settings);
  const sign = measure === "loss" ? -1 : 1;
  return evaluations.reduce<Best | null>((best, row) => {
    const value = row[measure];
    if (typeof value !== "number" || (best !== null && sign * value <= sign * best.value)) return best;
    return { numSteps: row.step + 1, value };
  }, null);
}

function evaluationTable(run: TrainingRun): Html {
  const best = bestEvaluation(run);
  const columns = Object.entries(evaluationColumns).filter(([metric]) => run.evaluations.some((row) => metric in row));
  const rowView = (row: StepRow) => {
    const isBest = best?.numSteps === row.step + 1;
    return html`<tr><th scope="row">${row.step + 1}${isBest && " (best)"}</th>${columns.map(([metric]) => {
      const value = row[metric];
      return html`<td class="${isBest && metric === measureOf(run.settings) && "best"}">${typeof value === "number" ? value.toFixed(3) : "\u2013"}</td>`;
    })}</tr>`;
  };
  const rows = run.evaluations.length > maxRows ? run.evaluations.slice(-maxRows) : run.evaluations;
  const table = html`<table class="results evaluations"><thead><tr><th scope="col">after steps</th>${columns.map(([, label]) => html`<th scope="col">${label}</th>`)}</tr></thead>
<tbody>${rows.map(rowView)}</tbody></table>`;
  return scrolling("Evaluations", table);
}

/** The latest of them; the curves have all. */
const maxRows = 40;

function lastSaid({ kind, lastRows, metrics }: TrainingRun): Html | false {
  const views = kind === "train" ? rolloutViews(lastRows) : answerViews(lastRows);
  if (views.length === 0) return false;
  const step = (lastRows.at(-1)?.step ?? metrics.length - 1) + 1;
  return html`<h2>What was said ${kind === "train" ? "in" : "after"} step ${step}</h2>
${kind === "train" && html`<p class="legend"><span><mark class="video">blue</mark> evidence of what is seen</span><span><mark class="audio">orange</mark> of what is heard</span></p>`}${views}`;
}

function settingsView(settings: ReadonlyMap<string, string>): Html {
  const rows = [...settings].map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return html`<details><summary>All ${rows.length}; a dash is the default</summary><dl class="settings">${rows}</dl></details>`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
