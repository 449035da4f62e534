// From what a file of predictions holds to labels: a label string as the official pipeline stores it, or a model's whole
// response whose answer tag is taken. Counts along the way what a reader of the score should know.

import type { RawLabels } from "../../data/ground-truth.ts";
import { normaliseLabels, parseLabelString, parseLabelsLeniently } from "../../emotion/labels.ts";
import type { LabelResolver } from "../../emotion/resolver.ts";
import { answerLabels, evaluatorAnswer, lenientAnswer, type ReadingMode, readingModes } from "../../text/answer.ts";
import { replyText } from "../../text/special-tokens.ts";
import type { ScoreNote, ScoringRules } from "./rules.ts";

/** "labels": a label string; "answer": a response with an answer tag. */
export type AnswerForm = "labels" | "answer";

const answerTag = /<answer>/i;
const responseTag = /<answer>|<\/think(?:ing)?>/i;
const manyLabels = 100;
/** Where a reader may see other labels than the official parser does; a cheap first look. */
const suspicious = /[;/|\n\u3001\u3002\uff0c\uff1b\uff3b\uff3d'"*]|^\s|\][\s\S]|\band\b|^\[\s*\[/;

/** Responses with tags in a file mean that all of its texts are responses. */
export function answerFormOf(texts: Iterable<RawLabels>): AnswerForm {
  for (const text of texts) if (typeof text === "string" && responseTag.test(text)) return "answer";
  return "labels";
}

/** How responses are read under a parser. */
export function readingOf(parser: ScoringRules["parser"]): ReadingMode {
  return parser === "official" ? "evaluator" : "lenient";
}

/**
 * The label string that is scored: of a response by the rule of the OPPO evaluator, or leniently; otherwise the text
 * without end and padding tokens, where it has some.
 */
export function labelString(text: RawLabels, form: AnswerForm, parser: ScoringRules["parser"]): RawLabels {
  if (typeof text !== "string") return text;
  if (form === "labels") return withoutSpecialTokens(text);
  const answer = readingOf(parser) === "evaluator" ? evaluatorAnswer(text).text : lenientAnswer(text);
  return `[${answerLabels(answer).join(", ")}]`;
}

/** White space alone is left to the parser. */
function withoutSpecialTokens(text: string): string {
  if (!/<|\[[A-Z]{3}/.test(text)) return text;
  const reply = replyText(text);
  return reply.length === text.trim().length ? text : reply;
}

export function parseLabels(text: RawLabels, parser: ScoringRules["parser"]): string[] {
  return normaliseLabels(parser === "official" ? parseLabelString(text) : parseLabelsLeniently(text));
}

/** What stands out in the predictions of one data set. Notes with count 0 are left out. */
export function answerNotes(
  texts: readonly RawLabels[],
  labels: readonly (readonly string[])[],
  resolver: LabelResolver,
  form: AnswerForm,
  parser: ScoringRules["parser"],
): ScoreNote[] {
  const seen = countLabels(labels, resolver);
  const isUntagged = (text: RawLabels) => typeof text === "string" && !answerTag.test(text);
  const numUntagged = form === "answer" ? texts.filter(isUntagged).length : 0;
  const isReadOtherwise = (text: RawLabels) => readsOtherwise(text, form, resolver);
  const numReadOtherwise = parser === "official" ? texts.filter(isReadOtherwise).length : 0;
  const note = (name: string, count: number, text: string, of?: number): ScoreNote =>
    of === undefined ? { name, count, text } : { name, count, of, text };
  const numRead = form === "answer" ? texts.length : 0;
  return [
    note("reading", numRead, `whole responses, read by the ${readingModes[readingOf(parser)]}`),
    note("empty-answers", seen.empty, "answers without a label, which count as wrong", labels.length),
    note(
      "unknown-labels",
      seen.unknown,
      "predicted labels out of the lexicon's vocabulary, which cost nothing",
      seen.labels,
    ),
    note(
      "neutral-predicted",
      seen.neutral,
      'predicted labels "neutral", which is on no wheel (--neutral group)',
      seen.labels,
    ),
    note(
      "mixed-alphabets",
      seen.mixed,
      "predicted labels of mixed alphabets (a look-alike letter?), which are not recognised",
    ),
    note(
      "sentences",
      seen.sentences,
      "predicted labels that are sentences by the look of them: officially a language model first extracts labels from them (--extract)",
      seen.labels,
    ),
    note("long-answers", seen.long, `answers of more than ${manyLabels} labels`),
    note(
      "untagged",
      numUntagged,
      "responses without an answer tag, whose whole text (or by --parser lenient what follows the thinking) is taken for the answer",
    ),
    note(
      "parser",
      numReadOtherwise,
      "answers that a reader would understand otherwise: separators, brackets or quotes that the official parser does not know (--parser lenient)",
      labels.length,
    ),
  ].filter(({ count }) => count > 0);
}

interface LabelCounts {
  labels: number;
  unknown: number;
  neutral: number;
  mixed: number;
  sentences: number;
  /** Answers, not labels. */
  empty: number;
  long: number;
}

function countLabels(labels: readonly (readonly string[])[], resolver: LabelResolver): LabelCounts {
  const known = new Map<string, boolean>();
  const counts: LabelCounts = { labels: 0, unknown: 0, neutral: 0, mixed: 0, sentences: 0, empty: 0, long: 0 };
  for (const list of labels) {
    if (list.length === 0) counts.empty++;
    if (list.length > manyLabels) counts.long++;
    counts.labels += list.length;
    for (const label of list) {
      let isKnown = known.get(label);
      if (isKnown === undefined) {
        isKnown = resolver.isKnown(label);
        if (known.size < maxKnown) known.set(label, isKnown);
      }
      if (isKnown) continue;
      if (isSentence(label)) counts.sentences++;
      counts.unknown++;
      if (label === "neutral") counts.neutral++;
      else if (isMixed(label)) counts.mixed++;
    }
  }
  return counts;
}

const maxKnown = 200_000;

/**
 * A label that no lexicon would have: five words, or three that say something of somebody; by the signs where words have no
 * spaces between them. Found without taking a long text apart.
 */
function isSentence(label: string): boolean {
  const start = label.slice(0, maxFiveWords);
  return /^\S+(?:\s+\S+){4}/.test(start) || shortSentence.test(start) || /\p{Script=Han}{8}/u.test(start);
}

const maxFiveWords = 200;
const shortSentence = /^(?:the|this|that|he|she|they|it|i|we|his|her|there|in)\s+\S+\s+\S/i;

/** Which answers hold a sentence where labels are expected. */
export function sentenceAnswers(labels: readonly (readonly string[])[], resolver: LabelResolver): number[] {
  const hasSentence = (list: readonly string[]) => list.some((label) => isSentence(label) && !resolver.isKnown(label));
  return labels.flatMap((list, i) => (hasSentence(list) ? [i] : []));
}

function isMixed(label: string): boolean {
  return /\p{Script=Latin}/u.test(label) && /[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(label);
}

/** Whether the lenient parser finds labels in other groups. */
function readsOtherwise(text: RawLabels, form: AnswerForm, resolver: LabelResolver): boolean {
  const official = labelString(text, form, "official");
  const lenient = labelString(text, form, "lenient");
  if (typeof official !== "string" || (official === lenient && !suspicious.test(official))) return false;
  const groups = (parser: ScoringRules["parser"]) => {
    const found = new Set(
      parseLabels(parser === "official" ? official : lenient, parser).map((label) => resolver.resolve(label).join()),
    );
    found.delete(resolver.metrics.map(() => -1).join());
    return [...found].sort().join(";");
  };
  return groups("official") !== groups("lenient");
}
