// Whether a probe is answered as its clip is annotated. Probes are asked so that neither answer can be guessed (evidence/claims/cue-probes.ts), so
// what is paid for is a look.
import { yesOrNo } from "../../text/answer.ts";
import type { ParsedResponse } from "../../text/response.ts";
import type { TermScore } from "../types.ts";

/** What a well-formed answer says; null for anything else. */
export function verdictOf({ wellFormed, answer }: ParsedResponse): "yes" | "no" | null {
  return wellFormed ? yesOrNo(answer!.text) : null;
}

/** 1 or 0; 0 for a malformed answer and for what is no probe. */
export const verdictReward: TermScore = ({ asked, response }) =>
  asked !== undefined && verdictOf(response) === asked.expected ? 1 : 0;
