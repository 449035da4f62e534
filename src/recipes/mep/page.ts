// The page of a run of MEP-Bench: the table with its intervals, the paper's Table 1 beside it as printed, and a browser of all
// clips. One file, nothing fetched.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { verdictReading } from "../../bench/faithfulness.ts";
import type { Metric } from "../../bench/report.ts";
import { type Html, html, raw } from "../../page/html.ts";
import { mepMetricGroups } from "../../page/metric-rows.ts";
import { resultsTable } from "../../page/results-table.ts";
import { styleSheet } from "../../page/style.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import { readingModes } from "../../text/answer.ts";
import { statementsAreClauses } from "./decompose.ts";
import type { MepPageData } from "./page-data.ts";
import { type MepResults, readResults } from "./results.ts";
import { sampleStories, sampleView } from "./sample-view.ts";
import { table1, table1Note } from "./table1.ts";

export const mepStyle = `
.results { max-width:60em; } .sample { background:var(--card); border-radius:14px; padding:1rem; margin:1rem 0; content-visibility:auto; contain-intrinsic-size:auto 760px; } .sample[hidden] { display:none; }
.sample header { display:flex; flex-wrap:wrap; gap:1rem; } .sample header>div:last-child { flex:1 1 280px; min-width:0; } .sample .frames { display:flex; gap:4px; flex:0 1 auto; } .sample .frames img { height:110px; border-radius:6px; max-width:27vw; object-fit:cover; }
.chip.stated::before { content:"\\2713\\00a0"; } .chip.missed { opacity:.7; border-style:dashed; }
.probes { width:100%; font-size:.85rem; margin-top:.6rem; } .probes th,.probes td { text-align:left; padding:.25em .6em; border-bottom:1px solid var(--line); vertical-align:top; } .probes .right { color:var(--good); } .probes .wrong { color:var(--bad); } .probes td:last-child { overflow-wrap:anywhere; }
.notes { border-left:4px solid var(--bad); padding:.2em .9em; } .tools { display:flex; flex-wrap:wrap; gap:.6em 1em; align-items:center; position:sticky; top:0; z-index:2; background:var(--paper); padding:.5em 0; } .tools input,.tools select { font:inherit; padding:.2em .5em; background:var(--paper); color:var(--ink); border:1px solid var(--line); border-radius:6px; max-width:100%; }
.paper { font-variant-numeric:tabular-nums; } .paper th,.paper td { text-align:right; padding:.3em .8em; border-bottom:1px solid var(--line); } .paper th:first-child { text-align:left; } .paper .own { font-weight:700; } .results .worse { font-weight:700; color:var(--bad); }
@media print { .tools { display:none; } }
`;

export async function mepPage(data: MepPageData): Promise<string> {
  const stories = await sampleStories(data);
  return resultsPage(
    data.results,
    html`<h2>Clips</h2>
<p class="legend"><span><mark class="video">blue</mark> claims to see</span><span><mark class="audio">orange</mark> claims to hear</span>
<span><mark class="video absent">struck out</mark> not among the clip's cues</span>
<span><mark class="audio unseen">underlined</mark> claimed although the modality was masked</span>
<span><span class="chip video stated">a cue</span> named</span><span><span class="chip video missed">a cue</span> not named</span></p>
<div class="tools"><label>Find <input type="search" id="find" placeholder="id, word, cue"></label>
<label>Show <select id="show"><option value="">all clips</option><option value="missed">with a cue not named</option><option value="absent">with a claim that is not a cue</option><option value="unseen">with a claim about what was masked</option><option value="wrong">with a wrong probe</option><option value="unreadable">with an answer that could not be read</option></select></label>
<span class="muted" id="count" aria-live="polite">${stories.length} clips</span></div>
${stories.map(sampleView)}
<script>${raw(filterScript)}</script>`,
  );
}

