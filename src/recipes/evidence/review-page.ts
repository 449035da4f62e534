// A page for people: accounts with the places of their cues marked by kind, what was dropped and why, and the numbers. Half
// of the examples are accounts with something dropped or skipped, since that is where to look; the rest is drawn evenly.
import type { CueKind } from "../../evidence/cue.ts";
import type { LocatedCue } from "../../evidence/extraction/check-phrases.ts";
import { type Html, html, raw } from "../../page/html.ts";
import { styleSheet } from "../../page/style.ts";
import { createRandom, permutation } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import { cueKinds, type EvidenceStatistics, type Extracted, extractorName } from "./evidence-statistics.ts";

const kindNames: Readonly<Record<CueKind, string>> = { video: "seen", audio: "heard", emotion: "concluded" };
/** Of an account and of one list. */
const longestShown = 4000;
const mostListed = 30;

const pageStyle = `
.account { white-space:pre-wrap; overflow-wrap:anywhere; max-width:70em; } .lists { display:grid; grid-template-columns:max-content 1fr; gap:.25em .8em; margin-top:.6rem; align-items:baseline; }
.lists dt { color:var(--soft); font-size:.84rem; } .lists dd { margin:0; } .dropped li { margin:.1em 0; } .dropped ul { margin:0; padding-left:1.1em; font-size:.88rem; } .dropped q { text-decoration:line-through; text-decoration-color:var(--bad); }
.clip h3 { font-size:1rem; overflow-wrap:anywhere; } .problem { color:var(--bad); font-weight:600; } .stamp { border-left:4px solid var(--audio); padding-left:.6em; }
`;

export function reviewPage(
  statistics: EvidenceStatistics,
  extracted: readonly Extracted[],
  numExamples: number,
): string {
  const examples = chooseExamples(extracted, numExamples);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evidence: ${statistics.source}</title><link rel="icon" href="data:,"><style>${raw(styleSheet)}${raw(pageStyle)}</style></head>
<body>
<h1>Evidence of ${statistics.source}</h1>
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
<h2>${examples.length} of ${extracted.length} accounts</h2>
<p class="legend">${cueKinds.map((kind) => html`<span><mark class="${kind}">${kindNames[kind]}</mark></span>`)}</p>
${examples.map(example)}
</body></html>
`.text;
}

/** In the accounts' order, the same for the same input. */
function chooseExamples(extracted: readonly Extracted[], numExamples: number): readonly Extracted[] {
  const order = permutation(extracted.length, createRandom(deriveSeed(0, "review page", extracted.length)));
  const isFlawed = (index: number) => {
    const { dropped, problem } = extracted[index]!.extraction;
    return dropped.length > 0 || problem !== null;
  };
  const flawed = order.filter(isFlawed).slice(0, Math.ceil(numExamples / 2));
  const others = order.filter((index) => !flawed.includes(index)).slice(0, numExamples - flawed.length);
  return [...flawed, ...others].sort((left, right) => left - right).map((index) => extracted[index]!);
}

function kindTable({ kinds, samples, samplesWithoutCues, accounts, cutOff }: EvidenceStatistics): Html {
  const rows = cueKinds.map((kind) => {
    const { cues, distinct, perSample, samplesWithout, dropped } = kinds[kind];
    return html`<tr><th scope="row"><span class="chip ${kind}">${kindNames[kind]}</span></th><td>${cues}</td><td>${distinct}</td><td>${perSample.toFixed(2)}</td><td>${samplesWithout}</td><td>${dropped}</td></tr>`;
  });
  return html`<p>${samples} of ${accounts} accounts are written; ${samplesWithoutCues} of them hold no cue${cutOff > 0 && `, ${cutOff} replies were cut off at their limit`}.</p>
<div class="scroll"><table class="results"><thead><tr><th scope="col">cues</th><th scope="col">all</th><th scope="col">distinct</th><th scope="col">per sample</th><th scope="col">samples without</th><th scope="col">dropped</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function countList(title: string, counts: readonly (readonly [string, number])[]): Html {
  if (counts.length === 0) return html``;
  return html`<h2>${title}</h2><ul>${counts.map(([name, count]) => html`<li>${count} ${name}</li>`)}</ul>`;
}

function example({ account, extraction }: Extracted): Html {
  const { cues, dropped, problem } = extraction;
  return html`<article class="clip"><h3>${account.id}</h3>
${problem !== null && html`<p class="problem">Left out: ${problem}</p>`}
<p class="account">${marked(account.text, cues)}</p>
<dl class="lists">${problem === null && cueKinds.map((kind) => kindList(kind, cues))}${
    dropped.length > 0 &&
    html`<dt>dropped</dt><dd class="dropped"><ul>${dropped.slice(0, mostListed).map(({ kind, text, reason }) => html`<li><q>${text}</q> as ${kindNames[kind]}: ${reason}</li>`)}${dropped.length > mostListed && html`<li>and ${dropped.length - mostListed} more</li>`}</ul></dd>`
  }</dl></article>`;
}

function kindList(kind: CueKind, cues: readonly LocatedCue[]): Html {
  const texts = cues.filter((cue) => cue.kind === kind).map(({ text }) => text);
  return html`<dt>${kindNames[kind]}</dt><dd>${texts.length === 0 ? html`<span class="muted">none</span>` : texts.map((text) => html`<span class="chip ${kind}">${text}</span> `)}</dd>`;
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
