// The lenient and the evaluator's reading of an answer, for measuring models that were never taught the exact format. The
// strict one, which earns the format reward, is response.ts. Every number that rests on an answer names its reading.
import type { Span } from "./clause.ts";
import { replySpan } from "./special-tokens.ts";

export type ReadingMode = "strict" | "evaluator" | "lenient";

/** As reports say them. */
export const readingModes: Readonly<Record<ReadingMode, string>> = {
  strict:
    "strict rule: one <think> pair, then one <answer> pair, lower case and nothing else, as R_fmt wants it; the prompt may have opened <think>, end and padding tokens do not count",
  evaluator:
    "evaluator's rule: the first <answer> pair in any letter case, else the whole text; end and padding tokens do not count",
  lenient:
    "lenient rule: tags in any letter case, also <thinking>, unclosed, in a code fence or as \\boxed{}; without tags what follows the thinking, or the whole text; quotes and full stops around words do not count",
};

const opening = /<(?:think|thinking|thought|reasoning)>/i;
const closings = /<\/(?:think|thinking|thought|reasoning)>/gi;
const reasoningEnd = /<\/(?:think|thinking|thought|reasoning)>|<answer>/i;

/**
 * Splits an answer field into labels: square brackets are deleted, runs of `,` `;` (also full width) and line breaks
 * separate, pieces are trimmed and lower-cased, empty ones dropped. Quotes and full stops stay part of a label.
 */
export function answerLabels(answer: string): string[] {
  return answer
    .replace(/[[\]]/g, "")
    .split(/[,\n;\uFF0C\uFF1B]+/)
    .map((piece) => piece.trim().toLowerCase())
    .filter((piece) => piece !== "");
}

const outerQuotes = /^["'`\u2018-\u201F\u00AB\u00BB\u300C-\u300F]+|["'`\u2018-\u201F\u00AB\u00BB\u300C-\u300F]+$/g;
const outerMarks =
  /^[\s"'`*_\-.\u2018-\u201F\u00AB\u00BB\u300C-\u300F]+|[\s"'`*_.!\u3002\u2018-\u201F\u00AB\u00BB\u300C-\u300F]+$/g;

/** Labels without the quotes around them: what the strict reading compares. */
export function answerWords(answer: string): string[] {
  return trimmedWords(answer, outerQuotes);
}

/** Labels of any model's output, by the lenient reading. */
export function outputLabels(output: string): string[] {
  const { start, end } = answerSpan(output);
  return trimmedWords(output.slice(start, end), outerMarks);
}

/** "yes" or "no" where it is the first word of an answer; null for everything else. */
export function yesOrNo(answer: string): "yes" | "no" | null {
  const word = /^[^\p{L}\p{N}]*(yes|no)(?![\p{L}\p{N}])/iu.exec(answer)?.[1]?.toLowerCase();
  return word === "yes" || word === "no" ? word : null;
}

/** What the answer says, by the lenient reading. */
export function lenientAnswer(output: string): string {
  const { start, end } = answerSpan(output);
  return output.slice(start, end);
}

/**
 * The reading of the OPPO evaluator: the body of the first answer pair, without one the whole text, thoughts and all.
 */
export function evaluatorAnswer(output: string): { readonly text: string; readonly isTagged: boolean } {
  const reply = sliceOf(output, replySpan(output));
  const body = /<answer>([\s\S]*?)<\/answer>/i.exec(reply)?.[1];
  if (body !== undefined) return { text: body, isTagged: true };
  return { text: reply, isTagged: false };
}

/**
 * Where a response reasons, by the lenient reading: inside its think field, however malformed the rest is. A field that the
 * prompt opened begins with the text; an unclosed one runs to the answer or to the end; a text without tags is all
 * reasoning. Babble must not hide a hallucination.
 */
export function reasoningSpan(text: string): Span {
  const reply = replySpan(text);
  const opened = opening.exec(text);
  const start = opened === null || opened.index >= reply.end ? reply.start : opened.index + opened[0].length;
  const end = reasoningEnd.exec(text.slice(start, reply.end))?.index;
  return { start, end: end === undefined ? reply.end : start + end };
}

/** Where the answer stands; empty at the end of a text that thinks and never answers. */
function answerSpan(text: string): Span {
  const reply = replySpan(text);
  const spoken = { start: reply.start + thinkingEnd(sliceOf(text, reply)), end: reply.end };
  // An answer within the thoughts is one only where none follows them.
  const tagged = taggedSpan(text, spoken) ?? taggedSpan(text, reply);
  if (tagged !== null) return unfenced(text, boxedSpan(text, tagged) ?? tagged);
  const hasOnlyThoughts = spoken.start === reply.start && opening.test(sliceOf(text, reply));
  if (hasOnlyThoughts) return { start: reply.end, end: reply.end };
  return unfenced(text, boxedSpan(text, spoken) ?? spoken);
}

/** The first answer pair, or the first tag that nothing closes. */
function taggedSpan(text: string, within: Span): Span | null {
  const body = sliceOf(text, within);
  const pair = /<answer>([\s\S]*?)(?:<\/answer>|$)/i.exec(body);
  if (pair === null) return null;
  const start = within.start + pair.index + "<answer>".length;
  return { start, end: start + pair[1]!.length };
}

/** The inside of the last `\boxed{...}`, with the braces that it holds. */
function boxedSpan(text: string, within: Span): Span | null {
  const mark = "\\boxed{";
  const at = sliceOf(text, within).lastIndexOf(mark);
  if (at < 0) return null;
  let start = within.start + at + mark.length;
  let depth = 1;
  let end = start;
  while (end < within.end && depth > 0) {
    if (text[end] === "{") depth++;
    if (text[end] === "}") depth--;
    if (depth > 0) end++;
  }
  const wrapper = /^\\(?:text|mathrm|textbf)\{([^{}]*)\}$/.exec(text.slice(start, end));
  if (wrapper !== null) {
    end -= 1;
    start = end - wrapper[1]!.length;
  }
  return { start, end };
}

/** The inside of a code fence that is all there is. */
function unfenced(text: string, span: Span): Span {
  const body = sliceOf(text, span);
  const fence = /^\s*```[^\n`]*\n/.exec(body);
  if (fence === null) return span;
  const close = body.lastIndexOf("```");
  return { start: span.start + fence[0].length, end: close < fence[0].length ? span.end : span.start + close };
}

/** Behind the last closing tag of thoughts; 0 without one. */
function thinkingEnd(text: string): number {
  let end = 0;
  for (const { 0: tag, index } of text.matchAll(closings)) end = index + tag.length;
  return end;
}

function sliceOf(text: string, { start, end }: Span): string {
  return text.slice(start, end);
}

function trimmedWords(answer: string, marks: RegExp): string[] {
  return answerLabels(answer).flatMap((label) => {
    const word = label.replace(marks, "").trim();
    return word === "" ? [] : [word];
  });
}
