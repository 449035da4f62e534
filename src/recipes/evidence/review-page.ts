// A page for people: accounts with the places of their cues marked by kind, the clip where there is one, what was dropped and why, and
// the numbers. Half of the examples are accounts with something dropped or skipped, since that is where to look: they come first; the
// rest is drawn evenly. Cues are kept or dropped there, and what is shown is written anew.
import type { CueKind } from "../../evidence/cue.ts";
import type { LocatedCue } from "../../evidence/extraction/check-phrases.ts";
import { pageDocument, scrolling } from "../../page/document.ts";
import { type Html, html } from "../../page/html.ts";
import { previewView, type TriedPreview } from "../../page/preview-view.ts";
import { createRandom, permutation } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import type { Account } from "./accounts.ts";
import { cueKinds, type EvidenceStatistics, type Extracted, extractorName } from "./evidence-statistics.ts";
import { reviewScript } from "./review-script.ts";

const kindNames: Readonly<Record<CueKind, string>> = { video: "seen", audio: "heard", emotion: "concluded" };
/** Of an account and of one list. */
const longestShown = 4000;
const mostListed = 30;

const pageStyle = `
.account { white-space:pre-wrap; overflow-wrap:anywhere; max-width:70em; } .lists { display:grid; grid-template-columns:max-content 1fr; gap:.25em .8em; margin-top:.6rem; align-items:baseline; }
.lists dt { color:var(--soft); font-size:.84rem; } .lists dd { margin:0; } .dropped li { margin:.1em 0; } .dropped ul { margin:0; padding-left:1.1em; font-size:.88rem; } .dropped q { text-decoration:line-through; text-decoration-color:var(--bad); }
.accounts .clip { display:flex; flex-wrap:wrap; gap:1rem; } .accounts .clip>div { flex:1 1 300px; min-width:0; } .accounts .clip { --wide:192px; } .accounts img { width:192px; height:144px; object-fit:contain; background:#000; border-radius:10px; }
.cue { font:inherit; font-size:.84rem; background:none; cursor:pointer; min-height:1.8rem; overflow-wrap:anywhere; text-align:left; } .cue[aria-pressed=false] { text-decoration:line-through 2px; border-style:dashed; } .cue.kept::before { content:"\\2713\\00a0"; } .cue:focus-visible { outline:2px solid var(--ink); outline-offset:2px; }
.tools { position:sticky; top:0; z-index:2; background:var(--paper); padding:.5em 0; display:flex; flex-wrap:wrap; gap:.4em 1em; align-items:center; } .tools button { font:inherit; padding:.35em 1em; border:1px solid var(--line); border-radius:8px; background:var(--card); color:var(--ink); cursor:pointer; }
@media print { .accounts .clip:nth-of-type(n+13) { display:none; } .accounts .clip { --wide:100px; } .accounts img { width:100px; height:75px; } }
.clip h3 { font-size:1rem; overflow-wrap:anywhere; } .problem { color:var(--bad); font-weight:600; } .stamp { border-left:4px solid var(--audio); padding-left:.6em; }
`;

/** An account that is shown, and its clip: one to show, why there is none, or null where the account names none. */
export interface Example extends Extracted {
  readonly clip: TriedPreview | null;
}

export interface ReviewedFile {
  /** Of all accounts; `examples` are some of them. */
  readonly numAccounts: number;
  /** The file of samples, by its name. */
  readonly samples: string;
}

export function reviewPage(
  statistics: EvidenceStatistics,
  examples: readonly Example[],
  { numAccounts, samples }: ReviewedFile,
): string {
  const written = examples.filter(({ extraction }) => extraction.problem === null);
  const places = new Map(written.map((one, place) => [one, place]));
  const body = html`<h1>Evidence of ${statistics.source}</h1>
<p class="${statistics.extractor.kind === "model" ? "muted" : "stamp"}">Taken out by: ${extractorName(statistics.extractor)}</p>
${kindTable(statistics)}
${countList("Phrases dropped", Object.entries(statistics.dropped))}
${countList(
  "Accounts left out",
  Object.entries(statistics.skipped).map(([name, { count, first }]) => [
    `${name} (${first.join(", ")}${count > first.length ? ", ..." : ""})`,
    count,
  ]),
)}
<h2>${examples.length} of ${numAccounts} accounts</h2>
<p class="muted">Doubtful ones first: something was dropped, left out, or not found of a kind. Press a cue to drop it, or use the keys: k keeps, d drops and goes on, arrows go to
the next and the one before. The download has the accounts shown here without what was dropped${examples.length < numAccounts && html`; for more of them <code>--examples</code>, for the whole file <code>oppo studio ${samples}</code>`}.</p>
<div class="tools"><button type="button" id="download">Download corrected JSONL</button><span class="muted" id="said" aria-live="polite"></span></div>
<p class="legend">${cueKinds.map((kind) => html`<span><mark class="${kind}">${kindNames[kind]}</mark></span>`)}</p>
<div class="accounts">${examples.map((one) => example(one, places.get(one) ?? null))}</div>
${reviewScript(written, `${samples.replace(/\.jsonl$/, "")}.corrected.jsonl`)}`;
  return pageDocument({ title: `Evidence: ${statistics.source}`, style: pageStyle, body });
}

