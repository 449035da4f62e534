// From answers to the table: every row's WAR, UAR and answers outside the label set, over seeds and clips, and which of the paper's
// orderings hold here by paired tests.
import { readFileSync } from "node:fs";
import { defaultBootstrapOptions } from "../../bench/bootstrap.ts";
import { type Confusion, confusionOf } from "../../bench/mer-unibench/class-recall.ts";
import { exactClass, exactRecall } from "../../bench/mer-unibench/exact-recall.ts";
import type { Metric, Report } from "../../bench/report.ts";
import { judgeOrderings, type Verdict } from "../../bench/statistics/ordering.ts";
import { type MeasuredRun, pairedRuns, reportOfRuns } from "../../bench/statistics/runs.ts";
import type { Answered } from "./ask.ts";
import type { TestSet } from "./material.ts";
import type { RunPaths } from "./paths.ts";
import { orderings, publishedOf, type RowName, rowNames } from "./rows.ts";

export interface Ordering {
  readonly set: string;
  readonly measure: "war" | "uar";
  readonly better: RowName;
  readonly worse: RowName;
  readonly difference: Metric;
  /** Two-sided, after Holm's correction over all orderings. */
  readonly pValue: number;
  readonly verdict: Verdict;
}

export interface RowResult {
  readonly row: RowName;
  readonly numSeeds: number;
  /** war, uar, outside: fractions. */
  readonly report: Report;
  /** In percent, of the set of the same name; null: none. */
  readonly published: readonly [war: number, uar: number] | null;
  /** Of all seeds together. */
  readonly confusion: Confusion;
}

export interface SetResult {
  readonly title: string;
  readonly isOutside: boolean;
  readonly numClips: number;
  readonly rows: readonly RowResult[];
}

export interface Results {
  readonly sets: readonly SetResult[];
  readonly orderings: readonly Ordering[];
}

/** The base model is no draw: there is one. */
export const seedsOf = (row: RowName, numSeeds: number) =>
  row === "base" ? [0] : Array.from({ length: numSeeds }, (_, seed) => seed);

export function readAnswers(file: string): Answered[] {
  return JSON.parse(readFileSync(file, "utf8")) as Answered[];
}

export function resultsOf(sets: readonly TestSet[], numSeeds: number, paths: RunPaths): Results {
  const measured = sets.map((set) => ({ set, runs: runsOfSet(set, numSeeds, paths) }));
  return {
    sets: measured.map(({ set, runs }) => ({
      title: set.title,
      isOutside: set.isOutside,
      numClips: runs.base.gold.length,
      rows: rowNames.map((row): RowResult => {
        const { measures, gold, predicted } = runs[row];
        return {
          row,
          numSeeds: measures.length,
          report: reportOfRuns(measures, defaultBootstrapOptions),
          published: publishedOf(row, set.title),
          confusion: confusionOf(
            predicted.flatMap(() => gold),
            predicted.flat(),
          ),
        };
      }),
    })),
    orderings: judgeOrderings(measured.flatMap(({ set, runs }) => orderingsOf(set.title, runs))),
  };
}

interface RowRuns {
  readonly measures: readonly MeasuredRun[];
  readonly gold: readonly string[];
  /** [seed][clip] */
  readonly predicted: readonly (readonly (string | null)[])[];
}

function runsOfSet({ title, labels }: TestSet, numSeeds: number, paths: RunPaths): Record<RowName, RowRuns> {
  const runsOf = (row: RowName): RowRuns => {
    const answers = seedsOf(row, numSeeds).map((seed) => readAnswers(paths.answers(row, seed, title)));
    const gold = answers[0]!.map((one) => one.gold);
    const predicted = answers.map((own) => own.map(({ text }) => (text === null ? null : exactClass(text, labels))));
    const measures = predicted.map(
      (own, seed): MeasuredRun => ({ start: "base", seed, measures: exactRecall(title, gold, own) }),
    );
    return { measures, gold, predicted };
  };
  return { base: runsOf("base"), cold: runsOf("cold"), labels: runsOf("labels"), rlvr: runsOf("rlvr") };
}

type Unjudged = Omit<Ordering, "verdict">;

function orderingsOf(set: string, runs: Record<RowName, RowRuns>): Unjudged[] {
  return orderings.flatMap(([better, worse]) => {
    const differences = pairedRuns(runs[better].measures, runs[worse].measures, defaultBootstrapOptions);
    return (["war", "uar"] as const).map((measure) => {
      const { pValue, value, low, high, count } = differences[measure]!;
      return { set, measure, better, worse, difference: { value, low, high, count }, pValue: pValue ?? 1 };
    });
  });
}
