// MEP-Bench on held-out clips for one model, and the mean of several seeds of one arm.
import type { CueBank } from "../bench/cue-bank.ts";
import type { EmotionScore } from "../bench/emotion-score.ts";
import { type MepResult, runMep } from "../bench/mep.ts";
import type { Metric, Report } from "../bench/report.ts";
import type { Respondent } from "../bench/respondent.ts";
import type { Sample } from "../data/sample.ts";
import { reasoningQuestion } from "../data/theatre/script.ts";
import type { Cue } from "../evidence/cue.ts";
import { isTypicalCue } from "./theatre-scenes.ts";

/** Probes per modality; the paper asks 500 on its 300 clips, here every clip is asked once. */
const maxProbesPerModality = 500;

/** The probes are the same for every model that is compared. */
const probeSeed = 5;

/** Held-out clips and how answers about them are read. */
export interface HeldOut {
  readonly bank: CueBank;
  readonly emotionScore: EmotionScore;
  /** The question that asks for a reasoning. */
  readonly question: string;
  readonly congruent: readonly Sample[];
  readonly conflict: readonly Sample[];
  /** Whether the other modality suggests a cue. Left out: probes ask for any cue of a clip. */
  readonly isTypical?: (sample: Sample, cue: Cue) => boolean;
}

export function evaluateOn(respondent: Respondent, { question, ...heldOut }: HeldOut): Promise<MepResult> {
  return runMep(respondent, {
    ...heldOut,
    reasoningPrompt: () => question,
    maxProbesPerModality,
    answerStyle: "tagged",
    seed: probeSeed,
  });
}

export function evaluateOnTheatre(
  respondent: Respondent,
  bank: CueBank,
  emotionScore: EmotionScore,
  congruent: readonly Sample[],
  conflict: readonly Sample[],
): Promise<MepResult> {
  return evaluateOn(respondent, {
    bank,
    emotionScore,
    question: reasoningQuestion,
    congruent,
    conflict,
    isTypical: isTypicalCue,
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