/** Doubtful ones first, each sort in the accounts' order; the same for the same input. */
export function chooseExamples(extracted: readonly Extracted[], numExamples: number): readonly Extracted[] {
  const order = permutation(extracted.length, createRandom(deriveSeed(0, "review page", extracted.length)));
  const isFlawed = (index: number) => {
    const { dropped, problem } = extracted[index]!.extraction;
    return dropped.length > 0 || problem !== null;
  };
  const flawed = order.filter(isFlawed).slice(0, Math.ceil(numExamples / 2));
  const others = order.filter((index) => !flawed.includes(index)).slice(0, numExamples - flawed.length);
  const inOrder = (indices: readonly number[]) => [...indices].sort((left, right) => left - right);
  const isThin = (index: number) =>
    cueKinds.some((kind) => !extracted[index]!.extraction.cues.some((cue) => cue.kind === kind));
  const rest = inOrder(others);
  const all = [...inOrder(flawed), ...rest.filter(isThin), ...rest.filter((index) => !isThin(index))];
  return all.map((index) => extracted[index]!);
}

function kindTable({ kinds, samples, samplesWithoutCues, accounts, cutOff }: EvidenceStatistics): Html {
  const rows = cueKinds.map((kind) => {
    const { cues, distinct, perSample, samplesWithout, dropped } = kinds[kind];
    return html`<tr><th scope="row"><span class="chip ${kind}">${kindNames[kind]}</span></th><td>${cues}</td><td>${distinct}</td><td>${perSample.toFixed(2)}</td><td>${samplesWithout}</td><td>${dropped}</td></tr>`;
  });
  return html`<p>${samples} of ${accounts} accounts are written; ${samplesWithoutCues} of them hold no cue${cutOff > 0 && `, ${cutOff} replies were cut off at their limit`}.</p>
${scrolling(
  "Cues by kind",
  html`<table class="results"><thead><tr><th scope="col">cues</th><th scope="col">all</th><th scope="col">distinct</th><th scope="col">per sample</th><th scope="col">samples without</th><th scope="col">dropped</th></tr></thead><tbody>${rows}</tbody></table>`,
)}`;
}

function countList(title: string, counts: readonly (readonly [string, number])[]): Html {
  if (counts.length === 0) return html``;
  return html`<h2>${title}</h2><ul>${counts.map(([name, count]) => html`<li>${count} ${name}</li>`)}</ul>`;
}

/** @param place among the accounts that are written; null: it is not */
function example({ account, extraction, clip }: Example, place: number | null): Html {
  const { cues, dropped, problem } = extraction;
  return html`<article class="clip">${clipView(account, clip)}<div><h3>${account.id}</h3>
${problem !== null && html`<p class="problem">Left out: ${problem}</p>`}
<p class="account">${marked(account.text, cues)}</p>
<dl class="lists">${place !== null && cueKinds.map((kind) => kindList(kind, cues, place))}${
    dropped.length > 0 &&
    html`<dt>dropped</dt><dd class="dropped"><ul>${dropped.slice(0, mostListed).map(({ kind, text, reason }) => html`<li><q>${text}</q> as ${kindNames[kind]}: ${reason}</li>`)}${dropped.length > mostListed && html`<li>and ${dropped.length - mostListed} more</li>`}</ul></dd>`
  }</dl></div></article>`;
}

function clipView({ id, row }: Account, clip: Example["clip"]): Html | false {
  return clip !== null && previewView(id, typeof row.subtitle === "string" ? row.subtitle : "", clip);
}

function kindList(kind: CueKind, cues: readonly LocatedCue[], place: number): Html {
  const own = cues.map(({ text }, c) => ({ text, c })).filter(({ c }) => cues[c]!.kind === kind);
  return html`<dt>${kindNames[kind]}</dt><dd>${own.length === 0 ? html`<span class="muted">none</span>` : own.map(({ text, c }) => html`<button type="button" class="chip cue ${kind}" aria-pressed="true" data-cue="${place}/${c}">${text}</button> `)}</dd>`;
}

/** The text with every character marked by the first cue that covers it. */
function marked(text: string, cues: readonly LocatedCue[]): readonly Html[] {
  const shown = text.slice(0, longestShown);
  const bounds = [...new Set([0, shown.length, ...cues.flatMap(({ start, end }) => [start, end])])]
    .filter((at) => at <= shown.length)
    .sort((left, right) => left - right);
  const parts = bounds.slice(1).map((end, index) => {
    const start = bounds[index]!;
    const cue = cues.find((one) => one.start <= start && end <= one.end);
    const part = shown.slice(start, end);
    return cue === undefined ? html`${part}` : html`<mark class="${cue.kind}" title="${cue.text}">${part}</mark>`;
  });
  return text.length > shown.length
    ? [...parts, html`<span class="muted"> (${text.length - shown.length} more characters)</span>`]
    : parts;
}
