// Which numbers of a run are drawn together, under which words: of the steps, and of the evaluations.
import { type Chart, type ChartLine, runningMean } from "../../page/charts.ts";
import { armColor } from "../../page/results-table.ts";
import type { StepRow } from "../../run/metrics.ts";

interface Panel {
  readonly title: string;
  /** Metric -> what the legend calls it. */
  readonly lines: Readonly<Record<string, string>>;
}

const stepPanels: readonly Panel[] = [
  { title: "Reward", lines: { reward: "total" } },
  {
    title: "Its terms",
    lines: {
      "rewards/accuracy/mean": "accuracy",
      "rewards/format/mean": "format",
      "rewards/omni/mean": "omni (0 to 3)",
      "rewards/overlong/mean": "overlong",
    },
  },
  { title: "Loss", lines: { loss: "loss" } },
  { title: "KL to the reference, nats a token", lines: { kl: "KL" } },
  {
    title: "KL full || masked, evidence tokens",
    lines: { "omni/kl_video": "video masked", "omni/kl_audio": "audio masked" },
  },
  {
    title: "Evidence tokens a completion",
    lines: { "omni/evidence_tokens_v": "video", "omni/evidence_tokens_a": "audio" },
  },
  {
    title: "Completion length, tokens",
    lines: { "completions/mean_length": "mean", "completions/max_length": "longest" },
  },
  {
    title: "Shares of completions and groups",
    lines: { "completions/clipped_ratio": "cut at the limit", frac_reward_zero_std: "groups of equal rewards" },
  },
  { title: "Entropy, nats a token", lines: { entropy: "policy" } },
  { title: "Gradient norm, before clipping", lines: { grad_norm: "norm" } },
  { title: "Learning rate", lines: { learning_rate: "learning rate" } },
  {
    title: "Seconds a step",
    lines: {
      step_time: "whole",
      "timing_s/rollout": "rollouts",
      "timing_s/reward": "reward",
      "timing_s/bwd": "backward",
    },
  },
];

const evaluationPanels: readonly Panel[] = [
  { title: "Reward", lines: { reward: "greedy answers" } },
  { title: "Loss", lines: { loss: "held-out loss" } },
  { title: "Recall of cues", lines: { recall: "all", recallVideo: "seen", recallAudio: "heard" } },
  {
    title: "Well-formed answers",
    lines: {
      format: "whole clips",
      formatMaskedVideo: "video masked",
      formatMaskedAudio: "audio masked",
      well_formed: "share",
    },
  },
  { title: "Masked probes: explicit no", lines: { accVideo: "Acc@V", accAudio: "Acc@A" } },
  {
    title: "Claims about what is masked, a clip",
    lines: { hallucinatedVideo: "seen in the dark", hallucinatedAudio: "heard in silence" },
  },
  { title: "Emotion F1", lines: { emotionF1: "F1" } },
  { title: "Answer length, tokens", lines: { "completions/mean_length": "mean" } },
];

/** Longer logs are drawn by the means of neighbours. */
const maxPoints = 600;

const numberIn = (row: StepRow, metric: string): number | null => {
  const value = row[metric];
  return typeof value === "number" ? value : null;
};

/** @param smooth a running mean over five steps */
function chartsOf(panels: readonly Panel[], rows: readonly StepRow[], smooth: boolean): Chart[] {
  const perPoint = Math.max(1, Math.ceil(rows.length / maxPoints));
  const starts = Array.from({ length: Math.ceil(rows.length / perPoint) }, (_, i) => i * perPoint);
  const lastOf = (start: number) => Math.min(rows.length, start + perPoint) - 1;
  const steps = starts.map((start) => rows[lastOf(start)]!.step + 1);
  return panels.flatMap(({ title, lines }) => {
    const drawn = Object.entries(lines).flatMap(([metric, label], i): ChartLine[] => {
      const values = rows.map((row) => numberIn(row, metric));
      if (values.every((value) => value === null)) return [];
      const shown = starts.map((start) => meanOf(values.slice(start, lastOf(start) + 1)));
      return [{ label, color: armColor(i + 1), values: smooth ? runningMean(shown) : shown }];
    });
    return drawn.length === 0 ? [] : [{ title, steps, lines: drawn, hasPoints: !smooth }];
  });
}

function meanOf(values: readonly (number | null)[]): number | null {
  const numbers = values.filter((value) => value !== null);
  return numbers.length === 0 ? null : numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}

export const stepCharts = (rows: readonly StepRow[]) => chartsOf(stepPanels, rows, true);
export const evaluationCharts = (rows: readonly StepRow[]) => chartsOf(evaluationPanels, rows, false);

/** Numbers of an evaluation's table, where they were measured, with what they are called. */
export const evaluationColumns: Readonly<Record<string, string>> = {
  loss: "loss",
  reward: "reward",
  recall: "recall",
  format: "format",
  well_formed: "well-formed",
  emotionF1: "emotion F1",
  accVideo: "Acc@V",
  accAudio: "Acc@A",
  hallucinatedVideo: "seen in the dark",
  hallucinatedAudio: "heard in silence",
};
