// MME-Emotion's scores as what each clip gives to them. Rec-S: the last step, which is the prediction. Rea-S: the mean of the
// steps before it, 0 where there is none. CoT-S = alpha Rec-S + (1 - alpha) Rea-S. A clip whose judgement is missing gives nothing.
import type { Measures } from "../measure.ts";
import { meanMeasure } from "../measure.ts";
import { type LabelScore, labelScore, namedLabels } from "./labels.ts";
import type { MmeClip } from "./tasks.ts";

export interface ScoredClip {
  readonly clip: MmeClip;
  /** What the model said; null: it was not asked, and every score of the labels counts it as wrong. */
  readonly response: string | null;
  /** Of every step, 0 to 1, the last is the prediction's; null: there is no judgement. */
  readonly stepScores: readonly number[] | null;
}

export interface StepSummary {
  readonly recognition: number;
  readonly reasoning: number;
}

/** @param scores at least one */
export function summaryOf(scores: readonly number[]): StepSummary {
  const earlier = scores.slice(0, -1);
  const reasoning = earlier.reduce((sum, score) => sum + score, 0) / Math.max(1, earlier.length);
  return { recognition: scores.at(-1)!, reasoning };
}

/** @param alpha what recognition weighs in CoT-S */
export function mmeMeasures(clips: readonly ScoredClip[], alpha: number): Measures {
  const summaries = clips.map(({ stepScores }) => (stepScores === null ? null : summaryOf(stepScores)));
  const judged = (value: (summary: StepSummary) => number) =>
    meanMeasure(
      "clips",
      summaries.map((summary) => (summary === null ? Number.NaN : value(summary))),
    );
  const steps = clips.map(({ stepScores }) => stepScores?.length ?? Number.NaN);
  return {
    recognition: judged(({ recognition }) => recognition),
    reasoning: judged(({ reasoning }) => reasoning),
    cot: judged(({ recognition, reasoning }) => alpha * recognition + (1 - alpha) * reasoning),
    steps: { ...meanMeasure("clips", steps), isCount: true },
    ...labelMeasures(clips),
  };
}

function labelMeasures(clips: readonly ScoredClip[]): Measures {
  const scores = clips.map(({ clip, response }): LabelScore & { readonly numLabels: number } => ({
    ...labelScore(response === null ? [] : namedLabels(response, clip.labelSet), clip.labels),
    numLabels: clip.labels.length,
  }));
  const each = (value: (score: (typeof scores)[number]) => number) => meanMeasure("clips", scores.map(value));
  return {
    labelRecall: each(({ recall }) => recall),
    labelF1: each(({ f1 }) => f1),
    outOfVocabulary: each(({ numNamed }) => Number(numNamed === 0)),
    ambiguous: each(({ numNamed, numLabels }) => Number(numLabels === 1 && numNamed > 1)),
  };
}
