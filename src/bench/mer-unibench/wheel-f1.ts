// EW set-level F1 of a data set: per wheel, precision and recall of the predicted set of groups, averaged over the samples
// whose annotation is on that wheel; F1 of the two averages, not the average of F1 values; then the mean over wheels.
import type { LabelResolver } from "../../emotion/resolver.ts";
import type { WheelLevel } from "../../emotion/wheel.ts";
import type { ScoringRules } from "./rules.ts";
import { groupCollector, numShared } from "./set-overlap.ts";
import { type SumStatistic, type SumTable, SumTableBuilder } from "./sum-table.ts";

/** Columns per metric: sum of precision, sum of recall, number of scored samples. */
const width = 3;

/** One ring of one wheel in a report. */
export interface WheelRow {
  readonly wheel: string;
  readonly level: "level1" | "level2";
  /** precision, recall, f1 of EW; hitRate, guarded of hit rate. Null where undefined. */
  readonly scores: Readonly<Record<string, number | null>>;
  readonly numScored: number;
}

export interface PrecisionRecall {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly numScored: number;
}

/** Rows of one sample each, in order: what every metric of the resolver makes of its two lists of labels. */
export function wheelF1Table(
  resolver: LabelResolver,
  gold: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
): SumTable {
  const collect = groupCollector(resolver);
  const numMetrics = resolver.metrics.length;
  const builder = new SumTableBuilder(gold.length, numMetrics * width);
  const row = new Float64Array(numMetrics * width);
  for (let i = 0; i < gold.length; i++) {
    const goldGroups = collect(gold[i]!);
    const predictedGroups = collect(predicted[i]!);
    row.fill(0);
    for (let m = 0; m < numMetrics; m++) {
      const wanted = goldGroups[m]!;
      const given = predictedGroups[m]!;
      if (wanted.length === 0) continue;
      row[m * width + 2] = 1;
      if (given.length === 0) continue;
      const shared = numShared(given, wanted);
      row[m * width] = shared / given.length;
      row[m * width + 1] = shared / wanted.length;
    }
    builder.add(row);
  }
  return builder.finish();
}

/** Precision, recall and F1 of one metric from its sums. */
export function precisionRecall(
  sums: ArrayLike<number>,
  metric: number,
  rule: ScoringRules["undefinedWheel"],
): PrecisionRecall {
  const numScored = sums[metric * width + 2]!;
  const empty = rule === "zero" ? 0 : Number.NaN;
  const precision = numScored === 0 ? empty : sums[metric * width]! / numScored;
  const recall = numScored === 0 ? empty : sums[metric * width + 1]! / numScored;
  // Skipping is for wheels that cannot be scored; a wheel on which everything is wrong is one that can.
  const none = rule === "skip" && numScored > 0 ? 0 : empty;
  const f1 = precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : none;
  return { precision, recall, f1, numScored };
}

/** Positions of the resolver's metrics of one level, in wheel order. */
export function wheelMetrics(resolver: LabelResolver, level: WheelLevel): number[] {
  return resolver.metrics.flatMap((metric, index) => (metric.level === level ? [index] : []));
}

/** Mean over wheels; a wheel without a value makes it undefined, unless such wheels are left out. */
export function meanOverWheels(values: readonly number[], rule: ScoringRules["undefinedWheel"]): number {
  const kept = rule === "skip" ? values.filter((value) => !Number.isNaN(value)) : values;
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}

export interface LevelScore {
  readonly f1: number;
  readonly precision: number;
  readonly recall: number;
}

/** The official five-wheel function for one level. */
export function levelScore(
  sums: ArrayLike<number>,
  metrics: readonly number[],
  rule: ScoringRules["undefinedWheel"],
): LevelScore {
  const wheels = metrics.map((metric) => precisionRecall(sums, metric, rule));
  const mean = (of: (wheel: PrecisionRecall) => number) => meanOverWheels(wheels.map(of), rule);
  return {
    f1: mean(({ f1 }) => f1),
    precision: mean(({ precision }) => precision),
    recall: mean(({ recall }) => recall),
  };
}

/** level1 (what is published), level2, and their mean (the third column of MER2025). */
export function wheelF1Statistic(resolver: LabelResolver, rule: ScoringRules["undefinedWheel"]): SumStatistic {
  const level1 = wheelMetrics(resolver, "level1");
  const level2 = wheelMetrics(resolver, "level2");
  return {
    names: ["level1", "level2", "mean"],
    compute(sums, scores) {
      scores[0] = levelScore(sums, level1, rule).f1;
      scores[1] = levelScore(sums, level2, rule).f1;
      scores[2] = (scores[0] + scores[1]) / 2;
    },
  };
}
