// R_acc (Eq. 27): the emotion-wheel set F1 of one sample, averaged over the wheels. The scorer comes from src/emotion
// with its lexicon loaded; any other set score works too (exact match for RLVR).
import type { RewardTerm } from "../types.ts";

/** Score of predicted emotion words against the labels, in [0, 1]. */
export type EmotionScore = (predicted: readonly string[], labels: readonly string[]) => number;

/** A response without an answer field predicts nothing and scores 0. */
export function accuracyReward(score: EmotionScore, weight = 1): RewardTerm {
  return {
    name: "accuracy",
    weight,
    score: ({ response, sample }) => (response.labels.length === 0 ? 0 : score(response.labels, sample.labels)),
  };
}
