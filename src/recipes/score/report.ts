// What a score consists of, as data: the JSON of `oppo score --json`, and what every other form is made of.
import type { BootstrapOptions } from "../../bench/bootstrap.ts";
import type { ScoringRules } from "../../bench/mer-unibench/rules.ts";
import type { SetScore } from "../../bench/mer-unibench/score-set.ts";
import type { Metric, PairedDifference } from "../../bench/report.ts";

export type CheckpointProtocol = "final" | "best";

export interface SystemSet extends SetScore {
  /** What tables call it: the data set, and the split where it is one of several or of folds. */
  readonly title: string;
  readonly file: string;
  readonly checkpoint: number | null;
  /** How many the one was chosen from. */
  readonly numCheckpoints: number;
  /** Who said what is positive; null for other sets. */
  readonly polaritySource: string | null;
  /** Who took labels out of the file's sentences; null where it has labels or answers. */
  readonly extractor: string | null;
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
  /** Without p-value where the polarities of the two are from different sources. */
  readonly difference: PairedDifference;
  /** The two sources, where they differ on this set, or on one of the mean; else null. */
  readonly mixedPolarity: readonly [first: string, second: string] | null;
}

/** A part of MER-UniBench: which of its nine sets were asked for and left out, and why. */
export interface PartialBenchmark {
  readonly numSets: number;
  readonly numAll: number;
  readonly leftOut: readonly LeftOutSet[];
}

export interface LeftOutSet {
  readonly dataset: string;
  readonly why: string;
}

export interface ScoreReport {
  readonly lexicon: { readonly name: string; readonly hash: string };
  readonly rules: ScoringRules;
  readonly bootstrap: BootstrapOptions;
  readonly checkpoints: CheckpointProtocol;
  /** Whether the mean is that of MER-UniBench: all of its nine sets, and no other. */
  readonly isBenchmark: boolean;
  /** Null where nothing was left out. */
  readonly partial: PartialBenchmark | null;
  readonly systems: readonly SystemScore[];
  readonly comparisons: readonly Comparison[];
}

/** The source of polarities that the predictions have already. */
export const givenPolarity = "given";

/** Example: "mean", "mean of 5 of 9" */
export function meanTitle({ partial }: Pick<ScoreReport, "partial">): string {
  return partial === null ? "mean" : `mean of ${partial.numSets} of ${partial.numAll}`;
}
