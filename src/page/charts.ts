// Curves as small multiples, drawn in the page by uPlot, which is inlined (no network).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Html, html, jsonForScript, raw } from "./html.ts";

export interface ChartLine {
  readonly label: string;
  /** A CSS colour. */
  readonly color: string;
  /** One per step; null: none there. */
  readonly values: readonly (number | null)[];
}

export interface Chart {
  readonly title: string;
  readonly steps: readonly number[];
  readonly lines: readonly ChartLine[];
  /** Points at the values, for few of them. */
  readonly hasPoints?: boolean;
  /** What goes along; left out: the step. */
  readonly along?: string;
}

/** The charts of a section. @param name of the section, a word of its own in the page; `chartScript` comes once before */
export function chartGrid(name: string, charts: readonly Chart[]): Html {
  const data = charts.map(({ title, steps, lines, hasPoints = false, along = "step" }) => ({
    title,
    hasPoints,
    along,
    data: [steps, ...lines.map(({ values }) => values)],
    lines: lines.map(({ label, color }) => ({ label, color })),
  }));
  return html`<div class="charts">${charts.map((_, i) => html`<div class="chart" id="${name}-${i}"></div>`)}</div>
  <script>drawCharts(${jsonForScript(name)}, ${jsonForScript(data)});</script>`;
}

/** What draws: once a page. */
export function chartScript(): Html {
  const uplotPath = createRequire(import.meta.url).resolve("uplot/dist/uPlot.iife.min.js");
  return html`<style>${raw(readFileSync(uplotPath.replace("uPlot.iife.min.js", "uPlot.min.css"), "utf8"))}</style>
  <script>${raw(readFileSync(uplotPath, "utf8").replaceAll("</script", "<\\/script"))}</script>
  <script>${raw(drawScript)}</script>`;
}

const window = 5;

/** Over the last five values, since a step sees few prompts. */
export function runningMean(values: readonly (number | null)[]): (number | null)[] {
  return values.map((_, end) => {
    const recent = values.slice(Math.max(0, end + 1 - window), end + 1).filter((value) => value !== null);
    return recent.length === 0 ? null : Number((recent.reduce((a, b) => a + b, 0) / recent.length).toPrecision(5));
  });
}

const drawScript = `
/** Three digits, and small numbers as such: a learning rate is not 0. */
function valueText(value) {
  if (value == null) return "--";
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
function drawCharts(name, charts) {
  const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name);
  const ink = colour("--soft"), line = colour("--line");
  charts.forEach((chart, i) => {
    const host = document.getElementById(name + "-" + i);
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const values = chart.data.slice(1).flat();
    const isZero = values.every((value) => (value ?? 0) === 0);
    const isTiny = !isZero && values.every((value) => Math.abs(value ?? 0) < 1e-3);
    const tiny = { values: (_, ticks) => ticks.map((tick) => (tick === 0 ? "0" : tick.toExponential(1))) };
    const last = chart.data.map((values) => values.findLastIndex((value) => value !== null));
    // Nothing is pointed at: the legend says the last values.
    const atRest = (plot) => { if (plot.cursor.idx == null && last[0] >= 0) plot.setLegend({ idxs: last }, false); };
    const plot = new uPlot({
      title: chart.title, width: host.clientWidth - 20, height: 210,
      // Of zeros alone uPlot would draw an axis to 100.
      scales: { x: { time: false }, ...(isZero ? { y: { range: [0, 1] } } : {}) },
      axes: [axis, { ...axis, size: 54, ...(isTiny ? tiny : {}) }],
      legend: { markers: { width: 0, fill: (plot, s) => plot.series[s].stroke(plot, s) } },
      hooks: { ready: [atRest], setCursor: [atRest], setLegend: [atRest] },
      series: [{ label: chart.along }, ...chart.lines.map((l) => ({ label: l.label, stroke: l.color, width: 2, spanGaps: true, points: { show: chart.hasPoints, size: 6 }, value: (_, value) => valueText(value) }))],
    }, chart.data, host);
    addEventListener("resize", () => plot.setSize({ width: host.clientWidth - 20, height: 210 }));
    for (const media of ["print", "(prefers-color-scheme: dark)"]) matchMedia(media).addEventListener("change", () => plot.redraw(false, true));
  });
}`;
