// The page of a run of MEP-Bench: the headline figures, the table with its intervals and the paper's Table 1 folded below them, and a
// browser of all clips. One file, nothing fetched.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { verdictReading } from "../../bench/faithfulness.ts";
import type { Metric } from "../../bench/report.ts";
import { folded, pageDocument, scrolling } from "../../page/document.ts";
import { headlineFigures } from "../../page/dot-panels.ts";
import { type Html, html, raw } from "../../page/html.ts";
import { mepMetricGroups } from "../../page/metric-rows.ts";
import { armColor, resultsTable } from "../../page/results-table.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import { readingModes } from "../../text/answer.ts";
import { statementsAreClauses } from "./decompose.ts";
import type { MepPageData } from "./page-data.ts";
import { type MepResults, readResults } from "./results.ts";
import { sampleStories, sampleView } from "./sample-view.ts";
import { table1, table1Note } from "./table1.ts";

export const mepStyle = `
.results { max-width:60em; } .sample[hidden] { display:none; } .sample { --wide:192px; } .sample header>img { width:192px; height:144px; border-radius:10px; object-fit:contain; background:#000; }
.chip.stated::before { content:"\\2713\\00a0"; } .chip.missed { border-style:dashed; }
.probes { width:100%; font-size:.85rem; margin-top:.6rem; } .probes th,.probes td { text-align:left; padding:.25em .6em; border-bottom:1px solid var(--line); vertical-align:top; } .probes .right { color:var(--good); } .probes .wrong { color:var(--bad); } .probes td:last-child { overflow-wrap:anywhere; }
.tools { display:flex; flex-wrap:wrap; gap:.6em 1em; align-items:center; position:sticky; top:0; z-index:2; background:var(--paper); padding:.5em 0; } .tools input,.tools select { font:inherit; padding:.2em .5em; background:var(--paper); color:var(--ink); border:1px solid var(--line); border-radius:6px; max-width:100%; }
.paper { font-variant-numeric:tabular-nums; } .paper th,.paper td { text-align:right; padding:.3em .8em; border-bottom:1px solid var(--line); } .paper th:first-child { text-align:left; } .paper .own { font-weight:700; } .results .worse { font-weight:700; color:var(--bad); }
#more { font:inherit; padding:.5em 1.2em; border:1px solid var(--line); border-radius:8px; background:var(--card); color:var(--ink); cursor:pointer; } #more[hidden] { display:none; }
@media print { #more,.sample:nth-of-type(n+7) { display:none; } .sample header>img { width:100px; height:75px; } }
`;

export async function mepPage(data: MepPageData): Promise<string> {
  const stories = await sampleStories(data);
  const numPlayed = stories.filter(({ preview }) => preview.mediaUri !== null).length;
  return resultsPage(
    data.results,
    html`<h2>Clips</h2>
<p>Those with the most invented claims come first. ${numPlayed === stories.length ? "All play here, with their sound." : `The first ${numPlayed} play here, with their sound; the others are too many for one page and show a frame.`}</p>
<p class="legend"><span><mark class="video">blue</mark> claims to see</span><span><mark class="audio">orange</mark> claims to hear</span>
<span><mark class="video absent">struck out</mark> not among the clip's cues</span>
<span><mark class="audio unseen">underlined</mark> claimed although the modality was masked</span>
<span><span class="chip video stated">a cue</span> named</span><span><span class="chip video missed">a cue</span> not named</span></p>
<div class="tools"><label>Find <input type="search" id="find" placeholder="id, word, cue"></label>
<label>Show <select id="show"><option value="">all clips</option><option value="missed">with a cue not named</option><option value="absent">with a claim that is not a cue</option><option value="unseen">with a claim about what was masked</option><option value="wrong">with a wrong probe</option><option value="unreadable">with an answer that could not be read</option></select></label>
<span class="muted" id="count" aria-live="polite">${stories.length} clips</span></div>
<div id="clips">${stories.slice(0, numShown).map(sampleView)}</div>
<script type="text/plain" id="later">${raw(packed(html`${stories.slice(numShown).map(sampleView)}`))}</script>
<p><button type="button" id="more" hidden>More clips</button></p>
<script>${raw(filterScript)}</script>`,
  );
}

