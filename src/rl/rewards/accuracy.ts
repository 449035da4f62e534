// R_acc (Eq. 27): the emotion-wheel set F1 of one sample, averaged over the wheels. The score comes from src/emotion with its
// lexicon loaded; any other does too (exact words for RLVR).
import type { EmotionScore } from "../../emotion/score.ts";
import type { TermScore } from "../types.ts";

/** A response without an answer field predicts nothing and scores 0. */
export function accuracyReward(score: EmotionScore): TermScore {
  return ({ response, sample }) => (response.labels.length === 0 ? 0 : score(response.labels, sample.labels));
}
