// `oppo score`: predictions of one or more systems on one or more data sets, with the benchmark's mean where all nine are
// there, and the systems compared in pairs.
import type { BootstrapOptions } from "../../bench/bootstrap.ts";
import { answerFormOf, labelString } from "../../bench/mer-unibench/answers.ts";
import { benchmarkSets, type MeanScore, meanOfSets, pairedScores } from "../../bench/mer-unibench/compare.ts";
import { lexiconJudge, type PolarityJudge } from "../../bench/mer-unibench/polarity-judge.ts";
import { publishedRules, type ScoreNote, type ScoringRules } from "../../bench/mer-unibench/rules.ts";
import {
  defaultMetric,
  type ScoredSet,
  type SetMetric,
  type SetScore,
  scoreSet,
} from "../../bench/mer-unibench/score-set.ts";
import type { Metric, PairedDifference } from "../../bench/report.ts";
import type { GroundTruth, RawLabels } from "../../data/ground-truth.ts";
import { type Aligned, alignPredictions } from "../../data/scoring/align.ts";
import { predictionFiles } from "../../data/scoring/prediction-files.ts";
import { type ColumnChoice, type Predictions, readPredictions } from "../../data/scoring/predictions.ts";
import { labelResolver } from "../../emotion/resolver.ts";
import { type EmotionLexicon, lexiconHash } from "../../emotion/wheel.ts";
import { OppoError } from "../../error.ts";

export type CheckpointProtocol = "final" | "best";

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
  readonly bootstrap: BootstrapOptions;
}

export interface SystemSet extends SetScore {
  /** What tables call it: the data set, and the split where several of one set are scored. */
  readonly title: string;
  readonly file: string;
  readonly checkpoint: number | null;
  /** How many the one was chosen from. */
  readonly numCheckpoints: number;
  /** Who said what is positive; null for other sets. */
  readonly polaritySource: string | null;
}

export interface SystemScore {
  readonly name: string;
  readonly sets: readonly SystemSet[];
  /** Of the primary numbers; null for one set only. */
  readonly mean: Metric | null;
}

export interface Comparison {
  readonly first: string;
  readonly second: string;
  /** A data set, or "mean". */
  readonly on: string;
  readonly difference: PairedDifference;
}

export interface ScoreReport {
  readonly lexicon: { readonly name: string; readonly hash: string };
  readonly rules: ScoringRules;
  readonly bootstrap: BootstrapOptions;
  readonly checkpoints: CheckpointProtocol;
  /** Whether the mean is that of MER-UniBench: all of its nine sets, and no other. */
  readonly isBenchmark: boolean;
  readonly systems: readonly SystemScore[];
  readonly comparisons: readonly Comparison[];
}

/** The rules that reproduce the official scorer which a lexicon belongs to. */
export function rulesFor(lexicon: EmotionLexicon): ScoringRules {
  return lexicon.name === "mer2026" ? { ...publishedRules, undefinedWheel: "zero" } : publishedRules;
}

interface Candidate {
  readonly scored: ScoredSet;
  readonly details: Omit<SystemSet, keyof SetScore>;
}

export async function score(request: ScoreRequest): Promise<ScoreReport> {
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
  const titles = truths.map(({ dataset }) => dataset);
  return {
    lexicon: { name: lexicon.name, hash: lexiconHash(lexicon) },
    rules: request.rules,
    bootstrap,
    checkpoints: request.checkpoints,
    isBenchmark: titles.length === benchmarkSets.length && benchmarkSets.every((name) => titles.includes(name)),
    systems: results.map(({ name, sets, mean }) => ({
      name,
      sets: sets.map(({ scored, details }) => ({ ...scored.score, ...details })),
      mean: mean?.metric ?? null,
    })),
    comparisons: comparisons(results, bootstrap.confidence),
  };
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

interface ChosenFile {
  readonly path: string;
  readonly checkpoint: number | null;
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
  const predictions = readPredictions(file.path, request.columns);
  const aligned = alignPredictions(truth, predictions, request.missing);
  const form = answerFormOf(aligned.texts);
  const metric = request.metric ?? defaultMetric(truth);
  const polarity = truth.kind === "sentiment" ? await polarities(aligned.texts, predictions, request) : null;
  const input = { truth, metric, texts: aligned.texts, form, polarities: polarity?.replies ?? null };
  const scored = scoreSet(input, { resolver, rules: request.rules, bootstrap: request.bootstrap });
  const notes = [...fileNotes(truth, predictions, aligned), ...scored.score.notes];
  return {
    scored: { ...scored, score: { ...scored.score, notes } },
    details: {
      title: titleOf(truth, request.truths),
      file: file.path,
      checkpoint: file.checkpoint,
      numCheckpoints: file.numCheckpoints,
      polaritySource: polarity?.source ?? null,
    },
  };
}

function titleOf({ dataset, split }: GroundTruth, truths: readonly GroundTruth[]): string {
  const isAlone = truths.filter((other) => other.dataset === dataset).length === 1;
  return isAlone || split === undefined ? dataset : `${dataset} ${split}`;
}

/** The source of polarities that the predictions have already. */
export const givenPolarity = "given";

const polarityWords = ["positive", "negative", "neutral"];

/** Given words as they are, with their flaws; label strings by the judge. */
async function polarities(texts: readonly RawLabels[], { isPolarity }: Predictions, request: ScoreRequest) {
  const isWord = (text: RawLabels) => typeof text === "string" && polarityWords.includes(text.trim().toLowerCase());
  if (isPolarity || (texts.length > 0 && texts.every((text) => text === null || isWord(text)))) {
    return { source: givenPolarity, replies: texts.map((text) => (typeof text === "string" ? text : "")) };
  }
  const judge = request.judge ?? lexiconJudge(request.lexicon);
  const form = answerFormOf(texts);
  const strings = texts.map((text) => {
    const string = labelString(text, form, request.rules.parser);
    return typeof string === "string" ? string : `[${(string ?? []).join(", ")}]`;
  });
  return { source: judge.name, replies: await judge.judge(strings) };
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

function comparisons(
  results: readonly { readonly name: string; readonly sets: readonly Candidate[]; readonly mean: MeanScore | null }[],
  confidence: number,
): Comparison[] {
  const pairs = results.flatMap((first, i) => results.slice(i + 1).map((second) => [first, second] as const));
  const measured = ({ scored: { score: set, draws } }: Candidate) => ({ metric: set.metrics[set.primary]!, draws });
  return pairs.flatMap(([first, second]) => {
    const perSet = first.sets.map((set, s) => ({
      on: set.details.title,
      difference: pairedScores(measured(set), measured(second.sets[s]!), confidence),
    }));
    const mean =
      first.mean === null || second.mean === null
        ? []
        : [{ on: "mean", difference: pairedScores(first.mean, second.mean, confidence) }];
    return [...perSet, ...mean].map((row) => ({ first: first.name, second: second.name, ...row }));
  });
}