/** The numbers of a run, and its clips below them. @param clips null: of a run whose set is not at hand */
export function resultsPage(results: MepResults, clips: Html | null): string {
  const { set, settings } = results;
  const numAdversarial = (set.counts.adversarialVideo ?? 0) + (set.counts.adversarialAudio ?? 0);
  const numProbes = (set.counts.probesVideo ?? 0) + (set.counts.probesAudio ?? 0);
  const title = `MEP-Bench: ${results.system} on ${set.name}`;
  const body = html`<h1>${title}</h1>
<p class="lede">${set.counts.samples ?? 0} clips${(set.counts.conflict ?? 0) > 0 && html` and ${set.counts.conflict!} on which face and voice disagree`}, ${numProbes} masked probes with two controls each${numAdversarial > 0 && html`, ${numAdversarial} controls for a cue that is suggested and not there`}. ${maskedText(settings)}</p>
${results.notes.length > 0 && html`<div class="notes">${results.notes.map((note) => html`<p>${note}</p>`)}</div>`}
${headline([results])}
${folded(
  "All metrics, with intervals",
  html`${resultsTable([{ title: results.system, metrics: results.report }], mepMetricGroups)}
<p class="muted">Small numbers: 95% bootstrap intervals over clips. A cue counts as stated when a statement has a cosine above 0.6
with it and with no other cue more. ${statementsText(settings.statements)} Acc and the controls take an explicit yes or no and nothing else, by the ${readingModes[verdictReading[settings.answerStyle === "free" ? "free" : "tagged"]]}. Emotion words are read by the ${readingModes.lenient}.</p>`,
)}
${folded("The paper's figures, of another set", paperTable(results))}
${clips !== null && clips}
<h2>This run</h2>
<dl class="facts">${[...Object.entries(settings), ["set", `${set.name}, ${set.hash}`] as const].map(([name, value]) => html`<dt>${name}</dt><dd>${String(value)}</dd>`)}
${Object.entries(results.readings).map(([part, found]) => html`<dt>answers, ${part}</dt><dd>${readingText(found)}</dd>`)}</dl>`;
  return pageDocument({ title, style: mepStyle, body });
}

const headlineScores = ["recall", "accVideo", "accAudio", "balancedVideo", "balancedAudio"];

/** What the benchmark is about, large: each score with its dot and interval, of one system or of two. */
export function headline(systems: readonly Pick<MepResults, "system" | "report">[]): Html {
  const rows = mepMetricGroups.flatMap((group) => group.rows).filter(({ metric }) => headlineScores.includes(metric));
  const panels = rows.map(({ metric, label, hint, better }) => ({
    title: label,
    hint,
    better,
    dots: systems.map(({ system, report }, s) => ({
      name: systems.length > 1 ? system : "",
      metric: report[metric],
      color: armColor(s + 1),
    })),
  }));
  return headlineFigures(panels, (value) => value.toFixed(2));
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
  const table = html`<table class="paper">
  <thead><tr><th scope="col">system</th><th scope="col">Recall</th><th scope="col">Acc@V</th><th scope="col">Acc@A</th></tr></thead>
  <tbody><tr class="own"><th scope="row">${system} (this run)</th><td>${percent(recallCosine)}</td><td>${percent(accVideo)}</td><td>${percent(accAudio)}</td></tr>
  <tr class="own"><th scope="row">${system} (a no anywhere in the first line)</th><td></td><td>${percent(accFirstLineVideo)}</td><td>${percent(accFirstLineAudio)}</td></tr>
  ${table1.map((row) => html`<tr><th scope="row">${row.name}</th><td>${row.recall}</td><td>${row.accVideo}</td><td>${row.accAudio}</td></tr>`)}</tbody>
  </table>`;
  return html`${scrolling("The paper's figures", table)}<p class="muted">${table1Note}</p>`;
}

/** Clips that are shown at once; a press shows as many more. */
const numShown = 20;

const filterScript = `
const find = document.getElementById("find"), show = document.getElementById("show"), count = document.getElementById("count"), more = document.getElementById("more"), clips = document.getElementById("clips");
let samples = [...clips.children], texts = [];
let limit = ${numShown};
function filter() {
  const words = find.value.toLowerCase();
  const fitting = samples.filter((one, i) => (show.value === "" || one.dataset.flags.split(" ").includes(show.value)) && texts[i].includes(words));
  clips.replaceChildren(...fitting.slice(0, limit));
  const hidden = fitting.length - clips.children.length;
  count.textContent = fitting.length + (fitting.length === 1 ? " clip" : " clips") + (hidden > 0 ? ", " + clips.children.length + " shown" : "");
  more.hidden = hidden === 0;
  more.textContent = "More clips (" + hidden + ")";
}
function choose() { limit = ${numShown}; filter(); }
find.addEventListener("input", choose);
show.addEventListener("change", choose);
more.addEventListener("click", () => { const next = clips.children.length; limit += ${numShown}; filter(); clips.children[next].tabIndex = -1; clips.children[next].focus(); });
async function unpack() {
  const bytes = Uint8Array.from(atob(document.getElementById("later").textContent), (letter) => letter.charCodeAt(0));
  const unpacked = document.createElement("template");
  unpacked.innerHTML = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  samples = [...samples, ...unpacked.content.children];
  texts = samples.map((one) => one.textContent.toLowerCase());
  filter();
}
unpack();`;

/** Clips that are not shown yet are most of a page: without this their text alone is megabytes. */
function packed({ text }: Html): string {
  return gzipSync(text, { level: 9 }).toString("base64");
}

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
