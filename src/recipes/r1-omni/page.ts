// The page: the table with intervals, what holds of the paper's orderings, confusion matrices, and what the rows said to some clips.
import { dirname } from "node:path";
import type { Confusion } from "../../bench/mer-unibench/class-recall.ts";
import { decodeSample } from "../../corpus/clips/sample-clip.ts";
import { ClipPreviews, previewDecoding } from "../../page/clip-preview.ts";
import { folded, pageDocument, scrolling } from "../../page/document.ts";
import { type Html, html } from "../../page/html.ts";
import { previewView, type TriedPreview, tryPreview } from "../../page/preview-view.ts";
import { parseResponse } from "../../text/response.ts";
import type { TestSet } from "./material.ts";
import type { RunPaths } from "./paths.ts";
import { type Results, readAnswers, type SetResult } from "./results.ts";
import { type RowName, rowNames, rowTitles } from "./rows.ts";
import { columnNames, finding, orderingText, percent, publishedText, setHeading, withInterval } from "./text.ts";

export interface Timing {
  readonly stage: string;
  readonly seconds: number;
}

export interface PageData {
  readonly title: string;
  readonly results: Results;
  readonly sets: readonly TestSet[];
  readonly timings: readonly Timing[];
  readonly notes: readonly string[];
}

const numReasonings = 4;
/** Of the mp4s of the page; clips after that show a frame. */
const clipBytes = 1_500_000;

/** It stands alone: the clips that it shows lie in it. */
export async function resultsPage(
  { title, results, sets, timings, notes }: PageData,
  paths: RunPaths,
): Promise<string> {
  using previews = new ClipPreviews(clipBytes);
  const told: Html[] = [];
  for (const set of sets) told.push(reasonings(set.title, await toldClips(set, paths, previews)));
  const body = html`<h1>${title}</h1><p class="lede">${finding(results)}</p>
${notes.map((note) => html`<p class="muted">${note}</p>`)}
${results.sets.map(setTable)}
<p class="muted">In brackets: 95% intervals over seeds and clips. Outside the label set: answers that are no word of it; they are wrong.</p>
<h2>Which of the paper's orderings hold here</h2>
<ul>${results.orderings.map((ordering) => html`<li>${orderingText(ordering)}</li>`)}</ul>
<p class="muted">Paired tests over the same seeds and clips, after Holm's correction: "holds" and "does not hold" from p below .05.</p>
${folded("Confusions", html`${results.sets.map(confusions)}`)}
<h2>Reasonings</h2>${told}
<h2>This run</h2><dl class="facts">${timings.map(({ stage, seconds }) => html`<dt>${stage}</dt><dd>${seconds.toFixed(1)} s</dd>`)}</dl>`;
  return pageDocument({ title, style: ownStyle, body });
}

const ownStyle = `
.clip header>img { width:256px; max-width:100%; border-radius:10px; background:#000; }
.matrices { display:grid; grid-template-columns:repeat(auto-fit,minmax(min(30em,100%),1fr)); gap:0 2em; }
.matrix td { text-align:right; padding:.15em .5em; background:color-mix(in srgb,var(--video) calc(var(--strength)*.5),transparent); } .matrix th { font-weight:500; padding:0 .5em; text-align:left; }
`;

function setTable(set: SetResult): Html {
  const isPublished = set.rows.some(({ published }) => published !== null);
  const table = html`<table class="results">
<thead><tr><th scope="col">row</th>${columnNames.map((name) => html`<th scope="col">${name}</th>`)}${isPublished && html`<th scope="col">published WAR / UAR</th>`}</tr></thead>
<tbody>${set.rows.map(
    ({
      row,
      report,
      published,
      numSeeds,
    }) => html`<tr><th scope="row">${rowTitles[row]}<span class="hint">${numSeeds === 1 ? "1 seed" : `${numSeeds} seeds`}</span></th>
${["war", "uar", "outside"].map((name) => html`<td>${withInterval(report[name]!)}</td>`)}${isPublished && html`<td>${publishedText(published)}</td>`}</tr>`,
  )}</tbody></table>`;
  return html`<h2>${setHeading(set)}</h2>${scrolling(setHeading(set), table)}`;
}

function confusions(set: SetResult): Html {
  return html`<h3>${set.title}</h3><div class="matrices">${set.rows.map(
    ({ row, confusion }) => html`<section><h4>${rowTitles[row]}</h4>${matrix(confusion)}</section>`,
  )}</div>`;
}

/** Rows are the truth, in shares of it; the last column is outside the label set. */
function matrix({ classes, named, counts }: Confusion): Html {
  const table = html`<table class="matrix"><thead><tr><th scope="col"><span class="aside">annotated</span></th>${[...named, "outside"].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${counts.map((row, i) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return html`<tr><th scope="row">${classes[i]!}</th>${row.map(
      (count) => html`<td style="--strength:${(100 * count) / total}%">${percent(count / total)}</td>`,
    )}</tr>`;
  })}</tbody></table>`;
  return scrolling("Confusions", table);
}

interface ToldClip {
  readonly id: string;
  readonly gold: string;
  readonly preview: TriedPreview;
  /** What each row said; null: it could not read the clip. */
  readonly texts: readonly (string | null)[];
}

/** Clips spread over the set, as the first seed's models answered them. */
async function toldClips(set: TestSet, paths: RunPaths, previews: ClipPreviews): Promise<ToldClip[]> {
  const answers = rowNames.map((row) => readAnswers(paths.answers(row, 0, set.title)));
  const clips = answers[0]!;
  const told: ToldClip[] = [];
  for (let i = 0; i < Math.min(numReasonings, clips.length); i++) {
    const at = Math.floor((i * clips.length) / numReasonings);
    const { id, media, gold } = clips[at]!;
    const decode = () => decodeSample(dirname(set.file), { id, media }, previewDecoding);
    told.push({ id, gold, preview: await tryPreview(previews, decode), texts: answers.map((row) => row[at]!.text) });
  }
  return told;
}

function reasonings(title: string, clips: readonly ToldClip[]): Html {
  return html`<h3>${title}</h3>${clips.map(
    ({ id, gold, preview, texts }) =>
      html`<section class="clip"><header>${previewView(id, "", preview)}
<div><h4>${id}</h4><p><span class="chip emotion">${gold}</span></p></div></header><div class="arms">${rowNames.map(
        (row, r) => said(row, texts[r]!),
      )}</div></section>`,
  )}`;
}

function said(row: RowName, text: string | null): Html {
  const { think, answer } = parseResponse(text ?? "");
  return html`<section><h4>${rowTitles[row]}</h4><p>${think?.text ?? (answer === null ? (text ?? "the clip could not be read") : "")}</p>
${answer === null ? "" : html`<p class="answer">${answer.text}</p>`}</section>`;
}
