// One system on one data set: the primary number with its interval, what stands beside it, the counts behind it, and the
// notes that a reader needs. The kind of the annotation decides the metric.
import type { DiscreteTruth, GroundTruth, OpenTruth, RawLabels, SentimentTruth } from "../../data/ground-truth.ts";
import type { LabelResolver } from "../../emotion/resolver.ts";
import { deriveSeed } from "../../seeds.ts";
import type { BootstrapOptions } from "../bootstrap.ts";
import type { Metric } from "../report.ts";
import { type AnswerForm, answerNotes, labelString, parseLabels } from "./answers.ts";
import { type Confusion, confusionOf, inLabelSpace, namedClass, recallStatistic, recallTable } from "./class-recall.ts";
import { hitStatistic, hitTable, numUndecided, wheelHits } from "./hit-rate.ts";
import type { ScoreNote, ScoringRules } from "./rules.ts";
import { lenientPolarity, officialPolarity, sentimentStatistic, sentimentTable } from "./sentiment.ts";
import {
  bootstrapScores,
  columnOf,
  metricOf,
  type SumStatistic,
  type SumTable,
  scoresOf,
  sumsOf,
} from "./sum-table.ts";
import { precisionRecall, type WheelRow, wheelF1Statistic, wheelF1Table, wheelMetrics } from "./wheel-f1.ts";
import { placementNotes, wheelNotes } from "./wheel-notes.ts";

export type SetMetric = "ew" | "hit" | "waf" | "war";

/** What people call them. */
export const metricTitles: Readonly<Record<SetMetric, string>> = {
  ew: "EW F1",
  hit: "hit rate",
  waf: "weighted F",
  war: "WAR",
};

export interface SetScore {
  readonly dataset: string;
  /** Null where the ground truth is a file. */
  readonly split: string | null;
  readonly metric: SetMetric;
  readonly numSamples: number;
  /** Name in `metrics` of the number that tables print. */
  readonly primary: string;
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly wheels: readonly WheelRow[];
  readonly confusion: Confusion | null;
  /** Mean number of labels per answer; null where answers are not lists. */
  readonly meanLabels: number | null;
  readonly notes: readonly ScoreNote[];
}

export interface ScoredSet {
  readonly score: SetScore;
  /** The primary number of every resample; the same seed and names pair with another system's. */
  readonly draws: Float64Array;
}

export interface SetInput {
  readonly truth: GroundTruth;
  readonly metric: SetMetric;
  /** One per row of the truth, in its order. */
  readonly texts: readonly RawLabels[];
  readonly form: AnswerForm;
  /** Replies of a judge, or given polarity words; only for sentiment. */
  readonly polarities: readonly string[] | null;
}

export interface SetScorer {
  readonly resolver: LabelResolver;
  readonly rules: ScoringRules;
  readonly bootstrap: BootstrapOptions;
}

/** The metric of a data set: R1-Omni's sets are scored by recall, the rest by the benchmark's rule for their kind. */
export function defaultMetric(truth: Pick<GroundTruth, "kind" | "dataset">): SetMetric {
  if (truth.kind === "open") return "ew";
  if (truth.kind === "sentiment") return "waf";
  return ["DFEW", "MAFW", "RAVDESS"].includes(truth.dataset) ? "war" : "hit";
}

export function scoreSet(input: SetInput, scorer: SetScorer): ScoredSet {
  const { truth, metric } = input;
  if (truth.kind === "open") return scoreOpen(truth, input, scorer);
  if (truth.kind === "sentiment") return scoreSentiment(truth, input, scorer);
  return metric === "war" ? scoreClasses(truth, input, scorer) : scoreHits(truth, input, scorer);
}

interface Parts {
  readonly table: SumTable;
  readonly statistic: SumStatistic;
  readonly count: number;
  readonly wheels?: readonly WheelRow[];
  readonly confusion?: Confusion;
  readonly meanLabels?: number;
  readonly notes: readonly ScoreNote[];
}

