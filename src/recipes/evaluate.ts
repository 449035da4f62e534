// MEP-Bench on the theatre's held-out clips for one model, and the mean of several seeds of one arm.
import type { CueBank } from "../bench/cue-bank.ts";
import type { EmotionScore } from "../bench/emotion-score.ts";
import { type MepResult, runMep } from "../bench/mep.ts";
import type { Metric, Report } from "../bench/report.ts";
import type { Respondent } from "../bench/respondent.ts";
import type { Sample } from "../data/sample.ts";
import { reasoningQuestion } from "../data/theatre/script.ts";
import { isTypicalCue } from "./theatre-scenes.ts";

/** Probes per modality; the paper asks 500 on its 300 clips, here every clip is asked once. */
const maxProbesPerModality = 500;

/** The probes are the same for every model that is compared. */
const probeSeed = 5;

export function evaluateOnTheatre(
  respondent: Respondent,
  bank: CueBank,
  emotionScore: EmotionScore,
  congruent: readonly Sample[],
  conflict: readonly Sample[],
): Promise<MepResult> {
  return runMep(respondent, {
    bank,
    emotionScore,
    congruent,
    conflict,
    reasoningPrompt: () => reasoningQuestion,
    maxProbesPerModality,
    isTypical: isTypicalCue,
    answerStyle: "tagged",
    seed: probeSeed,
  });
}

/**
 * Mean over seeds. The interval is the mean of the seeds' bootstrap intervals (which clips were drawn), widened where
 * the seeds differ more than that: it always covers every seed's value.
 */
export function meanReport(reports: readonly Report[]): Report {
  const names = new Set(reports.flatMap((report) => Object.keys(report)));
  return Object.fromEntries([...names].map((name) => [name, meanMetric(reports.map((report) => report[name]))]));
}

function meanMetric(metrics: readonly (Metric | undefined)[]): Metric {
  const scored = metrics.filter((metric) => metric !== undefined && metric.value !== null) as {
    value: number;
    low: number;
    high: number;
    count: number;
  }[];
  if (scored.length === 0) return { value: null, low: null, high: null, count: 0 };
  const mean = (pick: (metric: (typeof scored)[number]) => number) =>
    scored.reduce((sum, metric) => sum + pick(metric), 0) / scored.length;
  const values = scored.map((metric) => metric.value);
  return {
    value: mean((metric) => metric.value),
    low: Math.min(
      mean((metric) => metric.low),
      ...values,
    ),
    high: Math.max(
      mean((metric) => metric.high),
      ...values,
    ),
    count: Math.round(mean((metric) => metric.count)),
  };
}
