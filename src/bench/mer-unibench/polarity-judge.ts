// Who decides whether a list of emotion words is positive, negative or neutral. Officially a language model does, which is
// slow and not repeatable; the judge here reads it off the wheels and is stamped as such in every report.
import { normaliseLabels, parseLabelString } from "../../emotion/labels.ts";
import { type EmotionLexicon, resolveLabel } from "../../emotion/wheel.ts";
import type { Polarity } from "./sentiment.ts";

export interface PolarityJudge {
  /** Stamped into reports. */
  readonly name: string;
  /** One reply per label string, in order; the scorer's rule decides what a reply means. */
  judge(labelStrings: readonly string[]): Promise<readonly string[]> | readonly string[];
}

/** How the inner rings of the five wheels feel; what is missing is neither (surprise). */
export const groupFeeling: Readonly<Record<string, number>> = {
  ...{ happy: 1, joyful: 1, joy: 1, powerful: 1, peaceful: 1, genius: 1 },
  ...{ mad: -1, angry: -1, anger: -1, disgusted: -1, disgust: -1, sad: -1, scared: -1, fearful: -1, fear: -1, bad: -1 },
};

/** Of each word the mean over the wheels, then the sign of the sum over words; no known word is neutral. */
export function lexiconJudge(lexicon: EmotionLexicon): PolarityJudge {
  const known = new Map<string, number>();
  const feelingOf = (label: string): number => {
    const groups = lexicon.wheels.flatMap((wheel) => resolveLabel(lexicon, wheel, label) ?? []);
    const sum = groups.reduce((total, group) => total + (groupFeeling[group] ?? 0), 0);
    return groups.length === 0 ? 0 : sum / groups.length;
  };
  const judgeOne = (labelString: string): Polarity => {
    let sum = 0;
    for (const label of new Set(normaliseLabels(parseLabelString(labelString)))) {
      let value = known.get(label);
      if (value === undefined) {
        value = feelingOf(label);
        known.set(label, value);
      }
      sum += value;
    }
    return sum > 0 ? "positive" : sum < 0 ? "negative" : "neutral";
  };
  return { name: `wheel polarity (${lexicon.name})`, judge: (labelStrings) => labelStrings.map(judgeOne) };
}