/** The numbers of a run, and its clips below them. @param clips null: of a run whose set is not at hand */
export function resultsPage(results: MepResults, clips: Html | null): string {
  const { set, settings } = results;
  const numAdversarial = (set.counts.adversarialVideo ?? 0) + (set.counts.adversarialAudio ?? 0);
  const numProbes = (set.counts.probesVideo ?? 0) + (set.counts.probesAudio ?? 0);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>MEP-Bench: ${results.system} on ${set.name}</title><link rel="icon" href="data:,"><style>${raw(styleSheet + mepStyle)}</style></head>
<body>
<h1>MEP-Bench: ${results.system} on ${set.name}</h1>
<p class="lede">${set.counts.samples ?? 0} clips${(set.counts.conflict ?? 0) > 0 && html` and ${set.counts.conflict!} on which face and voice disagree`}, ${numProbes} masked probes with two controls each${numAdversarial > 0 && html`, ${numAdversarial} controls for a cue that is suggested and not there`}. ${maskedText(settings)}</p>
${results.notes.length > 0 && html`<div class="notes">${results.notes.map((note) => html`<p>${note}</p>`)}</div>`}
<h2>Scores</h2>
${resultsTable([{ title: results.system, metrics: results.report }], mepMetricGroups)}
<p class="muted">Small numbers: 95% bootstrap intervals over clips. A cue counts as stated when a statement has a cosine above 0.6
with it and with no other cue more. ${statementsText(settings.statements)} Acc and the controls take an explicit yes or no and nothing else, by the ${readingModes[verdictReading[settings.answerStyle === "free" ? "free" : "tagged"]]}. Emotion words are read by the ${readingModes.lenient}.</p>
<h2>Beside the paper</h2>
${paperTable(results)}
${clips !== null && clips}
<h2>This run</h2>
<dl class="facts">${[...Object.entries(settings), ["set", `${set.name}, ${set.hash}`] as const].map(([name, value]) => html`<dt>${name}</dt><dd>${String(value)}</dd>`)}
${Object.entries(results.readings).map(([part, found]) => html`<dt>answers, ${part}</dt><dd>${readingText(found)}</dd>`)}</dl>
</body></html>
`.text;
}

/** Example: "Masked video was shown with blur:0.5, masked sound as silence." */
function maskedText({ masked, videoMask, audioMask }: MepResults["settings"]): string {
  const isDropped = masked === "dropped";
  if (videoMask === undefined && audioMask === undefined) {
    return isDropped
      ? "A masked modality was left out of the prompt."
      : "A masked modality was shown as black frames or silence.";
  }
  const shown = (mask: unknown, blank: string) =>
    mask === undefined ? (isDropped ? "left out of the prompt" : `shown as ${blank}`) : `shown with ${String(mask)}`;
  return `A masked video was ${shown(videoMask, "black frames")}, a masked sound ${shown(audioMask, "silence")}.`;
}

function statementsText(read: MepResults["settings"][string] | undefined): string {
  return read === statementsAreClauses
    ? "Statements are clauses, cut at punctuation; the paper takes them out with a language model (--decompose)."
    : `Statements were taken out of the reasonings by ${read}.`;
}

function readingText(found: Readonly<Record<string, number>>): string {
  const parts = Object.entries(found).map(([reading, count]) => `${count} ${reading}`);
  return parts.join(", ") || "none asked";
}

/** The run first, then the paper's rows as they are printed. */
export function paperTable({ system, report }: Pick<MepResults, "system" | "report">): Html {
  const percent = (metric: Metric | undefined) =>
    metric?.value === null || metric === undefined ? "\u2013" : (100 * metric.value).toFixed(2);
  const { recallCosine, accVideo, accAudio, accFirstLineVideo, accFirstLineAudio } = report;
  return html`<div class="scroll"><table class="paper">
  <thead><tr><th></th><th scope="col">Recall</th><th scope="col">Acc@V</th><th scope="col">Acc@A</th></tr></thead>
  <tbody><tr class="own"><th scope="row">${system} (this run)</th><td>${percent(recallCosine)}</td><td>${percent(accVideo)}</td><td>${percent(accAudio)}</td></tr>
  <tr class="own"><th scope="row">${system} (a no anywhere in the first line)</th><td></td><td>${percent(accFirstLineVideo)}</td><td>${percent(accFirstLineAudio)}</td></tr>
  ${table1.map((row) => html`<tr><th scope="row">${row.name}</th><td>${row.recall}</td><td>${row.accVideo}</td><td>${row.accAudio}</td></tr>`)}</tbody>
  </table></div><p class="muted">${table1Note}</p>`;
}

const filterScript = `
const find = document.getElementById("find"), show = document.getElementById("show"), count = document.getElementById("count");
const samples = [...document.querySelectorAll(".sample")];
function filter() {
  const words = find.value.toLowerCase();
  let shown = 0;
  for (const one of samples) {
    const fits = (show.value === "" || one.dataset.flags.split(" ").includes(show.value)) && one.textContent.toLowerCase().includes(words);
    one.hidden = !fits;
    shown += fits;
  }
  count.textContent = shown + (shown === 1 ? " clip" : " clips");
}
find.addEventListener("input", filter);
show.addEventListener("change", filter);
addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details")) d.open = true; });`;

export interface MepReport {
  readonly report: string;
  /** Whether it was made now, of the numbers alone. */
  readonly isMade: boolean;
}

/**
 * `oppo report` on a run of oppo mep run. The page that the run wrote shows its clips, which a report of its folder alone cannot: it
 * stays. Where it is gone, the numbers make one.
 * @throws OppoError ERR_MEP_RESULTS: of a run that is not at its end, too
 */
export function rebuildMepReport(directory: string): MepReport {
  const results = readResults(directory);
  const report = join(directory, "report.html");
  const isMade = !existsSync(report);
  if (isMade) replaceFile(report, resultsPage(results, null));
  return { report, isMade };
}
