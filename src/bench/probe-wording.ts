// How a probe's question is put to a model: as models of a kind of corpus know it, with think and answer tags, or freely, for
// models that were never told of tags.
import type { AnswerStyle } from "./faithfulness.ts";

const endings: Readonly<Record<AnswerStyle, string>> = {
  tagged: "Reason in <think></think>, then answer yes or no in <answer></answer>.",
  free: "Answer yes or no.",
};

/** What follows a probe's question. @param isKnown models of this kind of corpus know the question as it is */
export function probeEnding(style: AnswerStyle, isKnown: boolean): string {
  return isKnown && style === "tagged" ? "" : endings[style];
}

/** Example: "Does the video show a frown? Answer yes or no." */
export function probePrompt(question: string, ending: string): string {
  if (ending === "") return question;
  return `${question[0]!.toUpperCase()}${question.slice(1)} ${ending}`;
}
