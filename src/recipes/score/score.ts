// `oppo score`: predictions of one or more systems on one or more data sets, with the benchmark's mean where all nine are
// there, and the systems compared in pairs.
import type { BootstrapOptions } from "../../bench/bootstrap.ts";
import { type AnswerForm, labelString } from "../../bench/mer-unibench/answers.ts";
import { benchmarkSets, type MeanScore, meanOfSets } from "../../bench/mer-unibench/compare.ts";
import { lexiconJudge, type PolarityJudge } from "../../bench/mer-unibench/polarity-judge.ts";
import { publishedRules, type ScoringRules } from "../../bench/mer-unibench/rules.ts";
import {
  defaultMetric,
  type ScoredSet,
  type SetMetric,
  type SetScore,
  scoreSet,
} from "../../bench/mer-unibench/score-set.ts";
import type { GroundTruth, RawLabels } from "../../data/ground-truth.ts";
import { type PredictionFile, predictionFiles } from "../../data/scoring/prediction-files.ts";
import type { ColumnChoice, Predictions } from "../../data/scoring/predictions.ts";
import { labelResolver } from "../../emotion/resolver.ts";
import { type EmotionLexicon, lexiconHash } from "../../emotion/wheel.ts";
import { OppoError } from "../../error.ts";
import { comparisons } from "./comparisons.ts";
import { fileAnswers, type LabelExtractor } from "./file-answers.ts";
import {
  type CheckpointProtocol,
  givenPolarity,
  type LeftOutSet,
  type PartialBenchmark,
  type ScoreReport,
  type SystemSet,
} from "./report.ts";

export interface ScoreRequest {
  readonly systems: readonly { readonly name: string; readonly path: string }[];
  readonly truths: readonly GroundTruth[];
  readonly lexicon: EmotionLexicon;
  readonly rules: ScoringRules;
  readonly metric: SetMetric | null;
  readonly checkpoints: CheckpointProtocol;
  readonly missing: "refuse" | "empty";
  readonly columns: ColumnChoice;
  /** For sentiment sets whose predictions are not polarity words already; null: the wheels. */
  readonly judge: PolarityJudge | null;
  /** For files of sentences; null or left out: they are refused. */
  readonly extractor?: LabelExtractor | null;
  /** Sets of the benchmark that are left out where they are missing, in the data or in a system's folder; left out: none may be. */
  readonly partial?: { readonly leftOut: readonly LeftOutSet[] } | null;
  readonly bootstrap: BootstrapOptions;
}

/** The rules that reproduce the official scorer which a lexicon belongs to. */
export function rulesFor(lexicon: EmotionLexicon): ScoringRules {
  return lexicon.name === "mer2026" ? { ...publishedRules, undefinedWheel: "zero" } : publishedRules;
}

interface Candidate {
  readonly scored: ScoredSet;
  readonly details: Omit<SystemSet, keyof SetScore>;
}

/** @throws OppoError ERR_SCORE_CHECKPOINT, ERR_SCORE_SENTENCES, DatasetError ERR_SCORE_FILE and its siblings */
export async function score(given: ScoreRequest): Promise<ScoreReport> {
  const { request, partial } = withoutMissing(given);
  const { systems, truths, lexicon, bootstrap } = request;
  const resolver = labelResolver(lexicon, { neutralIsGroup: request.rules.neutral === "group", wheelsOnly: true });
  const results: { name: string; sets: Candidate[]; mean: MeanScore | null }[] = [];
  for (const system of systems) {
    const sets: Candidate[] = [];
    const final = finalCheckpoint(system.path, request);
    for (const truth of truths) {
      const candidates: Candidate[] = [];
      for (const file of filesOf(system.path, truth, request, final)) {
        candidates.push(await scoreFile(file, truth, request, resolver));
      }
      sets.push(best(candidates));
    }
    const scored = sets.map((set) => set.scored);
    results.push({ name: system.name, sets, mean: sets.length > 1 ? meanOfSets(scored, bootstrap.confidence) : null });
  }
  return {
    lexicon: { name: lexicon.name, hash: lexiconHash(lexicon) },
    rules: request.rules,
    bootstrap,
    checkpoints: request.checkpoints,
    isBenchmark: isBenchmark(truths),
    partial,
    systems: results.map(({ name, sets, mean }) => ({
      name,
      sets: sets.map(({ scored, details }) => ({ ...scored.score, ...details })),
      mean: mean?.metric ?? null,
    })),
    comparisons: comparisons(results, bootstrap.confidence),
  };
}

function isBenchmark(truths: readonly GroundTruth[]): boolean {
  const titles = truths.map(({ dataset }) => dataset);
  return titles.length === benchmarkSets.length && benchmarkSets.every((name) => titles.includes(name));
}

