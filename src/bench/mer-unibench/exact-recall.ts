// WAR and UAR by R1-Omni's protocol, hard: the answer, trimmed and in lower case, is a word of the label set or it is wrong and
// counted as outside. No other spelling of a class counts. As measures, so that runs can be compared over seeds and clips.
import { evaluatorAnswer } from "../../text/answer.ts";
import { type Measures, meanMeasure } from "../measure.ts";

/** The word of the label set that a response answers; null: none, it is outside. */
export function exactClass(response: string, labels: readonly string[]): string | null {
  const word = evaluatorAnswer(response).text.trim().toLowerCase();
  return labels.includes(word) ? word : null;
}

/**
 * war: share of right answers. uar: mean recall of the classes that the annotation has; a resample that lacks one has none.
 * outside: share of answers that are no word of the label set.
 * @param predicted null: outside
 */
export function exactRecall(group: string, gold: readonly string[], predicted: readonly (string | null)[]): Measures {
  const right = gold.map((label, i): number => (predicted[i] === label ? 1 : 0));
  const classes = [...new Set(gold)].sort();
  const ofClass = (name: string) => right.map((value, i) => (gold[i] === name ? value : Number.NaN));
  return {
    war: meanMeasure(group, right),
    uar: { ...meanMeasure(group, ...classes.map(ofClass)), count: gold.length },
    outside: meanMeasure(
      group,
      predicted.map((word): number => (word === null ? 1 : 0)),
    ),
  };
}
