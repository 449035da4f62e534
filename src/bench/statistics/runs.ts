// Several runs of one arm as one: its cold starts, its seeds and the clips are all draws, and an interval that leaves one of
// them out is too short. A resample draws cold starts, of each its seeds, and once for all runs the clips.
import { type BootstrapOptions, percentile, type Statistic, seededUniform } from "../bootstrap.ts";
import { atTheEdge, type Measure, type Measures, numClips, statisticOf } from "../measure.ts";
import type { Metric, PairedDifference, Report } from "../report.ts";
import { pairedT, resampledPValue } from "./p-value.ts";

/** What one run gave to every score. All runs that are compared answered the same questions about the same clips. */
export interface MeasuredRun {
  /** Runs that went out from one model share it. */
  readonly start: string;
  readonly seed: number;
  readonly measures: Measures;
}

/** The difference of two arms over runs. */
export interface RunsDifference extends PairedDifference {
  /** Of every pair of runs, on all clips. */
  readonly perRun: readonly number[];
  /** The same by Student's t over the pairs of runs alone, clips held; null for one pair. */
  readonly overRuns: ReturnType<typeof pairedT>;
}

/** Every score that all runs have: its mean over runs, and the interval over cold starts, seeds and clips. */
export function reportOfRuns(runs: readonly MeasuredRun[], options: BootstrapOptions): Report {
  return Object.fromEntries(
    sharedNames(runs).map((name) => {
      const measures = runs.map((run) => run.measures[name]!);
      const { metric } = resampled(runs, measures, measures.map(statisticOf), options);
      // Runs of the same clips do not add to how many there are.
      return [name, atTheEdge(measures[0]!, metric, options.confidence)];
    }),
  );
}

/**
 * first - second, run by run of the same cold start and seed. A resample takes both arms' runs on the same clips.
 * Runs that only one arm has are left out; where one arm has a single run of a cold start (the start itself), it is the
 * partner of all of the other's.
 */
export function pairedRuns(
  first: readonly MeasuredRun[],
  second: readonly MeasuredRun[],
  options: BootstrapOptions,
): Record<string, RunsDifference> {
  const pairs = pairsOf(first, second);
  const names = sharedNames(pairs.flatMap(({ run, partner }) => [run, partner]));
  return Object.fromEntries(
    names.map((name) => {
      const measures = pairs.map(({ run }) => run.measures[name]!);
      const differences = pairs.map(({ run, partner }): Statistic => {
        const [left, right] = [statisticOf(run.measures[name]!), statisticOf(partner.measures[name]!)];
        return (indices) => left(indices) - right(indices);
      });
      const runs = pairs.map(({ run }) => run);
      const { metric, draws, perRun } = resampled(runs, measures, differences, options);
      return [
        name,
        { ...metric, pValue: metric.value === null ? null : resampledPValue(draws), perRun, overRuns: pairedT(perRun) },
      ];
    }),
  );
}

interface RunPair {
  readonly run: MeasuredRun;
  readonly partner: MeasuredRun;
}

function pairsOf(first: readonly MeasuredRun[], second: readonly MeasuredRun[]): RunPair[] {
  return [...new Set(first.map(({ start }) => start))].flatMap((start) => {
    const left = first.filter((run) => run.start === start);
    const right = second.filter((run) => run.start === start);
    if (right.length === 1) return left.map((run) => ({ run, partner: right[0]! }));
    if (left.length === 1) return right.map((partner) => ({ run: left[0]!, partner }));
    return left.flatMap((run) => {
      const partner = right.find(({ seed }) => seed === run.seed);
      return partner === undefined ? [] : [{ run, partner }];
    });
  });
}

function sharedNames(runs: readonly MeasuredRun[]): string[] {
  const [first] = runs;
  if (first === undefined) return [];
  return Object.keys(first.measures).filter((name) => runs.every(({ measures }) => measures[name] !== undefined));
}

interface Resampled {
  readonly metric: Metric;
  readonly draws: Float64Array;
  readonly perRun: readonly number[];
}

function resampled(
  runs: readonly MeasuredRun[],
  measures: readonly Measure[],
  statistics: readonly Statistic[],
  { seed, numResamples, confidence }: BootstrapOptions,
): Resampled {
  const total = numClips(measures[0]!);
  const whole = Int32Array.from({ length: total }, (_, i) => i);
  const perRun = statistics.map((statistic) => statistic(whole));
  const known = perRun.filter((value) => !Number.isNaN(value));
  const count = Math.round(measures.reduce((sum, measure) => sum + measure.count, 0) / measures.length);
  if (known.length === 0) {
    return { metric: { value: null, low: null, high: null, count }, draws: new Float64Array(0), perRun };
  }
  const starts = [...new Set(runs.map(({ start }) => start))].map((start) =>
    runs.flatMap((run, i) => (run.start === start ? [i] : [])),
  );
  const uniform = seededUniform(seed);
  const indices = new Int32Array(total);
  const draws = new Float64Array(numResamples);
  let kept = 0;
  for (let r = 0; r < numResamples; r++) {
    for (let i = 0; i < total; i++) indices[i] = Math.floor(uniform() * total);
    const values = statistics.map((statistic) => statistic(indices));
    const value = mean(drawn(starts, uniform).flatMap((own) => drawn(own, uniform).map((run) => values[run]!)));
    if (!Number.isNaN(value)) draws[kept++] = value;
  }
  const sorted = draws.subarray(0, kept).sort();
  const tail = (1 - confidence) / 2;
  const value = mean(perRun);
  return {
    metric: { value, low: percentile(sorted, tail), high: percentile(sorted, 1 - tail), count },
    draws: sorted,
    perRun,
  };
}

/** As many again, with replacement; of one thing nothing is drawn, so that a single run's draws are those of its clips. */
function drawn<T>(items: readonly T[], uniform: () => number): readonly T[] {
  return items.length === 1 ? items : items.map(() => items[Math.floor(uniform() * items.length)]!);
}

/** Of those that are numbers. */
function mean(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? Number.NaN : known.reduce((sum, value) => sum + value, 0) / known.length;
}
