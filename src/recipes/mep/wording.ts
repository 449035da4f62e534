// How MEP-Bench's questions are put to a model: as the models of a kind of corpus know them, with think and answer tags, or freely, for
// models that were never told of tags.
import type { AnswerStyle } from "../../bench/faithfulness.ts";
import { defaultQuestion } from "../../corpus/wording.ts";

export interface MepWording {
  /** Asks for a reasoning. */
  readonly question: string;
  /** What follows a probe's question. */
  readonly probeEnding: string;
}

const freeQuestion = "What does the person feel, and why? Describe what you see and what you hear that shows it.";
const endings: Readonly<Record<AnswerStyle, string>> = {
  tagged: "Reason in <think></think>, then answer yes or no in <answer></answer>.",
  free: "Answer yes or no.",
};

/** @param setQuestion the set's; its default asks for tags, so a free model gets another one */
export function mepWording(setQuestion: string, style: AnswerStyle, kind: string | null): MepWording {
  if (kind !== null) return { question: setQuestion, probeEnding: style === "free" ? endings.free : "" };
  const question = style === "free" && setQuestion === defaultQuestion ? freeQuestion : setQuestion;
  return { question, probeEnding: endings[style] };
}

/** Example: "Does the video show a frown? Answer yes or no." */
export function probePrompt(question: string, { probeEnding }: MepWording): string {
  if (probeEnding === "") return question;
  return `${question[0]!.toUpperCase()}${question.slice(1)} ${probeEnding}`;
}