/** Where a part of the benchmark will do: the sets that are there, with predictions of every system. */
function withoutMissing(request: ScoreRequest): { request: ScoreRequest; partial: PartialBenchmark | null } {
  const { partial, systems, truths } = request;
  if (partial === undefined || partial === null) return { request, partial: null };
  const leftOut = [...partial.leftOut];
  const kept = truths.filter((truth) => {
    const without = systems.filter(({ path }) => !hasPredictions(path, truth)).map(({ name }) => name);
    if (without.length > 0) leftOut.push({ dataset: truth.dataset, why: `no predictions of ${without.join(", ")}` });
    return without.length === 0;
  });
  if (leftOut.length === 0) return { request, partial: null };
  if (kept.length === 0) {
    const reasons = leftOut.map(({ dataset, why }) => `${dataset}: ${why}`).join("; ");
    throw new OppoError(
      "ERR_SCORE_TRUTH",
      `--partial: expected at least one set of the benchmark, got none (${reasons}). Check --root and the predictions.`,
    );
  }
  const numAll = kept.length + leftOut.length;
  return { request: { ...request, truths: kept }, partial: { numSets: kept.length, numAll, leftOut } };
}

function hasPredictions(path: string, truth: GroundTruth): boolean {
  try {
    return predictionFiles(path, truth.dataset, wantsPolarity(truth)).length > 0;
  } catch (error) {
    if (error instanceof OppoError && error.code === "ERR_SCORE_FILE") return false;
    throw error;
  }
}

const wantsPolarity = (truth: GroundTruth) => truth.kind === "sentiment";

/** The last checkpoint that any set has: under the "final" protocol every set must be scored with it. */
function finalCheckpoint(path: string, { truths }: ScoreRequest): number | null {
  const numbers = truths.flatMap((truth) =>
    predictionFiles(path, truth.dataset, wantsPolarity(truth)).map(({ checkpoint }) => checkpoint ?? -1),
  );
  const last = Math.max(-1, ...numbers);
  return last < 0 ? null : last;
}

interface ChosenFile extends PredictionFile {
  readonly numCheckpoints: number;
}

function filesOf(path: string, truth: GroundTruth, request: ScoreRequest, final: number | null): ChosenFile[] {
  const files = predictionFiles(path, truth.dataset, wantsPolarity(truth));
  const chosen = request.checkpoints === "best" ? files : files.filter(({ checkpoint }) => checkpoint === final);
  if (chosen.length === 0 || (request.checkpoints === "final" && chosen.length > 1)) {
    const got = files.map((file) => file.path).join(", ");
    throw new OppoError(
      "ERR_SCORE_CHECKPOINT",
      `${path}: expected one file of the final checkpoint${final === null ? "" : ` ${final}`} for ${truth.dataset}, got ${got}. ` +
        "Predict every set with the same checkpoint, or score the best per set with --checkpoints best.",
    );
  }
  return chosen.map((file) => ({ ...file, numCheckpoints: files.length }));
}

function best(candidates: readonly Candidate[]): Candidate {
  const value = ({ scored: { score: set } }: Candidate) => set.metrics[set.primary]!.value ?? Number.NEGATIVE_INFINITY;
  return candidates.reduce((chosen, candidate) => (value(candidate) > value(chosen) ? candidate : chosen));
}

async function scoreFile(
  file: ChosenFile,
  truth: GroundTruth,
  request: ScoreRequest,
  resolver: ReturnType<typeof labelResolver>,
): Promise<Candidate> {
  const metric = request.metric ?? defaultMetric(truth);
  const options = { ...request, resolver, extractor: request.extractor ?? null };
  const { predictions, texts, form, extractor, notes } = await fileAnswers(file, truth, metric, options);
  const polarity = truth.kind === "sentiment" ? await polarities(texts, form, predictions, request) : null;
  const input = { truth, metric, texts, form, polarities: polarity?.replies ?? null };
  const scored = scoreSet(input, { resolver, rules: request.rules, bootstrap: request.bootstrap });
  return {
    scored: { ...scored, score: { ...scored.score, notes: [...notes, ...scored.score.notes] } },
    details: {
      title: titleOf(truth, request.truths),
      file: file.path,
      checkpoint: file.checkpoint,
      numCheckpoints: file.numCheckpoints,
      polaritySource: polarity?.source ?? null,
      extractor,
    },
  };
}

function titleOf({ dataset, split }: GroundTruth, truths: readonly GroundTruth[]): string {
  const isAlone = truths.filter((other) => other.dataset === dataset).length === 1;
  // A fold is always named: the literature's numbers are of one or of all five.
  return split === undefined || (isAlone && !split.startsWith("fold")) ? dataset : `${dataset} ${split}`;
}

const polarityWords = ["positive", "negative", "neutral"];

/** Given words as they are, with their flaws; label strings by the judge. */
async function polarities(
  texts: readonly RawLabels[],
  form: AnswerForm,
  { isPolarity }: Predictions,
  request: ScoreRequest,
) {
  const isWord = (text: RawLabels) => typeof text === "string" && polarityWords.includes(text.trim().toLowerCase());
  if (isPolarity || (texts.length > 0 && texts.every((text) => text === null || isWord(text)))) {
    return { source: givenPolarity, replies: texts.map((text) => (typeof text === "string" ? text : "")) };
  }
  const judge = request.judge ?? lexiconJudge(request.lexicon);
  const strings = texts.map((text) => {
    const string = labelString(text, form, request.rules.parser);
    return typeof string === "string" ? string : `[${(string ?? []).join(", ")}]`;
  });
  return { source: judge.name, replies: await judge.judge(strings) };
}