function finish({ truth, metric }: SetInput, { bootstrap }: SetScorer, parts: Parts): ScoredSet {
  const { table, statistic, count } = parts;
  const { names } = statistic;
  const values = scoresOf(table, statistic);
  const draws = bootstrapScores(table, statistic, {
    ...bootstrap,
    seed: deriveSeed(bootstrap.seed, "resamples", truth.dataset),
  });
  const columns = names.map((_, i) => columnOf(draws, i, names.length));
  const metrics = names.map(
    (name, i) => [name, metricOf(values[i]!, columns[i]!, count, bootstrap.confidence)] as const,
  );
  return {
    draws: columns[0]!,
    score: {
      dataset: truth.dataset,
      split: truth.split ?? null,
      metric,
      numSamples: truth.rows.size,
      primary: names[0]!,
      metrics: Object.fromEntries(metrics),
      wheels: parts.wheels ?? [],
      confusion: parts.confusion ?? null,
      meanLabels: parts.meanLabels ?? null,
      notes: parts.notes.filter(({ count: times }) => times > 0),
    },
  };
}

const orNull = (value: number) => (Number.isNaN(value) ? null : value);

function predictedLabels({ texts, form }: SetInput, { resolver, rules }: SetScorer) {
  const labels = texts.map((text) => parseLabels(labelString(text, form, rules.parser), rules.parser));
  const numLabels = labels.reduce((sum, list) => sum + list.length, 0);
  return {
    labels,
    meanLabels: labels.length === 0 ? 0 : numLabels / labels.length,
    notes: answerNotes(texts, labels, resolver, form, rules.parser),
  };
}

function scoreOpen(truth: OpenTruth, input: SetInput, scorer: SetScorer): ScoredSet {
  const { resolver, rules } = scorer;
  const gold = [...truth.rows.values()].map((text) => parseLabels(text, rules.parser));
  const { labels, meanLabels, notes } = predictedLabels(input, scorer);
  const table = wheelF1Table(resolver, gold, labels);
  const sums = sumsOf(table);
  const wheels = (["level1", "level2"] as const).flatMap((level) =>
    wheelMetrics(resolver, level).map((index): WheelRow => {
      const { precision, recall, f1, numScored } = precisionRecall(sums, index, rules.undefinedWheel);
      const scores = { f1: orNull(f1), precision: orNull(precision), recall: orNull(recall) };
      return { wheel: resolver.metrics[index]!.wheel!, level, scores, numScored };
    }),
  );
  const count = gold.filter((list) => list.some((label) => resolver.isKnown(label))).length;
  return finish(input, scorer, {
    table,
    statistic: wheelF1Statistic(resolver, rules.undefinedWheel),
    count,
    wheels,
    meanLabels,
    notes: [...notes, ...wheelNotes(wheels, gold, resolver, rules)],
  });
}

function scoreHits(truth: DiscreteTruth, input: SetInput, scorer: SetScorer): ScoredSet {
  const { resolver, rules } = scorer;
  const gold = [...truth.rows.values()].map((label) => parseLabels(label, "official")[0] ?? "");
  const { labels, meanLabels, notes } = predictedLabels(input, scorer);
  const table = hitTable(resolver, gold, labels);
  const sums = sumsOf(table);
  const wheels = wheelMetrics(resolver, "level1").map((index, w): WheelRow => {
    const { hitRate, guarded, numScored } = wheelHits(sums, w, rules.undefinedWheel);
    const wheel = resolver.metrics[index]!.wheel!;
    return { wheel, level: "level1", scores: { hitRate: orNull(hitRate), guarded: orNull(guarded) }, numScored };
  });
  const count = gold.filter((label) => resolver.isKnown(label)).length;
  return finish(input, scorer, {
    table,
    statistic: hitStatistic(wheels.length, rules.undefinedWheel),
    count,
    wheels,
    meanLabels,
    notes: [
      ...notes,
      ...wheelNotes(
        wheels,
        gold.map((label) => [label]),
        resolver,
        rules,
      ),
      ...placementNotes(gold, resolver),
      {
        name: "no-penalty",
        count: numUndecided(table),
        of: gold.length,
        text: "hits of answers that name other groups of the set too: hit rate has no penalty for that, the guard score has",
      },
    ],
  });
}

