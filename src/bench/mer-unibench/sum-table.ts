// Scores that are functions of sums over samples: F1 of mean precision and recall, hit rates, weighted F, recall per class.
// Each sample is a row of a few numbers; most rows repeat, so a data set is a short table of kinds and one index per
// sample. Resampling then counts kinds instead of scoring samples again.
import { type BootstrapOptions, percentile } from "../bootstrap.ts";
import type { Metric } from "../report.ts";

export interface SumTable {
  readonly numColumns: number;
  /** Per sample: which kind it is. */
  readonly kindOf: Int32Array;
  /** Row-major [kinds, numColumns]. */
  readonly kinds: Float64Array;
}

/** Collects rows one by one. The same array may be passed again and again. */
export class SumTableBuilder {
  private readonly numColumns: number;
  private readonly kindOf: Int32Array;
  private readonly known = new Map<string, number>();
  private kinds = new Float64Array(0);
  private numSamples = 0;

  constructor(numSamples: number, numColumns: number) {
    this.numColumns = numColumns;
    this.kindOf = new Int32Array(numSamples);
  }

  add(row: Float64Array): void {
    const key = Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString("latin1");
    let kind = this.known.get(key);
    if (kind === undefined) {
      kind = this.known.size;
      this.known.set(key, kind);
      if ((kind + 1) * this.numColumns > this.kinds.length) this.grow();
      this.kinds.set(row, kind * this.numColumns);
    }
    this.kindOf[this.numSamples++] = kind;
  }

  finish(): SumTable {
    const kinds = this.kinds.slice(0, this.known.size * this.numColumns);
    return { numColumns: this.numColumns, kindOf: this.kindOf.subarray(0, this.numSamples), kinds };
  }

  private grow(): void {
    const wider = new Float64Array(Math.max(this.numColumns * 64, this.kinds.length * 2));
    wider.set(this.kinds);
    this.kinds = wider;
  }
}

/** Scores from sums: writes as many numbers into `scores` as there are names. NaN where a score is undefined. */
export interface SumStatistic {
  readonly names: readonly string[];
  compute(sums: Float64Array, scores: Float64Array): void;
}

/** How often each kind occurs in the whole data set. */
function kindCounts(table: SumTable): Int32Array {
  const counts = new Int32Array(table.kinds.length / table.numColumns);
  for (const kind of table.kindOf) counts[kind]!++;
  return counts;
}

function weightedSums(table: SumTable, counts: Int32Array, sums: Float64Array): void {
  const { numColumns, kinds } = table;
  sums.fill(0);
  for (let kind = 0, at = 0; kind < counts.length; kind++, at += numColumns) {
    const count = counts[kind]!;
    if (count === 0) continue;
    for (let column = 0; column < numColumns; column++) sums[column]! += count * kinds[at + column]!;
  }
}

/** Column sums over the samples as they are. */
export function sumsOf(table: SumTable): Float64Array {
  const sums = new Float64Array(table.numColumns);
  weightedSums(table, kindCounts(table), sums);
  return sums;
}

/** The scores of the samples as they are. */
export function scoresOf(table: SumTable, statistic: SumStatistic): Float64Array {
  const scores = new Float64Array(statistic.names.length);
  statistic.compute(sumsOf(table), scores);
  return scores;
}

/**
 * Scores of resamples, row-major [numResamples, names]. Samples are drawn with replacement, as many as there are; the same
 * seed and number of samples draw the same samples, so two systems' rows are pairs.
 */
export function bootstrapScores(table: SumTable, statistic: SumStatistic, options: BootstrapOptions): Float64Array {
  const { kindOf } = table;
  const numSamples = kindOf.length;
  const numScores = statistic.names.length;
  const draws = new Float64Array(options.numResamples * numScores);
  const counts = new Int32Array(table.kinds.length / table.numColumns);
  const sums = new Float64Array(table.numColumns);
  let state = options.seed >>> 0;
  for (let r = 0; r < options.numResamples; r++) {
    counts.fill(0);
    for (let i = 0; i < numSamples; i++) {
      // Mulberry32, as in seededUniform; in place, because a call per draw would take most of the time.
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      const sample = Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) * 2 ** -32 * numSamples);
      counts[kindOf[sample]!]!++;
    }
    weightedSums(table, counts, sums);
    statistic.compute(sums, draws.subarray(r * numScores, (r + 1) * numScores));
  }
  return draws;
}

/** One score's draws, in the order in which they were drawn. */
export function columnOf(draws: Float64Array, column: number, numColumns: number): Float64Array {
  return Float64Array.from({ length: draws.length / numColumns }, (_, r) => draws[r * numColumns + column]!);
}

/** A score with the interval of its draws; draws where it is undefined are left out. */
export function metricOf(value: number, draws: Float64Array, count: number, confidence: number): Metric {
  if (Number.isNaN(value)) return { value: null, low: null, high: null, count };
  const sorted = draws.filter((draw) => !Number.isNaN(draw)).sort();
  if (sorted.length === 0) return { value, low: null, high: null, count };
  const tail = (1 - confidence) / 2;
  return { value, low: percentile(sorted, tail), high: percentile(sorted, 1 - tail), count };
}
