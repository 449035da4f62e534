// What a benchmark returns: numbers with their intervals and the counts behind them. Plain data, ready for JSON.

/** Example: `{ value: 0.87, low: 0.83, high: 0.9, count: 300 }` */
export interface Metric {
  /** The score on all samples; null when nothing could be scored (count 0). */
  readonly value: number | null;
  /** Bounds of the percentile bootstrap interval; null when nothing could be scored. */
  readonly low: number | null;
  readonly high: number | null;
  /** How many samples (clips or probes) the value rests on. */
  readonly count: number;
}

/** Metrics by name, in the order of the tables. */
export type Report = Readonly<Record<string, Metric>>;

/** The difference of two models on the same samples. */
export interface PairedDifference extends Metric {
  /** Two-sided: twice the smaller share of resamples at or beyond zero, at most 1. */
  readonly pValue: number | null;
}
