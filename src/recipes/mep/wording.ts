// How MEP-Bench's questions are put to a model: as the models of a kind of corpus know them, with think and answer tags, or freely, for
// models that were never told of tags.
import type { AnswerStyle } from "../../bench/faithfulness.ts";
import { probeEnding } from "../../bench/probe-wording.ts";
import { defaultQuestion } from "../../corpus/wording.ts";

export interface MepWording {
  /** Asks for a reasoning. */
  readonly question: string;
  /** What follows a probe's question. */
  readonly probeEnding: string;
}

const freeQuestion = "What does the person feel, and why? Describe what you see and what you hear that shows it.";
/** @param setQuestion the set's; its default asks for tags, so a free model gets another one */
export function mepWording(setQuestion: string, style: AnswerStyle, kind: string | null): MepWording {
  const isUnfit = kind === null && style === "free" && setQuestion === defaultQuestion;
  return { question: isUnfit ? freeQuestion : setQuestion, probeEnding: probeEnding(style, kind !== null) };
}
