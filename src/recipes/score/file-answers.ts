// The answers of one file for one set, as they are scored: in the set's order, and as labels. A file of sentences is no
// prediction yet: a language model has to take the labels out, or the file is refused.
import {
  type AnswerForm,
  answerFormOf,
  labelString,
  parseLabels,
  sentenceAnswers,
} from "../../bench/mer-unibench/answers.ts";
import type { ScoreNote, ScoringRules } from "../../bench/mer-unibench/rules.ts";
import type { SetMetric } from "../../bench/mer-unibench/score-set.ts";
import type { GroundTruth, RawLabels } from "../../data/ground-truth.ts";
import { type Aligned, alignPredictions } from "../../data/scoring/align.ts";
import { type ColumnChoice, type Predictions, readPredictions } from "../../data/scoring/predictions.ts";
import type { LabelResolver } from "../../emotion/resolver.ts";
import { OppoError } from "../../error.ts";

/** Takes labels out of sentences. */
export interface LabelExtractor {
  /** Stamped into reports. */
  readonly name: string;
  /** One label string per text, in order; null where the reply was of no use. */
  extract(texts: readonly string[]): Promise<readonly (string | null)[]>;
}

export interface FileAnswers {
  readonly predictions: Predictions;
  /** One per row of the truth. */
  readonly texts: readonly RawLabels[];
  readonly form: AnswerForm;
  readonly extractor: string | null;
  readonly notes: readonly ScoreNote[];
}

export interface ReadingOptions {
  readonly columns: ColumnChoice;
  readonly missing: "refuse" | "empty";
  readonly rules: ScoringRules;
  readonly resolver: LabelResolver;
  readonly extractor: LabelExtractor | null;
}

/** From this share of a file's answers on, it holds sentences and not labels. */
const sentenceShare = 0.5;

/** @throws DatasetError ERR_SCORE_FILE and its siblings, OppoError ERR_SCORE_SENTENCES, ERR_SCORE_EXTRACT */
export async function fileAnswers(
  file: { readonly path: string; readonly insteadOf: string | null },
  truth: GroundTruth,
  metric: SetMetric,
  options: ReadingOptions,
): Promise<FileAnswers> {
  const predictions = readPredictions(file.path, options.columns);
  const aligned = alignPredictions(truth, predictions, options.missing);
  const notes = [...siblingNotes(file, truth), ...fileNotes(truth, predictions, aligned)];
  const form = answerFormOf(aligned.texts);
  const asRead = { predictions, texts: aligned.texts, form, extractor: null, notes };
  // Single-label recognition has a rule for whole texts, and polarity words are no sentences.
  if (metric === "war" || predictions.isPolarity) return asRead;
  const { parser } = options.rules;
  const strings = aligned.texts.map((text) => labelString(text, form, parser));
  const labels = strings.map((text) => parseLabels(text, parser));
  const sentences = sentenceAnswers(labels, options.resolver);
  const numAnswers = labels.filter((list) => list.length > 0).length;
  if (sentences.length <= sentenceShare * numAnswers) return asRead;
  if (options.extractor === null) throw sentencesError(file.path, sentences.length, numAnswers, labels[sentences[0]!]!);
  const extracted = await extractedLabels(strings, options.extractor);
  return {
    ...asRead,
    form: "labels",
    extractor: options.extractor.name,
    ...extracted,
    notes: [...notes, ...extracted.notes],
  };
}

async function extractedLabels(strings: readonly RawLabels[], extractor: LabelExtractor) {
  const texts = strings.map((text) => (typeof text === "string" ? text : (text ?? []).join(", ")).trim());
  const asked = texts.flatMap((text, i) => (text === "" ? [] : [i]));
  const replies = await extractor.extract(asked.map((i) => texts[i]!));
  const result: RawLabels[] = texts.map(() => null);
  for (const [r, i] of asked.entries()) result[i] = replies[r] ?? null;
  const numUnread = replies.filter((reply) => reply === null).length;
  const notes: ScoreNote[] = [
    {
      name: "extracted",
      count: asked.length,
      of: texts.length,
      text: `answers in sentences, whose labels ${extractor.name} took out`,
    },
    {
      name: "unread-extractions",
      count: numUnread,
      of: asked.length,
      text: "replies of the extracting model that are no list of labels, whose answers count as empty",
    },
  ];
  return { texts: result, notes: notes.filter(({ count }) => count > 0) };
}

const maxShown = 80;

function sentencesError(file: string, count: number, numAnswers: number, example: readonly string[]): OppoError {
  return new OppoError(
    "ERR_SCORE_SENTENCES",
    `${file}: expected labels such as "[happy, relieved]", got sentences in ${count} of ${numAnswers} answers ` +
      `(${JSON.stringify(example.join(", ").slice(0, maxShown))}). Their labels have to be taken out first, as officially a language ` +
      "model does: --extract URL#MODEL, such as --extract http://localhost:8000/v1#Qwen/Qwen2.5-7B-Instruct; or score the -openset.npz file.",
  );
}

function siblingNotes(
  file: { readonly path: string; readonly insteadOf: string | null },
  truth: GroundTruth,
): ScoreNote[] {
  if (file.insteadOf === null) return [];
  const text = `samples whose labels are taken from the file beside ${file.insteadOf}, made of it by a language model`;
  return [{ name: "sibling", count: truth.rows.size, text, detail: file.path }];
}

function fileNotes(truth: GroundTruth, predictions: Predictions, aligned: Aligned): ScoreNote[] {
  const repeatedTruth = truth.repeatedNames ?? [];
  const notes: ScoreNote[] = [
    {
      name: "missing",
      count: aligned.missing.length,
      of: truth.rows.size,
      text: "samples without a prediction, which count as empty answers",
    },
    {
      name: "unknown-samples",
      count: aligned.unknown.length,
      of: predictions.texts.size,
      text: "predictions for samples that the set does not have",
      detail: some(aligned.unknown),
    },
    {
      name: "repeated",
      count: predictions.repeatedNames.length,
      text: "predictions that come twice, with the same text",
      detail: some(predictions.repeatedNames),
    },
    {
      name: "by-stem",
      count: aligned.numByStem,
      of: truth.rows.size,
      text: "names that agree with the set's only without folder and extension",
    },
    {
      name: "repeated-truth",
      count: repeatedTruth.length,
      text: "names that come twice in the annotation, where the last counts",
      detail: some(repeatedTruth),
    },
  ];
  return notes.filter(({ count }) => count > 0);
}

const maxNamed = 3;

function some(names: readonly string[]): string {
  const rest = names.length - maxNamed;
  return names.slice(0, maxNamed).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
