// The response format: `<think> reasoning </think><answer> emotion, emotion </answer>`, and the strict check behind
// R_fmt (Eq. 28): exactly one think pair, then exactly one answer pair, both non-empty, and only white space and end tokens
// outside. The opening `<think>` may be the prompt's: templates of thinking models end with it.
// What can be read from a malformed response is still returned, so that reports can show it; it earns no format reward.
import { answerWords } from "./answer.ts";
import type { Span } from "./clause.ts";
import { replySpan } from "./special-tokens.ts";

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
  /** First `<think>` pair, or what comes before `</think>` where the prompt may have opened it; null when there is none. */
  readonly think: ResponseField | null;
  /** First `<answer>` pair; null when there is none. */
  readonly answer: ResponseField | null;
  /** Lower-case emotion words of the answer field, without quotes around them; empty without one. */
  readonly labels: readonly string[];
  /** R_fmt as a boolean. */
  readonly wellFormed: boolean;
  /** Why wellFormed is false. */
  readonly problem?: string;
}

export interface ParseOptions {
  /** True when the token limit ended the completion: never well-formed, whatever the text says. */
  readonly truncated?: boolean;
  /**
   * Whether the prompt ended with an open `<think>`, so that the completion begins inside it. False: it did not, and the
   * completion must open it. Left out where the prompt is not known: the tag is not asked for then.
   */
  readonly thinkIsOpen?: boolean | undefined;
}

const tags = ["<think>", "</think>", "<answer>", "</answer>"] as const;

/** Whether a prompt's text ends with a think tag that it leaves open, as the templates of thinking models do. */
export function opensThinking(prompt: string): boolean {
  return prompt.trimEnd().endsWith("<think>");
}

/** Reads a completion's text. Total: any string has a result, a malformed one says why in `problem`. */
export function parseResponse(response: string, options: ParseOptions = {}): ParsedResponse {
  const within = replySpan(response);
  const thinkIsOpen = options.thinkIsOpen ?? true;
  const opened = thinkIsOpen ? openedField(response, within) : null;
  const think = opened ?? firstField(response, within, "<think>", "</think>");
  const answer = firstField(response, within, "<answer>", "</answer>");
  const labels = answer === null ? [] : answerWords(answer.text);
  const body = response.slice(within.start, within.end);
  const problem = options.truncated === true ? "truncated" : findProblem(body, labels.length, thinkIsOpen);
  return problem === null
    ? { think, answer, labels, wellFormed: true }
    : { think, answer, labels, wellFormed: false, problem };
}

function firstField(text: string, within: Span, open: string, close: string): ResponseField | null {
  const tagStart = text.indexOf(open, within.start);
  if (tagStart < 0) return null;
  const start = tagStart + open.length;
  const end = text.indexOf(close, start);
  return end < 0 || end + close.length > within.end ? null : { text: text.slice(start, end), chars: { start, end } };
}

/** What stands before the first `</think>` where nothing in the completion opens it. */
function openedField(text: string, within: Span): ResponseField | null {
  const end = text.indexOf("</think>", within.start);
  const isOpened = end >= 0 && end < within.end && !text.slice(within.start, end).includes("<think>");
  return isOpened ? { text: text.slice(within.start, end), chars: { start: within.start, end } } : null;
}

function findProblem(body: string, numLabels: number, thinkIsOpen: boolean): string | null {
  const at: number[] = [];
  for (const tag of tags) {
    const first = body.indexOf(tag);
    const mayBeInPrompt = tag === "<think>" && thinkIsOpen && body.includes("</think>");
    if (first < 0 && !mayBeInPrompt) return `missing ${tag}`;
    if (first >= 0 && body.indexOf(tag, first + 1) >= 0) return `more than one ${tag}`;
    at.push(first);
  }
  const [think, thinkEnd, answer, answerEnd] = at as [number, number, number, number];
  if (!(think < thinkEnd && thinkEnd < answer && answer < answerEnd)) return "tags out of order";
  if (think >= 0 && body.slice(0, think).trim() !== "") return "text before <think>";
  if (body.slice(thinkEnd + tags[1].length, answer).trim() !== "") return "text between </think> and <answer>";
  if (body.slice(answerEnd + tags[3].length).trim() !== "") return "text after </answer>";
  if (body.slice(think < 0 ? 0 : think + tags[0].length, thinkEnd).trim() === "") return "empty think";
  if (numLabels === 0) return "empty answer";
  return null;
}
