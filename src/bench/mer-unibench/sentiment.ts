// Weighted F (WAF) of the sign of a sentiment: samples of strength 0 are left out, the two classes' F1 values are averaged
// with the classes' sizes. A polarity that is not exactly one of three words is neutral, and neutral counts as negative.
import type { ScoringRules } from "./rules.ts";
import { type SumStatistic, type SumTable, SumTableBuilder } from "./sum-table.ts";

export type Polarity = "positive" | "negative" | "neutral";

/** The official mapping: exact and case-sensitive; anything else, such as `Positive` or `positive.`, is neutral. */
export function officialPolarity(text: string): Polarity {
  return text === "positive" || text === "negative" ? text : "neutral";
}

/** The mapping of the OPPO evaluator: any case, the first whole word of the three, else neutral. */
export function lenientPolarity(text: string): Polarity {
  const word = /\b(positive|negative|neutral)\b/.exec(text.toLowerCase())?.[1];
  return (word as Polarity | undefined) ?? "neutral";
}

/** true positive, false positive, false negative, true negative, where positive is the positive class. */
const numColumns = 4;

/** One row per sample; readers refuse strengths that are not numbers. */
export function sentimentTable(
  gold: readonly number[],
  predicted: readonly Polarity[],
  rules: Pick<ScoringRules, "zeroSentiment" | "neutralPolarity">,
): SumTable {
  const builder = new SumTableBuilder(gold.length, numColumns);
  const row = new Float64Array(numColumns);
  gold.forEach((strength, i) => {
    row.fill(0);
    if (strength !== 0 || rules.zeroSentiment !== "drop") {
      const isPositive = strength > 0 || (strength === 0 && rules.zeroSentiment === "positive");
      const polarity = predicted[i]!;
      const isWrong = polarity === "neutral" && rules.neutralPolarity === "wrong";
      const saysPositive = isWrong ? !isPositive : polarity === "positive";
      row[isPositive ? (saysPositive ? 0 : 2) : saysPositive ? 1 : 3] = 1;
    }
    builder.add(row);
  });
  return builder.finish();
}

export interface SentimentScore {
  readonly weightedF: number;
  readonly accuracy: number;
  readonly numScored: number;
}

/** NaN when every strength is 0, where the official code stops with an error. */
export function sentimentScore(sums: ArrayLike<number>): SentimentScore {
  const [truePositive, falsePositive, falseNegative, trueNegative] = [sums[0]!, sums[1]!, sums[2]!, sums[3]!];
  const numPositive = truePositive + falseNegative;
  const numNegative = trueNegative + falsePositive;
  const numScored = numPositive + numNegative;
  const f1 = (right: number, wrong: number) => (right === 0 ? 0 : (2 * right) / (2 * right + wrong));
  const wrong = falsePositive + falseNegative;
  return {
    weightedF: (numPositive * f1(truePositive, wrong) + numNegative * f1(trueNegative, wrong)) / numScored,
    accuracy: (truePositive + trueNegative) / numScored,
    numScored,
  };
}

export const sentimentStatistic: SumStatistic = {
  names: ["weightedF", "accuracy"],
  compute(sums, scores) {
    const { weightedF, accuracy } = sentimentScore(sums);
    scores[0] = weightedF;
    scores[1] = accuracy;
  },
};
