// WAR and UAR of single-label recognition, as R1-Omni reports them: accuracy, and the mean recall of the classes that the
// annotation has. An answer outside the label space is wrong and is counted.
import { strip } from "../../emotion/labels.ts";
import { evaluatorAnswer } from "../../text/answer.ts";
import type { ScoringRules } from "./rules.ts";
import { type SumStatistic, type SumTable, SumTableBuilder } from "./sum-table.ts";

/** Other spellings of the classes of DFEW, MAFW and RAVDESS, in their own label files and in models' answers. */
const spellings: Readonly<Record<string, string>> = {
  happiness: "happy",
  joy: "happy",
  sadness: "sad",
  anger: "angry",
  surprised: "surprise",
  disgusted: "disgust",
  fearful: "fear",
  fearfulness: "fear",
  contempt: "contemptuous",
  disappointment: "disappointed",
  helplessness: "helpless",
  anxiety: "anxious",
  calmness: "calm",
  neutrality: "neutral",
};

/** Label spaces, spelled as R1-Omni does. */
export const labelSpaces: Readonly<Record<string, readonly string[]>> = {
  DFEW: ["happy", "surprise", "neutral", "angry", "disgust", "sad", "fear"],
  MAFW: [
    ...["happy", "surprise", "neutral", "angry", "disgust", "sad", "fear"],
    ...["contemptuous", "disappointed", "helpless", "anxious"],
  ],
  RAVDESS: ["neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise"],
};

/** A label in the spelling of the label space; null when it is in none of its spellings. */
export function inLabelSpace(text: string, labels: readonly string[]): string | null {
  const word = strip(text).toLowerCase();
  if (labels.includes(word)) return word;
  const other = spellings[word];
  return other !== undefined && Object.hasOwn(spellings, word) && labels.includes(other) ? other : null;
}

/** The class that a response names, or null. The released script compares the raw text, left-stripped, letter by letter. */
export function namedClass(
  response: string,
  labels: readonly string[],
  rule: ScoringRules["singleLabel"],
): string | null {
  if (rule === "answer") return inLabelSpace(evaluatorAnswer(response).text, labels);
  const text = response.trimStart();
  return labels.includes(text) ? text : null;
}

export interface Confusion {
  /** Classes that the annotation has, sorted. */
  readonly classes: readonly string[];
  /** Row per class; columns: `named`, then "outside the label space". */
  readonly named: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

/** @param predicted null: outside the label space */
export function confusionOf(gold: readonly string[], predicted: readonly (string | null)[]): Confusion {
  const classes = [...new Set(gold)].sort();
  const named = [
    ...classes,
    ...[...new Set(predicted)].filter((p) => p !== null && !classes.includes(p)).sort(),
  ] as string[];
  const rowOf = new Map(classes.map((name, i) => [name, i]));
  const columnOf = new Map(named.map((name, i) => [name, i]));
  const counts = classes.map(() => new Array<number>(named.length + 1).fill(0));
  gold.forEach((label, i) => {
    const answer = predicted[i] ?? null;
    counts[rowOf.get(label)!]![answer === null ? named.length : columnOf.get(answer)!]!++;
  });
  return { classes, named, counts };
}

/** Columns: per class of the annotation, the right answers and the samples; last, answers outside the label space. */
export function recallTable(gold: readonly string[], predicted: readonly (string | null)[]): SumTable {
  const classes = [...new Set(gold)].sort();
  const rowOf = new Map(classes.map((name, i) => [name, i]));
  const row = new Float64Array(classes.length * 2 + 1);
  const builder = new SumTableBuilder(gold.length, row.length);
  gold.forEach((label, i) => {
    row.fill(0);
    const at = 2 * rowOf.get(label)!;
    row[at] = predicted[i] === label ? 1 : 0;
    row[at + 1] = 1;
    row[row.length - 1] = predicted[i] === null ? 1 : 0;
    builder.add(row);
  });
  return builder.finish();
}

/** Classes that a resample lacks stay out of its UAR, as classes that a data set lacks stay out of the score. */
export const recallStatistic: SumStatistic = {
  names: ["war", "uar", "outside"],
  compute(sums, scores) {
    const numClasses = (sums.length - 1) / 2;
    let right = 0;
    let total = 0;
    let recalls = 0;
    let present = 0;
    for (let c = 0; c < numClasses; c++) {
      const samples = sums[2 * c + 1]!;
      if (samples === 0) continue;
      right += sums[2 * c]!;
      total += samples;
      recalls += sums[2 * c]! / samples;
      present++;
    }
    scores[0] = right / total;
    scores[1] = recalls / present;
    scores[2] = sums[sums.length - 1]! / total;
  },
};
