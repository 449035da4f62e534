// A calibration as one self-contained page: the two distributions over the cosine, delta with its interval, and the pairs
// that are hardest to tell apart.
import type { MeasuredPair } from "../../evidence/calibrate.ts";
import { pageDocument, scrolling } from "../../page/document.ts";
import { type Html, html } from "../../page/html.ts";
import type { CalibrationRecord } from "./calibrate-embedder.ts";
import { two } from "./embed-text.ts";

const percent = 100;
const pageStyle = `.cosines { display:grid; grid-template-columns:1.4em 3.6em 1fr; margin:1.2rem 0; font-size:.84rem; color:var(--soft); } .cosines .name { writing-mode:vertical-rl; transform:rotate(180deg); text-align:center; } .cosines .ends { display:flex; flex-direction:column; justify-content:space-between; text-align:right; padding-right:.5em; font-size:inherit; line-height:1; white-space:nowrap; margin-top:1.6rem; } .cosines .field { position:relative; height:min(20rem,60vw); margin-top:1.6rem; } .cosines svg { position:absolute; inset:0; width:100%; height:100%; border-bottom:1px solid var(--soft); }
.cosines .same { fill:var(--video); fill-opacity:.6; } .cosines .different { fill:var(--audio); fill-opacity:.6; } .cosines .mark,.cosines .paper { position:absolute; top:0; bottom:0; border-left:2px solid var(--ink); } .cosines .paper { border-left:2px dashed var(--soft); } .cosines .band { position:absolute; top:0; bottom:0; min-width:1px; background:color-mix(in srgb,var(--ink) 12%,transparent); }
.cosines .above,.cosines .below { position:absolute; white-space:nowrap; transform:translateX(-50%); } .cosines .above { bottom:calc(100% + .2em); color:var(--ink); } .cosines .below { top:calc(100% + .2em); } .cosines .along { grid-column:3; text-align:center; padding-top:1.6em; }
.same-name { color:var(--video); font-weight:700; } .different-name { color:var(--audio); font-weight:700; } .results td { white-space:normal; }`;

export function calibrationPage(record: CalibrationRecord): string {
  const { embedder, source, delta, interval, range, equalError, atPaper } = record;
  const body = html`<h1>delta = ${two(delta)} for ${embedder}</h1>
<p class="lede">Cosines of two phrases for the <span class="same-name">same cue</span> and for
<span class="different-name">different cues</span>. Above delta a clause counts as stating a cue.</p>
<p class="muted">${record.numTexts} texts, ${record.same.count} same and ${record.different.count} different pairs: ${source}</p>
${histogramPlot(record)}
<dl class="facts">
<dt>delta</dt><dd>${two(delta)}, 95 % interval ${two(interval[0])} to ${two(interval[1])}; thresholds from ${two(range[0])} to ${two(range[1])} are as good</dd>
<dt>at delta</dt><dd>${share(record.missed)} of the same cues are missed, ${share(record.leaked)} of the different ones come above it (F1 ${record.f1.toFixed(3)}, both sorts weighing the same)</dd>
<dt>at ${two(atPaper.delta)}, the paper's</dt><dd>${share(atPaper.missed)} missed, ${share(atPaper.leaked)} above</dd>
<dt>equal error</dt><dd>${share(equalError.rate)} of either, at ${two(equalError.threshold)}</dd>
${record.cautions.map((caution) => html`<dt>caution</dt><dd>${caution}</dd>`)}
</dl>
<h2>Hardest to tell apart</h2>
${pairTable("Same cue, least alike", record.worstSame)}
${pairTable("Different cues, most alike", record.worstDifferent)}`;
  return pageDocument({ title: `delta of ${embedder}`, style: pageStyle, body });
}

/** Bars as a picture that stretches; words beside it as text, which does not. */
function histogramPlot({ histogram, delta, interval, atPaper }: CalibrationRecord): Html {
  const { start, binWidth, same, different } = histogram;
  const most = Math.max(...same, ...different);
  const end = start + binWidth * same.length;
  const at = (cosine: number) => `left:${((percent * (cosine - start)) / (end - start)).toFixed(2)}%`;
  const bars = (name: string, shares: readonly number[]) =>
    shares.map(
      (of, bin) =>
        of > 0 &&
        html`<rect class="${name}" x="${bin + barGap}" width="${1 - 2 * barGap}" y="${1 - of / most}" height="${of / most}"><title>${share(of)} of the ${name} pairs from ${two(start + bin * binWidth)}</title></rect>`,
    );
  const numTicks = Math.round((end - start) / tickStep);
  const ticks = Array.from(
    { length: numTicks + 1 },
    (_, i) => Math.ceil(start / tickStep - 1e-9) * tickStep + i * tickStep,
  ).filter((tick) => tick <= end + 1e-9);
  const [low, high] = interval;
  const isApart = Math.abs(delta - atPaper.delta) > labelDistance;
  return html`<div class="cosines" role="img" aria-label="Distributions of cosines with delta ${two(delta)}">
<span class="name">share of pairs</span><span class="ends"><span>${Math.round(most * percent)} %</span><span>0 %</span></span>
<div class="field"><svg viewBox="0 0 ${same.length} 1" preserveAspectRatio="none" aria-hidden="true">${bars("different", different)}${bars("same", same)}</svg>
<span class="band" style="${at(low)};width:${((percent * (high - low)) / (end - start)).toFixed(2)}%"></span>
<span class="paper" style="${at(atPaper.delta)}"></span><span class="mark" style="${at(delta)}"></span>
${isApart && html`<span class="above" style="${at(atPaper.delta)}">paper ${two(atPaper.delta)}</span>`}<b class="above" style="${at(delta)}">delta ${two(delta)}</b>
${ticks.map((tick) => html`<span class="below" style="${at(tick)}">${two(tick)}</span>`)}</div>
<span class="along">cosine</span></div>`;
}

/** Of a bar's width, at either side. */
const barGap = 0.04;
const tickStep = 0.2;
/** Cosines between two labels that do not run into each other. */
const labelDistance = 0.35;

function pairTable(title: string, pairs: readonly MeasuredPair[]): Html {
  const table = html`<table class="results"><thead><tr><th scope="col">${title}</th><th scope="col" style="text-align:left">and</th><th scope="col">cosine</th></tr></thead>
<tbody>${pairs.map(({ left, right, cosine }) => html`<tr><th scope="row">${left}</th><td style="text-align:left">${right}</td><td>${two(cosine)}</td></tr>`)}</tbody></table>`;
  return scrolling(title, table);
}

function share(value: number): string {
  return `${(value * percent).toFixed(1)} %`;
}
