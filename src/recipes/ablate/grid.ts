// What is compared: rows, each a way to a model; columns, each a score; what the paper printed; and how often everything is done.
// A grid is data: the tables by name, the experiment and what a person puts together are all of this form.

import type { MaskCondition } from "../../bench/support/conditions.ts";
import type { PresetName } from "../../train/presets.ts";
import type { StartKind } from "./start-kinds.ts";

/** One way to a model. */
export interface GridRow {
  /** Unique in the grid; in files. Example: "oppo", "beta=0.015" */
  readonly name: string;
  readonly title: string;
  /** null: the cold start as it is. */
  readonly preset: PresetName | null;
  /** `path=value` over the preset. */
  readonly overrides: readonly string[];
  readonly start: StartKind;
  /** Of the setting that the grid sweeps; null: the row stands outside. */
  readonly swept: number | string | null;
  /** As the paper prints them, by score; none where it has no such row. */
  readonly printed: Readonly<Record<string, number>>;
  /** What the paper calls the row where that differs. Example: "beta 4e-3" */
  readonly printedAs?: string;
}

export interface GridColumn {
  /** Name of the measure. */
  readonly score: string;
  readonly title: string;
  /** What the paper's column is, where ours is not the same. */
  readonly printedTitle: string;
  readonly better: "higher" | "lower";
  /** Shown as percent; else as it is. */
  readonly isShare: boolean;
}

/** A statement that one row is better than another in a score. */
export interface Statement {
  readonly better: string;
  readonly worse: string;
  readonly score: string;
  /** Where the paper says so, and how. */
  readonly source: string;
}

/** What is asked of every model. */
export interface Evaluation {
  /** MEP-Bench. */
  readonly suite: boolean;
  readonly conditions: readonly MaskCondition[];
  /** How many of the clips the conditions are measured on; left out: all. */
  readonly clipsPerCondition?: number;
}

export interface Grid {
  /** Also the folder of its results. Example: "table-3" */
  readonly name: string;
  readonly title: string;
  readonly rows: readonly GridRow[];
  readonly columns: readonly GridColumn[];
  readonly statements: readonly Statement[];
  readonly evaluation: Evaluation;
  /**
   * What is chosen, on the dev split: the row with the largest mean of the columns. Then every row is measured on the dev split and
   * the chosen one alone on the test split. null: nothing is, and all rows are measured on the test split.
   */
  readonly choice: { readonly symbol: string } | null;
  /** Numbers of the training log that the page draws, with titles. */
  readonly curves: readonly { readonly metric: string; readonly title: string }[];
  readonly numStarts: number;
  readonly numSeeds: number;
  /** What must be said beside it. */
  readonly notes: readonly string[];
  /** What a row should reach; left out: nothing is set. */
  readonly goals?: readonly Goal[];
}

/** A bound on a score of a row: a number, or another row's score, with a margin. */
export interface Goal {
  readonly row: string;
  readonly score: string;
  /** "least": at least the bound plus the margin; "most": at most the bound plus the margin. */
  readonly side: "least" | "most";
  /** A row's name, or a number. */
  readonly bound: string | number;
  readonly margin: number;
  /** What the score is, in words. */
  readonly title: string;
}
