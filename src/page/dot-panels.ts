// Scores as dots with their intervals, in HTML: words stay readable on a phone, values stand beside the dots.
import type { Metric } from "../bench/report.ts";
import { type Html, html } from "./html.ts";

export interface Dot {
  /** Whose; left out where a panel has one. */
  readonly name: string;
  /** One without a value has a row that says so. */
  readonly metric: Metric | undefined;
  /** A CSS colour. */
  readonly color: string;
  /** Told apart from every other by a test. */
  readonly isBest?: boolean;
}

export interface DotPanel {
  readonly title: string;
  /** What the score is, in a few words. */
  readonly hint: string;
  readonly better: "higher" | "lower" | "near-half";
  readonly dots: readonly Dot[];
}

/** How values are printed. */
export type NumberText = (value: number) => string;

const ways = { higher: "\u2192 better", lower: "\u2190 better", "near-half": "" };
const percent = 100;

/** Panels beside each other where there is room, all in the scale of their own values. */
export function dotPanels(panels: readonly DotPanel[], text: NumberText): Html {
  return html`<div class="dot-panels">${panels.map((panel) => dotPanel(panel, text))}</div>`;
}

function dotPanel({ title, hint, better, dots }: DotPanel, text: NumberText): Html {
  const end = scaleEnd(dots);
  return html`<table class="dot-panel"><caption><b>${title}</b> <span class="way">${ways[better]}</span>${hint !== "" && html`<span class="hint">${hint}</span>`}</caption>
<tbody>${dots.map(
    (dot) =>
      html`<tr><th scope="row">${dot.name}</th>${track(dot, end)}<td class="value${dot.isBest === true && " best"}">${valueText(dot.metric, text)}</td></tr>`,
  )}</tbody>
<tfoot aria-hidden="true"><tr><td></td><td class="ends"><span>${text(0)}</span><span>${text(end)}</span></td><td></td></tr></tfoot></table>`;
}

/** Few scores of one system, large, each with its dot above what it is. */
export function headlineFigures(panels: readonly DotPanel[], text: NumberText): Html {
  return html`<div class="figures">${panels.map(({ title, hint, better, dots }) => {
    const end = scaleEnd(dots);
    return html`<section class="figure"><h3>${title} <span class="way">${ways[better]}</span></h3>${dots.map(
      (dot) =>
        html`<p class="big">${dot.name !== "" && html`<span class="hint">${dot.name}</span>`}<b>${valueText(dot.metric, text)}</b> <small>${intervalText(dot.metric, text)}</small></p>
<table class="dot-panel" aria-hidden="true"><tbody><tr>${track(dot, end)}</tr></tbody></table>`,
    )}<p class="hint">${hint}</p></section>`;
  })}</div>`;
}

function track({ metric, color }: Dot, end: number): Html {
  if (metric === undefined || metric.value === null) return html`<td class="track"></td>`;
  const at = (value: number) => ((percent * Math.min(Math.max(value, 0), end)) / end).toFixed(1);
  const [low, high] = [at(metric.low ?? metric.value), at(metric.high ?? metric.value)];
  return html`<td class="track"><span style="left:${low}%;right:${(percent - Number(high)).toFixed(1)}%;background:${color}"></span><i style="left:${at(metric.value)}%;background:${color}"></i></td>`;
}

function scaleEnd(dots: readonly Dot[]): number {
  return Math.max(1, Math.ceil(Math.max(...dots.map(({ metric }) => metric?.high ?? metric?.value ?? 0))));
}

function valueText(metric: Metric | undefined, text: NumberText): string {
  return metric === undefined || metric.value === null ? "\u2013" : text(metric.value);
}

function intervalText(metric: Metric | undefined, text: NumberText): string {
  const { low = null, high = null } = metric ?? {};
  return low === null || high === null ? "" : `${text(low)} to ${text(high)}`;
}
