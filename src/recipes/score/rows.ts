// What every form of a score report shows, as rows of text: the same numbers in the terminal, in Markdown and on the page.

import type { Confusion } from "../../bench/mer-unibench/class-recall.ts";
import { publishedRecall, publishedRows } from "../../bench/mer-unibench/published.ts";
import { metricTitles } from "../../bench/mer-unibench/score-set.ts";
import type { Metric } from "../../bench/report.ts";
import { pValueText } from "../../bench/statistics/p-value.ts";
import { meanTitle, type ScoreReport, type SystemSet } from "./report.ts";

export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** The column whose equal cells stand under each other; a page makes headings of it. Left out: none. */
  readonly groupBy?: number;
  /** How strongly a page shades each cell, 0 to 1. */
  readonly shades?: readonly (readonly number[])[];
}

const digits = 2;
const none = "-";

/** In percent, as the community prints scores. */
export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? none : (100 * value).toFixed(digits);
}

export function interval({ low, high }: Metric): string {
  return low === null || high === null ? none : `${percent(low)} to ${percent(high)}`;
}

const secondary: Readonly<Record<string, string>> = {
  level2: "level 2",
  mean: "mean of levels",
  accuracy: "accuracy",
  uar: "UAR",
  outside: "outside labels",
};

/** The columns of the main table; those after "scored" are left out where no set has anything in them. */
const mainColumns = [
  "system",
  "set",
  "metric",
  "score",
  "interval",
  "scored",
  "guard",
  "labels per answer",
  "beside it",
];
const [setColumn, firstOptional] = [1, 6];

/** Systems under each other on every set, their means at the end. */
export function mainTable(report: ScoreReport): Table {
  const { systems } = report;
  const titles = [...new Set(systems.flatMap(({ sets }) => sets.map(({ title }) => title)))];
  const rows = titles.flatMap((title) =>
    systems.flatMap(({ name, sets }) => sets.filter((set) => set.title === title).map((set) => setRow(name, set))),
  );
  for (const { name, mean } of systems) {
    if (mean !== null) rows.push([name, meanTitle(report), "", percent(mean.value), interval(mean), "", "", "", ""]);
  }
  const shown = mainColumns.map((_, c) => c).filter((c) => c < firstOptional || rows.some((row) => row[c] !== ""));
  const kept = (row: readonly string[]) => shown.map((c) => row[c]!);
  return {
    title: "Scores",
    header: kept(mainColumns),
    rows: rows.map(kept),
    ...(systems.length > 1 ? { groupBy: setColumn } : {}),
  };
}

function setRow(system: string, set: SystemSet): string[] {
  const primary = set.metrics[set.primary]!;
  const { guarded } = set.metrics;
  const others = Object.entries(set.metrics).filter(([name]) => name !== set.primary && name !== "guarded");
  const chosen = set.numCheckpoints > 1 ? [`checkpoint ${set.checkpoint}, one of ${set.numCheckpoints}`] : [];
  const beside = [...others.map(([name, metric]) => `${secondary[name] ?? name} ${percent(metric.value)}`), ...chosen];
  return [
    system,
    set.title,
    metricTitles[set.metric],
    percent(primary.value),
    interval(primary),
    `${primary.count} of ${set.numSamples}`,
    guarded === undefined || set.primary === "guarded" ? "" : percent(guarded.value),
    set.meanLabels === null ? "" : set.meanLabels.toFixed(1),
    beside.join(", "),
  ];
}

export function wheelTables({ systems }: ScoreReport): Table[] {
  return systems.flatMap(({ name, sets }) =>
    sets
      .filter(({ wheels }) => wheels.length > 0)
      .map(({ title, wheels }) => {
        const scores = Object.keys(wheels[0]!.scores);
        return {
          title: `${name} on ${title}, per wheel`,
          header: ["wheel", "ring", ...scores, "scored samples"],
          rows: wheels.map((row) => [
            row.wheel,
            row.level,
            ...scores.map((score) => percent(row.scores[score])),
            String(row.numScored),
          ]),
        };
      }),
  );
}

export function confusionTables({ systems }: ScoreReport): Table[] {
  return systems.flatMap(({ name, sets }) =>
    sets.flatMap(({ title, confusion }) =>
      confusion === null ? [] : [confusionTable(`${name} on ${title}`, confusion)],
    ),
  );
}

