// A score as what each clip gives to it: sums and counts, whose ratio over any draw of clips is the score. From that come
// the value, its bootstrap interval, and the paired difference of two models that answered the same questions; it goes to
// disk as it is, so that results can be compared long after the models are gone.
import { type BootstrapOptions, bootstrap, pairedDifferenceOf, type Statistic } from "./bootstrap.ts";
import type { PairedDifference, Report } from "./report.ts";

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

function statisticOf({ parts }: Measure): Statistic {
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

const numClips = ({ parts }: Measure): number => parts[0]?.sums.length ?? 0;

/** Every score with its interval. */
export function reportOf(measures: Measures, options: BootstrapOptions): Report {
  return Object.fromEntries(
    Object.entries(measures).map(([name, measure]) => [
      name,
      bootstrap(numClips(measure), statisticOf(measure), measure.count, options),
    ]),
  );
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
