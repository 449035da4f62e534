// Percentile bootstrap over samples, seeded: how much a score would move with another draw of as many clips. Samples
// that a score does not apply to (no cue of that kind) are NaN and stay out of the mean, not out of the draw.
import type { Metric, PairedDifference } from "./report.ts";
import { resampledPValue } from "./statistics/p-value.ts";

export interface BootstrapOptions {
  readonly seed: number;
  readonly numResamples: number;
  /** 0.95 gives the 2.5% and 97.5% points. */
  readonly confidence: number;
}

export const defaultBootstrapOptions: BootstrapOptions = { seed: 1, numResamples: 1000, confidence: 0.95 };

/** A score of the samples at the given indices (which repeat in a resample); NaN when it is undefined there. */
export type Statistic = (indices: Int32Array) => number;

/** Mulberry32: a small generator with a 32-bit state, in [0, 1). */
export function seededUniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Mean of the values at the indices that are numbers; NaN when there is none. */
export function meanOf(values: ArrayLike<number>): Statistic {
  return (indices) => {
    let sum = 0;
    let count = 0;
    for (let i = 0; i < indices.length; i++) {
      const value = values[indices[i]!]!;
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
    return count === 0 ? Number.NaN : sum / count;
  };
}

/** Linear interpolation between the order statistics, as numpy's default percentile. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  return low + (position - below) * ((sorted[Math.min(below + 1, sorted.length - 1)] ?? low) - low);
}

function resampled(numSamples: number, statistic: Statistic, options: BootstrapOptions): Float64Array {
  const uniform = seededUniform(options.seed);
  const indices = new Int32Array(numSamples);
  const draws = new Float64Array(options.numResamples);
  let kept = 0;
  for (let r = 0; r < options.numResamples; r++) {
    for (let i = 0; i < numSamples; i++) indices[i] = Math.floor(uniform() * numSamples);
    const value = statistic(indices);
    if (!Number.isNaN(value)) draws[kept++] = value;
  }
  return draws.subarray(0, kept).sort();
}

/** A statistic of the samples 0 .. numSamples - 1 with its interval. */
export function bootstrap(
  numSamples: number,
  statistic: Statistic,
  count: number,
  options: BootstrapOptions = defaultBootstrapOptions,
): Metric {
  return bootstrapDraws(numSamples, statistic, count, options).metric;
}

/** The metric, and the sorted draws that its interval was read from (none where it has no value). */
function bootstrapDraws(
  numSamples: number,
  statistic: Statistic,
  count: number,
  options: BootstrapOptions,
): { readonly metric: Metric; readonly draws: Float64Array } {
  const value = statistic(Int32Array.from({ length: numSamples }, (_, i) => i));
  if (numSamples === 0 || Number.isNaN(value)) {
    return { metric: { value: null, low: null, high: null, count }, draws: new Float64Array(0) };
  }
  const draws = resampled(numSamples, statistic, options);
  const tail = (1 - options.confidence) / 2;
  return { metric: { value, low: percentile(draws, tail), high: percentile(draws, 1 - tail), count }, draws };
}

/** first - second of two statistics of the same samples, both taken on every draw: tighter than comparing two intervals. */
export function pairedDifferenceOf(
  numSamples: number,
  first: Statistic,
  second: Statistic,
  count: number,
  options: BootstrapOptions = defaultBootstrapOptions,
): PairedDifference {
  const difference: Statistic = (indices) => first(indices) - second(indices);
  const { metric, draws } = bootstrapDraws(numSamples, difference, count, options);
  if (metric.value === null) return { ...metric, pValue: null };
  return { ...metric, pValue: resampledPValue(draws) };
}
