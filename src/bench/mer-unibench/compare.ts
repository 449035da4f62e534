// Several sets into the benchmark's mean, and two systems into a difference with its interval and p-value. Both work on
// the draws of the bootstrap: same seed and same samples mean that two systems' draws are pairs.
import type { Metric, PairedDifference } from "../report.ts";
import { resampledPValue } from "../statistics/p-value.ts";
import type { ScoredSet } from "./score-set.ts";
import { metricOf } from "./sum-table.ts";

/** The nine sets of MER-UniBench, each of which counts one ninth. */
export const benchmarkSets = [
  ...["MER2023", "MER2024", "MELD", "IEMOCAPFour"],
  ...["CMUMOSI", "CMUMOSEI", "SIMS", "SIMSv2", "OVMERDPlus"],
] as const;

export interface MeanScore {
  readonly metric: Metric;
  readonly draws: Float64Array;
}

/** Plain average of the primary numbers; undefined as soon as one of them is. */
export function meanOfSets(sets: readonly ScoredSet[], confidence: number): MeanScore {
  const numDraws = Math.min(...sets.map(({ draws }) => draws.length));
  const draws = new Float64Array(numDraws);
  for (const set of sets) for (let r = 0; r < numDraws; r++) draws[r]! += set.draws[r]! / sets.length;
  const values = sets.map(({ score }) => score.metrics[score.primary]!);
  const value = values.reduce((sum, one) => sum + (one.value ?? Number.NaN), 0) / sets.length;
  const count = values.reduce((sum, one) => sum + one.count, 0);
  return { metric: metricOf(value, draws, count, confidence), draws };
}

/** first - second, with the share of resamples on the other side of zero, twice. */
export function pairedScores(
  first: { readonly metric: Metric; readonly draws: Float64Array },
  second: { readonly metric: Metric; readonly draws: Float64Array },
  confidence: number,
): PairedDifference {
  const draws = first.draws.map((draw, r) => draw - (second.draws[r] ?? Number.NaN));
  const value = (first.metric.value ?? Number.NaN) - (second.metric.value ?? Number.NaN);
  const metric = metricOf(value, draws, Math.min(first.metric.count, second.metric.count), confidence);
  if (metric.value === null) return { ...metric, pValue: null };
  return { ...metric, pValue: resampledPValue(draws) };
}
