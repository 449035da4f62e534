// What kind of text a model gave where it should have answered: so that a refusal, an empty reply or an answer in another
// language is counted under its name, and nobody takes it for a low score.
import { replyText } from "../text/special-tokens.ts";
import type { AnswerStyle } from "./faithfulness.ts";
import { readYesNo } from "./faithfulness.ts";

export const readings = ["readable", "empty", "refusal", "other language", "no tags", "other"] as const;
export type Reading = (typeof readings)[number];

/** Opens with words by which models decline. */
const refusal =
  /^\W*(?:(?:i['\u2019]?m|i am) (?:sorry|unable|not able)|sorry\b|i (?:can['\u2019]?t|cannot|can not|won['\u2019]?t)\b|as an ai\b|unfortunately,? i\b|i do not have the ability\b)/i;

/** Yes and no in languages that models fall into; English "no" is read before. */
const foreignVerdict =
  /^[^\p{L}\p{N}]*(?:\u662f|\u5426|\u6709|\u6ca1|\u4e0d|\u3044\u3044\u3048|\u306f\u3044|\u0434\u0430|\u043d\u0435\u0442|\ub124|\uc608|\uc544\ub2c8|(?:oui|non|ja|nein|s\u00ed|si|sim|n\u00e3o)(?!\p{L}))/iu;

/** A text whose letters are mostly of another script than Latin. */
const foreignShare = 0.5;

/** An answer to a yes/no question. */
export function readingOfVerdict(text: string, style: AnswerStyle): Reading {
  if (readYesNo(text, style) !== null) return "readable";
  const plain = withoutTags(text);
  if (plain === "") return "empty";
  if (refusal.test(plain)) return "refusal";
  if (isForeign(plain) || foreignVerdict.test(plain)) return "other language";
  return style === "tagged" && readYesNo(plain, "free") !== null ? "no tags" : "other";
}

/** A free reasoning: anything in the language of the cues can be read, with or without tags. */
export function readingOfReasoning(text: string): Reading {
  const plain = withoutTags(text);
  if (plain === "") return "empty";
  if (refusal.test(plain)) return "refusal";
  return isForeign(plain) ? "other language" : "readable";
}

/** How many texts there are of each kind; kinds that do not occur are left out. */
export function countReadings(given: readonly Reading[]): Partial<Record<Reading, number>> {
  const counts: Partial<Record<Reading, number>> = {};
  for (const reading of readings) {
    const count = given.filter((one) => one === reading).length;
    if (count > 0) counts[reading] = count;
  }
  return counts;
}

function withoutTags(text: string): string {
  return replyText(text)
    .replace(/<\/?(?:think|thinking|thought|reasoning|answer)>/gi, " ")
    .trim();
}

function isForeign(text: string): boolean {
  const numLetters = text.match(/\p{L}/gu)?.length ?? 0;
  const numLatin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  return numLetters > 0 && (numLetters - numLatin) / numLetters > foreignShare;
}
