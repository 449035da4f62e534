// A benchmark of closed questions: one of several choices, or yes and no; perhaps in pairs of which both must be right
// (EmotionHallucer), perhaps in tasks (EmoReAlM). What an answer says is read here; nothing else decides.
import type { QuestionRow } from "../../data/scoring/question-file.ts";
import { lenientAnswer } from "../../text/answer.ts";
import { readYesNo } from "../faithfulness.ts";

export type Question = QuestionRow;

/** The index of what an answer chooses, or null where it does not say one thing. */
export function readAnswer(text: string, { choices }: Pick<Question, "choices">): number | null {
  if (choices !== null) return readChoice(lenientAnswer(text), choices);
  const said = readYesNo(text, "free");
  return said === null ? null : said === "yes" ? 0 : 1;
}

const plain = (text: string) =>
  text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();

/**
 * In this order: a choice's very words; its letter alone, before a mark, or before the choice's own words ("(B) a smile"); the
 * letter after "answer is"; the one choice whose words occur. "A woman cries" names no choice A.
 */
function readChoice(answer: string, choices: readonly string[]): number | null {
  const said = plain(answer);
  const words = choices.map(plain);
  const exact = words.indexOf(said);
  if (exact >= 0 && said !== "") return exact;
  const indexOf = (letter: string | undefined) => {
    const index = (letter ?? "").toUpperCase().charCodeAt(0) - "A".charCodeAt(0);
    return index >= 0 && index < choices.length ? index : null;
  };
  const alone = indexOf(/^[^\p{L}\p{N}]*([a-z])(?:[^\p{L}\p{N}]*$|\s*[).:\]*]|\s*\n)/iu.exec(answer)?.[1]);
  if (alone !== null) return alone;
  const before = indexOf(/^[^\p{L}\p{N}]*([a-z])\s/iu.exec(answer)?.[1]);
  if (before !== null && words[before] !== "" && said.slice(1).trim() === words[before]) return before;
  const stated = indexOf(
    /\b(?:[Aa]nswer|ANSWER|[Oo]ption|[Cc]hoice)(?:\s+is)?\s*:?\s*[("*[]*([A-Z])(?![\p{L}\p{N}'])/u.exec(answer)?.[1],
  );
  if (stated !== null) return stated;
  const found = words.flatMap((choice, i) => (choice !== "" && ` ${said} `.includes(` ${choice} `) ? [i] : []));
  return found.length === 1 ? found[0]! : null;
}
