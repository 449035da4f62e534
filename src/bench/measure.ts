// A score as what each clip gives to it: sums and counts, whose ratio over any draw of clips is the score. From that come
// the value, its bootstrap interval, and the paired difference of two models that answered the same questions; it goes to
// disk as it is, so that results can be compared long after the models are gone.
import { type BootstrapOptions, bootstrap, pairedDifferenceOf, type Statistic } from "./bootstrap.ts";
import type { Metric, PairedDifference, Report } from "./report.ts";
import { exactInterval } from "./statistics/beta.ts";

/** Per clip of a group. A clip to which the score does not apply has count 0. */
export interface ClipRatio {
  readonly sums: readonly number[];
  readonly counts: readonly number[];
}

export interface Measure {
  /** Which clips: "congruent", "conflict", or those that are asked about one modality. */
  readonly group: string;
  /** The score is the mean of their ratios: one, or one per modality. */
  readonly parts: readonly ClipRatio[];
  /** How many clips or probes it rests on. */
  readonly count: number;
  /** Counts things of a clip and may exceed 1; left out: a share. */
  readonly isCount?: boolean | undefined;
}

export type Measures = Readonly<Record<string, Measure>>;

/** The mean of per-clip values, NaN where the score does not apply; several lists: the mean of their means. */
export function meanMeasure(group: string, ...lists: readonly (readonly number[])[]): Measure {
  const parts = lists.map((values) => ({
    sums: values.map((value) => (Number.isNaN(value) ? 0 : value)),
    counts: values.map((value) => (Number.isNaN(value) ? 0 : 1)),
  }));
  const applies = (_: number, i: number) => lists.some((values) => !Number.isNaN(values[i]!));
  return { group, parts, count: (lists[0] ?? []).filter(applies).length };
}

/** The mean of things counted per clip. */
export function countMeasure(group: string, values: readonly number[]): Measure {
  return { ...meanMeasure(group, values), isCount: true };
}

export function statisticOf({ parts }: Measure): Statistic {
  return (indices) => {
    let total = 0;
    for (const { sums, counts } of parts) {
      let sum = 0;
      let count = 0;
      for (let i = 0; i < indices.length; i++) {
        sum += sums[indices[i]!]!;
        count += counts[indices[i]!]!;
      }
      total += count === 0 ? Number.NaN : sum / count;
    }
    return total / parts.length;
  };
}

export const numClips = ({ parts }: Measure): number => parts[0]?.sums.length ?? 0;

/** Every score with its interval. */
export function reportOf(measures: Measures, options: BootstrapOptions): Report {
  return Object.fromEntries(
    Object.entries(measures).map(([name, measure]) => [
      name,
      atTheEdge(
        measure,
        bootstrap(numClips(measure), statisticOf(measure), measure.count, options),
        options.confidence,
      ),
    ]),
  );
}

/**
 * Resamples of clips that all gave 0 (or all 1) are all alike, and their interval has no width. There it is taken from the
 * number of clips: the exact one of a share; of a count, what a Poisson with as many clips can hide at 0.
 */
export function atTheEdge(measure: Measure, metric: Metric, confidence: number): Metric {
  if (metric.value === null || metric.low !== metric.high) return metric;
  const { parts, isCount = false } = measure;
  // Clips asked about several parts are still so many clips.
  const clips = parts[0]!.counts.filter((_, i) => parts.some(({ counts }) => counts[i]! > 0)).length;
  if (clips === 0) return metric;
  if (metric.value === 0) {
    const tail = (1 - confidence) / 2;
    return { ...metric, high: isCount ? -Math.log(tail) / clips : exactInterval(0, clips, confidence).high };
  }
  if (metric.value === 1 && !isCount) return { ...metric, low: exactInterval(clips, clips, confidence).low };
  return metric;
}

/** first - second for every score that both have, resampled over the same clips: measured on the same set, in its order. */
export function pairedReport(
  first: Measures,
  second: Measures,
  options: BootstrapOptions,
): Record<string, PairedDifference> {
  const names = Object.keys(first).filter((name) => second[name] !== undefined);
  return Object.fromEntries(
    names.map((name) => {
      const [left, right] = [first[name]!, second[name]!];
      const count = Math.min(left.count, right.count);
      return [name, pairedDifferenceOf(numClips(left), statisticOf(left), statisticOf(right), count, options)];
    }),
  );
}
