// How well answers match the labels, and whether responses have the format at all. The score itself (emotion-wheel set
// F1 of one sample) comes from src/emotion with its lexicon loaded.

import type { Sample } from "../data/sample.ts";
import type { EmotionScore } from "../emotion/score.ts";
import { outputLabels } from "../text/answer.ts";
import { parseResponse } from "../text/response.ts";
import type { AnswerStyle } from "./faithfulness.ts";

/**
 * Per sample, by the lenient reading: what a model meant counts, also where its format is broken. NaN for free answers:
 * nothing in them says which words are the answer.
 */
export function emotionScores(
  samples: readonly Sample[],
  texts: readonly string[],
  style: AnswerStyle,
  score: EmotionScore,
): number[] {
  return samples.map((sample, i) => (style === "free" ? Number.NaN : score(outputLabels(texts[i]!), sample.labels)));
}

/** 1 for a well-formed response, else 0; NaN for free answers, which have no form. */
export function formatScores(texts: readonly string[], style: AnswerStyle): number[] {
  return texts.map((text) => (style === "free" ? Number.NaN : parseResponse(text).wellFormed ? 1 : 0));
}
