// The response format: `<think> reasoning </think><answer> emotion, emotion </answer>`, and the strict check behind
// R_fmt (Eq. 28): exactly one think pair, then exactly one answer pair, both non-empty, and only white space outside.
// What can be read from a malformed response is still returned, so that reports can show it; it earns no format reward.
import type { Span } from "./clause.ts";
import { replyText } from "./special-tokens.ts";

/** The inside of one tag pair: `response.slice(chars.start, chars.end) === text`, nothing trimmed. */
export interface ResponseField {
  readonly text: string;
  readonly chars: Span;
}

/**
 * Example: `<think>a loud voice.</think><answer>Angry; mad</answer>` gives labels `["angry", "mad"]`, wellFormed true and
 * no problem. Spans count UTF-16 units of the response as it was passed in.
 */
export interface ParsedResponse {
  /** First `<think>` pair; null when there is none. */
  readonly think: ResponseField | null;
  /** First `<answer>` pair; null when there is none. */
  readonly answer: ResponseField | null;
  /** Lower-case emotion words of the answer field; empty without one. */
  readonly labels: readonly string[];
  /** R_fmt as a boolean. */
  readonly wellFormed: boolean;
  /** Why wellFormed is false. */
  readonly problem?: string;
}

export interface ParseOptions {
  /** True when the token limit ended the completion: never well-formed, whatever the text says. */
  readonly truncated?: boolean;
}

const tags = ["<think>", "</think>", "<answer>", "</answer>"] as const;

/** Reads a completion's text. Total: any string has a result, a malformed one says why in `problem`. */
export function parseResponse(response: string, options: ParseOptions = {}): ParsedResponse {
  const think = firstField(response, "<think>", "</think>");
  const answer = firstField(response, "<answer>", "</answer>");
  const labels = answer === null ? [] : answerLabels(answer.text);
  const body = replyText(response);
  const problem = options.truncated === true ? "truncated" : findProblem(body, labels.length);
  return problem === null
    ? { think, answer, labels, wellFormed: true }
    : { think, answer, labels, wellFormed: false, problem };
}

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

/** Labels of any model's output, for benchmarks: the first answer pair (tags in any case), else the whole text. */
export function outputLabels(output: string): string[] {
  const match = /<answer>([\s\S]*?)<\/answer>/i.exec(output);
  return answerLabels(match?.[1] ?? output.trim());
}

function firstField(text: string, open: string, close: string): ResponseField | null {
  const tagStart = text.indexOf(open);
  if (tagStart < 0) return null;
  const start = tagStart + open.length;
  const end = text.indexOf(close, start);
  return end < 0 ? null : { text: text.slice(start, end), chars: { start, end } };
}

function findProblem(body: string, numLabels: number): string | null {
  const at: number[] = [];
  for (const tag of tags) {
    const first = body.indexOf(tag);
    if (first < 0) return `missing ${tag}`;
    if (body.indexOf(tag, first + 1) >= 0) return `more than one ${tag}`;
    at.push(first);
  }
  const [think, thinkEnd, answer, answerEnd] = at as [number, number, number, number];
  if (!(think < thinkEnd && thinkEnd < answer && answer < answerEnd)) return "tags out of order";
  if (body.slice(0, think).trim() !== "") return "text before <think>";
  if (body.slice(thinkEnd + tags[1].length, answer).trim() !== "") return "text between </think> and <answer>";
  if (body.slice(answerEnd + tags[3].length).trim() !== "") return "text after </answer>";
  if (body.slice(think + tags[0].length, thinkEnd).trim() === "") return "empty think";
  if (numLabels === 0) return "empty answer";
  return null;
}
