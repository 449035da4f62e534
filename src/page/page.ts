// The whole report as one self-contained page: no network, no file beside it.
import { armChoice, armChoiceStyle } from "./arm-choice.ts";
import { clipView } from "./clip-view.ts";
import { trainingCurves } from "./curves.ts";
import type { ArmResult, ReportData } from "./data.ts";
import { folded, pageDocument, scrolling } from "./document.ts";
import { type Html, html } from "./html.ts";
import { measuredRows, metricGroups, metricRows } from "./metric-rows.ts";
import { headlinePlot, resultsTable } from "./results-table.ts";

/** @returns the page's text, UTF-8, to be written as one .html file. */
export function reportPage(data: ReportData): string {
  const titles = data.arms.map(({ title }) => title);
  const chosen = data.arms.findIndex(({ name }) => name === "oppo");
  const places = new Map(data.arms.map(({ name, title }, place) => [name, { title, place }]));
  const views = data.stories.map((story) => clipView(story, places, data.similarityThreshold));
  const numMetrics = metricGroups.reduce((sum, group) => sum + measuredRows(group, data.arms).length, 0);
  const body = html`<h1>${data.title}</h1>
<p class="lede">${lede(data.arms)}</p>
<h2>Results on held-out clips</h2>
${headlinePlot(data.arms, data.best)}
${folded(`All ${numMetrics} metrics, with intervals`, resultsTable(data.arms, metricGroups, data.best))}
<p class="muted">Lines and small numbers: 95% intervals. Bold: better than every other arm by a paired test (p below .05 after
Holm's correction). ${seedNote(data.arms)} A claim counts as stated when its
cosine with a cue exceeds ${data.similarityThreshold}.</p>
${data.notes.length > 0 && html`<h2>How to read it</h2><ul>${data.notes.map((note) => html`<li>${note}</li>`)}</ul>`}
${seedBand(data.arms)}
<h2>Clips</h2>
<p class="legend"><span><mark class="video">blue</mark> claims to see</span><span><mark class="audio">orange</mark> claims to hear</span>
<span><mark class="emotion">green</mark> concludes</span><span><mark class="video absent">struck out</mark> not in the clip</span>
<span><mark class="audio unseen">underlined</mark> claimed although the modality was masked</span></p>
${armChoice(titles, chosen === -1 ? titles.length - 1 : chosen)}
<div class="clips">${views.slice(0, numOpen)}
${views.length > numOpen && folded(`${views.length - numOpen} more clips`, html`${views.slice(numOpen)}`)}</div>
<h2>Training</h2>
${trainingCurves(data.arms)}
<h2>This run</h2>
<dl class="facts">${data.facts.map((fact) => html`<dt>${fact.name}</dt><dd>${fact.value}</dd>`)}
${data.timings.map((timing) => html`<dt>${timing.stage}</dt><dd>${timing.seconds.toFixed(1)} s</dd>`)}</dl>`;
  return pageDocument({ title: data.title, style: armChoiceStyle(data.arms.length), body });
}

/** Clips that are open at once. */
const numOpen = 2;

/** What the numbers say, in words computed from them: nothing is claimed that the table does not show. */
function lede(arms: readonly ArmResult[]): Html {
  const value = (arm: string, metric: string) => arms.find(({ name }) => name === arm)?.metrics[metric]?.value ?? null;
  const reward = {
    recall: value("reward-only", "recall"),
    video: value("reward-only", "hallucinatedVideo"),
    audio: value("reward-only", "hallucinatedAudio"),
  };
  const oppo = {
    recall: value("oppo", "recall"),
    video: value("oppo", "hallucinatedVideo"),
    audio: value("oppo", "hallucinatedAudio"),
  };
  const start = value("sft", "recall");
  if (start === null || reward.recall === null || oppo.recall === null) {
    return html`What each model claims to see and hear, with every modality there and with one taken away.`;
  }
  const perClip = (value: number | null) => (value === null ? "?" : value.toFixed(2));
  return html`Rewarding every annotated cue takes recall from ${start.toFixed(2)} to ${reward.recall.toFixed(2)}, and the
claims per clip about a video that is black to ${perClip(reward.video)}, about a sound that is silent to ${perClip(reward.audio)}.
With the perception loss recall is ${oppo.recall.toFixed(2)}, and these claims are ${perClip(oppo.video)} and ${perClip(oppo.audio)}.`;
}

/** Least and most of every headline score over the training seeds: what another run may give. Nothing with one seed. */
function seedBand(arms: readonly ArmResult[]): Html | false {
  const several = arms.filter(({ perSeed }) => perSeed.length > 1);
  if (several.length === 0) return false;
  const cell = ({ perSeed }: ArmResult, metric: string, digits: number) => {
    const values = perSeed.flatMap((report) => report[metric]?.value ?? []);
    if (values.length === 0) return "\u2013";
    return `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
  };
  const rows = metricRows.filter(({ headline }) => headline === true);
  const table = html`<table class="results">
<thead><tr><th scope="col">metric</th>${several.map(({ title, perSeed }) => html`<th scope="col">${title}<span class="hint">${perSeed.length} seeds</span></th>`)}</tr></thead>
<tbody>${rows.map(({ metric, label, digits }) => html`<tr><th scope="row">${label}</th>${several.map((arm) => html`<td>${cell(arm, metric, digits)}</td>`)}</tr>`)}</tbody></table>`;
  return folded(
    "Between seeds: least and most",
    html`${scrolling("Between seeds", table)}<p class="muted">All arms of a cold start begin with the same one; another cold start moves them by more.</p>`,
  );
}

function seedNote(arms: readonly ArmResult[]): string {
  const numSeeds = Math.max(...arms.map((arm) => arm.seeds.length));
  return numSeeds === 1
    ? "One training seed per arm: the intervals are of the clips alone, and another seed may differ by more."
    : `Means over ${numSeeds} training seeds; seeds and clips are drawn together.`;
}