function scoreClasses(truth: DiscreteTruth, input: SetInput, scorer: SetScorer): ScoredSet {
  const { rules } = scorer;
  const space = truth.labels.length > 0 ? truth.labels : [...new Set(truth.rows.values())];
  const gold = [...truth.rows.values()].map((label) => inLabelSpace(label, space) ?? label);
  const named = input.texts.map((text) => namedClass(textOf(text), space, rules.singleLabel));
  const numOutside = named.filter((label) => label === null).length;
  const otherRule = rules.singleLabel === "answer" ? "raw" : "answer";
  const numOtherwise = input.texts.filter((text, i) => namedClass(textOf(text), space, otherRule) !== named[i]).length;
  return finish(input, scorer, {
    table: recallTable(gold, named),
    statistic: recallStatistic,
    count: gold.length,
    confusion: confusionOf(gold, named),
    notes: [
      {
        name: "outside",
        count: numOutside,
        of: gold.length,
        text: "answers outside the label space, which count as wrong",
      },
      {
        name: "single-label",
        count: numOtherwise,
        of: gold.length,
        text: {
          answer:
            "answers that R1-Omni's script would judge otherwise: it compares the raw response (--single-label raw)",
          raw: "responses whose answer, taken out of its tag and spelling, is another (--single-label answer)",
        }[rules.singleLabel],
      },
    ],
  });
}

const textOf = (text: RawLabels) => (typeof text === "string" ? text : (text ?? []).join(", "));

function scoreSentiment(truth: SentimentTruth, input: SetInput, scorer: SetScorer): ScoredSet {
  const { rules } = scorer;
  const gold = [...truth.rows.values()];
  const replies = input.polarities ?? gold.map(() => "");
  const predicted = replies.map((reply) =>
    rules.parser === "lenient" ? lenientPolarity(reply) : officialPolarity(reply),
  );
  const numZero = gold.filter((value) => value === 0).length;
  const isScored = (i: number) => gold[i] !== 0 || rules.zeroSentiment !== "drop";
  const numNeutral = predicted.filter((polarity, i) => polarity === "neutral" && isScored(i)).length;
  const numInexact = replies.filter((reply, i) => lenientPolarity(reply) !== predicted[i]).length;
  const zero = rules.zeroSentiment === "drop" ? "left out" : `counted as ${rules.zeroSentiment}`;
  const neutral = rules.neutralPolarity === "wrong" ? "wrong" : "negative, so right on negative samples";
  const count = rules.zeroSentiment === "drop" ? gold.length - numZero : gold.length;
  return finish(input, scorer, {
    table: sentimentTable(gold, predicted, rules),
    statistic: sentimentStatistic,
    count,
    notes: [
      {
        name: "zero-sentiment",
        count: numZero,
        of: gold.length,
        text: `samples of sentiment 0, which are ${zero} (--zero-sentiment)`,
      },
      {
        name: "neutral-polarity",
        count: numNeutral,
        of: count,
        text: `neutral predictions, which count as ${neutral} (--neutral-polarity)`,
      },
      {
        name: "inexact-polarity",
        count: numInexact,
        text: 'replies such as "Positive" or "positive.", which are not exactly one of the three words and count as neutral (--parser lenient)',
      },
      {
        name: "all-zero",
        count: count === 0 ? gold.length : 0,
        text: "samples, and all of sentiment 0: there is nothing to score (the official code stops with an error)",
      },
    ],
  });
}
