// A calibration as one self-contained page: the two distributions over the cosine, delta with its interval, and the pairs
// that are hardest to tell apart.
import type { MeasuredPair } from "../../evidence/calibrate.ts";
import { type Html, html, raw } from "../../page/html.ts";
import { styleSheet } from "../../page/style.ts";
import type { CalibrationRecord } from "./calibrate-embedder.ts";
import { two } from "./embed-text.ts";

const percent = 100;
const plot = { width: 900, height: 320, left: 46, right: 14, top: 30, bottom: 44 };
const pageStyle = `.cosines { width:100%; height:auto; } .cosines text { font:13px system-ui,sans-serif; fill:var(--soft); } .cosines .delta { fill:var(--ink); font-weight:700; }
.cosines .same { fill:var(--video); fill-opacity:.55; } .cosines .different { fill:var(--audio); fill-opacity:.55; } .cosines line { stroke:var(--line); } .cosines .mark { stroke:var(--ink); stroke-width:2; } .cosines .paper { stroke:var(--soft); stroke-dasharray:4 4; } .cosines .band { fill:var(--ink); fill-opacity:.09; }
.same-name { color:var(--video); font-weight:700; } .different-name { color:var(--audio); font-weight:700; }`;

export function calibrationPage(record: CalibrationRecord): string {
  const { embedder, source, delta, interval, range, equalError, atPaper } = record;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>delta of ${embedder}</title><link rel="icon" href="data:,"><style>${raw(styleSheet)}${raw(pageStyle)}</style></head>
<body>
<h1>delta = ${two(delta)} for ${embedder}</h1>
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
${pairTable("Different cues, most alike", record.worstDifferent)}
</body></html>
`.text;
}

function histogramPlot({ histogram, delta, interval, atPaper }: CalibrationRecord): Html {
  const { start, binWidth, same, different } = histogram;
  const most = Math.max(...same, ...different);
  const end = start + binWidth * same.length;
  const inner = { width: plot.width - plot.left - plot.right, height: plot.height - plot.top - plot.bottom };
  const x = (cosine: number) => plot.left + ((cosine - start) / (end - start)) * inner.width;
  const base = plot.top + inner.height;
  const y = (of: number) => base - (of / most) * inner.height;
  const bars = (name: string, shares: readonly number[]) =>
    shares.map((of, bin) => {
      const from = x(start + bin * binWidth);
      return of > 0
        ? html`<rect class="${name}" x="${from + 1}" y="${y(of)}" width="${x(start + (bin + 1) * binWidth) - from - 2}" height="${base - y(of)}"><title>${share(of)} of the ${name} pairs from ${two(start + bin * binWidth)}</title></rect>`
        : "";
    });
  const numTicks = Math.round((end - start) / tickStep);
  const ticks = Array.from(
    { length: numTicks + 1 },
    (_, i) => Math.ceil(start / tickStep - 1e-9) * tickStep + i * tickStep,
  ).filter((tick) => tick <= end + 1e-9);
  const rule = (cosine: number, name: string) =>
    html`<line class="${name}" x1="${x(cosine)}" x2="${x(cosine)}" y1="${plot.top}" y2="${base}"></line>`;
  const [low, high] = interval;
  const anchor = x(delta) > plot.width / 2 ? "end" : "start";
  const aside = anchor === "end" ? -6 : 6;
  return html`<svg class="cosines" viewBox="0 0 ${plot.width} ${plot.height}" role="img" aria-label="Distributions of cosines with delta ${two(delta)}">
${ticks.map((tick) => html`<line x1="${x(tick)}" x2="${x(tick)}" y1="${base}" y2="${base + 5}"></line><text x="${x(tick)}" y="${base + 20}" text-anchor="middle">${two(tick)}</text>`)}
<line x1="${plot.left}" x2="${plot.width - plot.right}" y1="${base}" y2="${base}"></line>
<text x="${plot.width / 2}" y="${plot.height - 6}" text-anchor="middle">cosine</text>
<text x="${plot.left - 6}" y="${plot.top + 5}" text-anchor="end">${Math.round(most * percent)} %</text><text x="${plot.left - 6}" y="${base}" text-anchor="end">0 %</text>
<rect class="band" x="${x(low)}" y="${plot.top}" width="${Math.max(1, x(high) - x(low))}" height="${inner.height}"><title>95 % interval</title></rect>
${bars("different", different)}${bars("same", same)}
${Math.abs(delta - atPaper.delta) > labelDistance && html`<text x="${x(atPaper.delta)}" y="${plot.top - 10}" text-anchor="middle">paper ${two(atPaper.delta)}</text>`}
${rule(atPaper.delta, "paper")}${rule(delta, "mark")}
<text class="delta" x="${x(delta) + aside}" y="${plot.top - 10}" text-anchor="${anchor}">delta ${two(delta)}</text>
</svg>`;
}

const tickStep = 0.2;
/** Cosines between two labels that do not run into each other. */
const labelDistance = 0.15;

function pairTable(title: string, pairs: readonly MeasuredPair[]): Html {
  return html`<div class="scroll"><table class="results"><thead><tr><th scope="col">${title}</th><th scope="col"></th><th scope="col">cosine</th></tr></thead>
<tbody>${pairs.map(({ left, right, cosine }) => html`<tr><th scope="row">${left}</th><td style="text-align:left;white-space:normal">${right}</td><td>${two(cosine)}</td></tr>`)}</tbody></table></div>`;
}

function share(value: number): string {
  return `${(value * percent).toFixed(1)} %`;
}