/** Counts per class of the annotation, and the recall that UAR is the mean of. */
function confusionTable(what: string, { classes, named, counts }: Confusion): Table {
  const totals = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  return {
    title: `${what}: rows are the annotation, columns the answer`,
    header: ["", ...named, "outside", "recall"],
    rows: counts.map((row, i) => {
      const right = row[named.indexOf(classes[i]!)] ?? 0;
      return [classes[i]!, ...row.map(String), percent(right / totals[i]!)];
    }),
    shades: counts.map((row, i) => [0, ...row.map((count) => count / totals[i]!), 0]),
  };
}

export function comparisonTable(report: ScoreReport): Table | null {
  const { comparisons } = report;
  if (comparisons.length === 0) return null;
  return {
    title: "Systems compared, sample by sample",
    header: ["first", "second", "on", "difference", "interval", "p"],
    rows: comparisons.map(({ first, second, on, difference, mixedPolarity }) => [
      first,
      second,
      (on === "mean" ? meanTitle(report) : on) + (mixedPolarity === null ? "" : ` ${mixedMark}`),
      percent(difference.value),
      interval(difference),
      difference.pValue === null ? none : pValueText(difference.pValue, report.bootstrap.numResamples),
    ]),
  };
}

/** Stands beside differences between polarities of two sources; a note says what it means. */
export const mixedMark = "(*)";

/** The lexicon of published numbers: beside any other they would be compared with what they are not. */
export const publishedLexicon = "affectgpt";

/** One's own numbers above the published ones of the same sets. */
export function publishedTables(report: ScoreReport): Table[] {
  return [besideBenchmark(report), besideRecall(report)].filter((table) => table !== null);
}

const fixed = (value: number | null | undefined) =>
  value === null || value === undefined ? none : value.toFixed(digits);

function setNames({ systems }: ScoreReport): string[] {
  return [...new Set(systems.flatMap(({ sets }) => sets.map(({ dataset }) => dataset)))];
}

function besideBenchmark(report: ScoreReport): Table | null {
  const { isBenchmark, checkpoints, lexicon } = report;
  const columns = setNames(report).filter((name) => publishedRows.some((row) => row.sets[name] !== undefined));
  const shown = publishedRows.filter((row) => isBenchmark || columns.some((name) => row.sets[name] !== undefined));
  if (columns.length === 0 || lexicon.name !== publishedLexicon) return null;
  const here = report.systems.map(({ name, sets, mean }) => [
    name,
    ...columns.map((column) => ownNumber(sets.filter(({ dataset }) => dataset === column))),
    isBenchmark ? percent(mean?.value) : none,
    checkpoints === "best" ? "best checkpoint per set" : "final checkpoint",
    `this report, lexicon ${lexicon.name}`,
  ]);
  const printed = shown.map(({ system, sets, mean, protocol, source, note }) => [
    system,
    ...columns.map((name) => fixed(sets[name])),
    fixed(mean),
    protocol,
    note === undefined ? source : `${source} (${note})`,
  ]);
  const header = ["system", ...columns, "mean of nine", "checkpoints", "source"];
  return { title: "Beside what was published, as printed there", header, rows: [...here, ...printed] };
}

/** The published number is of one split and not of WAR. */
function ownNumber([set, ...others]: readonly SystemSet[]): string {
  const isLike = set !== undefined && others.length === 0 && set.metric !== "war";
  return isLike ? percent(set.metrics[set.primary]!.value) : none;
}

/** Folds are averaged, as the literature does. */
function recallOf(folds: readonly SystemSet[]): string {
  const mean = (name: "war" | "uar") =>
    folds.reduce((sum, { metrics }) => sum + (metrics[name]!.value ?? Number.NaN), 0) / folds.length;
  return folds.length === 0 ? none : `${percent(mean("war"))} / ${percent(mean("uar"))}`;
}

function besideRecall(report: ScoreReport): Table | null {
  const columns = setNames(report).filter((name) => publishedRecall.some((row) => row.sets[name] !== undefined));
  if (columns.length === 0) return null;
  const here = report.systems.map(({ name, sets }) => [
    name,
    ...columns.map((column) => recallOf(sets.filter(({ dataset, metric }) => dataset === column && metric === "war"))),
    "this report",
  ]);
  const printed = publishedRecall.map(({ system, sets }) => [
    system,
    ...columns.map((name) => sets[name]!.map(fixed).join(" / ")),
    "R1-Omni paper",
  ]);
  const header = ["system", ...columns, "source"];
  return { title: "WAR / UAR beside what was published, as printed there", header, rows: [...here, ...printed] };
}
