// Training curves as small multiples, drawn in the page by uPlot, which is inlined (no network).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { ArmResult } from "./data.ts";
import { type Html, html, jsonForScript, raw } from "./html.ts";
import { armColor } from "./results-table.ts";

const panels = [
  { metric: "reward", title: "Reward" },
  { metric: "rewards/omni/mean", title: "Omni-perception reward (0 to 3)" },
  { metric: "kl", title: "KL to the reference" },
  { metric: "omni/kl_video", title: "KL full || video masked, evidence tokens" },
  { metric: "omni/kl_audio", title: "KL full || audio masked, evidence tokens" },
  { metric: "completions/mean_length", title: "Completion length (tokens)" },
];

/** The curves of every trained arm; a running mean over 5 steps, since a step sees few prompts. */
export function trainingCurves(arms: readonly ArmResult[]): Html {
  const trained = arms.map((arm, index) => ({ arm, index })).filter(({ arm }) => arm.curve.length > 0);
  const charts = panels
    .map(({ metric, title }) => {
      const lines = trained.filter(({ arm }) => arm.curve.some((step) => step[metric] !== undefined));
      const numSteps = Math.max(0, ...lines.map(({ arm }) => arm.curve.length));
      const steps = Array.from({ length: numSteps }, (_, step) => step + 1);
      return {
        title,
        data: [steps, ...lines.map(({ arm }) => runningMean(arm.curve.map((step) => step[metric] ?? null)))],
        lines: lines.map(({ arm, index }) => ({ label: arm.title, color: armColor(index) })),
      };
    })
    .filter((chart) => chart.lines.length > 0);
  const uplotPath = createRequire(import.meta.url).resolve("uplot/dist/uPlot.iife.min.js");
  return html`<div class="charts">${charts.map((_, i) => html`<div class="chart" id="chart-${i}"></div>`)}</div>
  <style>${raw(readFileSync(uplotPath.replace("uPlot.iife.min.js", "uPlot.min.css"), "utf8"))}</style>
  <script>${raw(readFileSync(uplotPath, "utf8").replaceAll("</script", "<\\/script"))}</script>
  <script>const charts = ${jsonForScript(charts)};${raw(drawScript)}</script>`;
}

const window = 5;

function runningMean(values: readonly (number | null)[]): (number | null)[] {
  return values.map((_, end) => {
    const recent = values.slice(Math.max(0, end + 1 - window), end + 1).filter((value) => value !== null);
    return recent.length === 0 ? null : Number((recent.reduce((a, b) => a + b, 0) / recent.length).toPrecision(5));
  });
}

const drawScript = `
const ink = getComputedStyle(document.documentElement).getPropertyValue("--soft");
const line = getComputedStyle(document.documentElement).getPropertyValue("--line");
charts.forEach((chart, i) => {
  const host = document.getElementById("chart-" + i);
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const plot = new uPlot({
    title: chart.title, width: host.clientWidth - 20, height: 210,
    scales: { x: { time: false } }, axes: [axis, { ...axis, size: 54 }],
    series: [{ label: "step" }, ...chart.lines.map((l) => ({ label: l.label, stroke: l.color, width: 2 }))],
  }, chart.data, host);
  addEventListener("resize", () => plot.setSize({ width: host.clientWidth - 20, height: 210 }));
});`;
