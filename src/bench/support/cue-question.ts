// What an observer is asked about a modality: questions whose answers are the cues of a bank that exclude one another, or "none
// of them". Where nothing says which do, every cue is a question of its own: there, or not.

import type { Cue } from "../../evidence/cue.ts";
import type { Modality } from "../../media/clip.ts";
import { type CueBank, ofKind } from "../cue-bank.ts";

export interface CueQuestion {
  /** Bank indices. Answer 0 is "none of these", answer i + 1 is cues[i]. */
  readonly cues: readonly number[];
}

/** The attribute that a cue is a state of; null for a cue that excludes no other. Example: "brow". */
export type AttributeOf = (cue: Cue) => string | null;

/** Every cue of the modality in exactly one question, in the bank's order. */
export function cueQuestions(bank: CueBank, modality: Modality, attributeOf: AttributeOf = () => null): CueQuestion[] {
  const questions = new Map<string, number[]>();
  for (const index of ofKind(bank, [...bank.cues.keys()], modality)) {
    const attribute = attributeOf(bank.cues[index]!);
    const key = attribute === null ? `cue ${index}` : `attribute ${attribute}`;
    questions.set(key, [...(questions.get(key) ?? []), index]);
  }
  return [...questions.values()].map((cues) => ({ cues }));
}

/** The answer to every question for a clip with these cues; -1 where it has two that should exclude one another. */
export function rightAnswers(questions: readonly CueQuestion[], present: readonly number[]): Int32Array {
  return Int32Array.from(questions, ({ cues }) => {
    const own = cues.flatMap((cue, i) => (present.includes(cue) ? [i + 1] : []));
    return own.length > 1 ? -1 : (own[0] ?? 0);
  });
}
