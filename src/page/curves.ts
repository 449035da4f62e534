// Training curves of several arms as small multiples.
import { type Chart, chartGrid, chartScript, runningMean } from "./charts.ts";
import type { ArmResult } from "./data.ts";
import { type Html, html } from "./html.ts";
import { armColor } from "./results-table.ts";

const panels = [
  { metric: "reward", title: "Reward" },
  { metric: "rewards/omni/mean", title: "Omni-perception reward (0 to 3)" },
  { metric: "kl", title: "KL to the reference" },
  { metric: "omni/kl_video", title: "KL full || video masked, evidence tokens" },
  { metric: "omni/kl_audio", title: "KL full || audio masked, evidence tokens" },
  { metric: "completions/mean_length", title: "Completion length (tokens)" },
];

/** The curves of every trained arm, as running means. */
export function trainingCurves(arms: readonly ArmResult[]): Html {
  const trained = arms.map((arm, index) => ({ arm, index })).filter(({ arm }) => arm.curve.length > 0);
  const charts = panels
    .map(({ metric, title }): Chart => {
      const shown = trained.filter(({ arm }) => arm.curve.some((step) => step[metric] !== undefined));
      const numSteps = Math.max(0, ...shown.map(({ arm }) => arm.curve.length));
      return {
        title,
        steps: Array.from({ length: numSteps }, (_, step) => step + 1),
        lines: shown.map(({ arm, index }) => ({
          label: arm.title,
          color: armColor(index),
          values: runningMean(arm.curve.map((step) => step[metric] ?? null)),
        })),
      };
    })
    .filter((chart) => chart.lines.length > 0);
  return html`${chartScript()}${chartGrid("chart", charts)}`;
}
