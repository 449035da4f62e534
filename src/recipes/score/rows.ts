// What every form of a score report shows, as rows of text: the same numbers in the terminal, in Markdown and on the page.

import { publishedRecall, publishedRows } from "../../bench/mer-unibench/published.ts";
import type { ScoringRules } from "../../bench/mer-unibench/rules.ts";
import { metricTitles } from "../../bench/mer-unibench/score-set.ts";
import type { Metric } from "../../bench/report.ts";
import type { ScoreReport, SystemSet } from "./score.ts";

export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
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

/** How the numbers came about, one sentence each. */
export function stampLines(report: ScoreReport): string[] {
  const { lexicon, bootstrap, checkpoints, rules } = report;
  const several = report.systems.some(({ sets }) => sets.some(({ numCheckpoints }) => numCheckpoints > 1));
  const protocol = {
    final: "one final checkpoint for all sets",
    best: "the best checkpoint of each set, chosen on the test set itself: higher than what an unseen set would give",
  }[checkpoints];
  const sources = [
    ...new Set(report.systems.flatMap(({ sets }) => sets.flatMap(({ polaritySource }) => polaritySource ?? []))),
  ];
  return [
    `Lexicon ${lexicon.name} (${lexicon.hash})${lexicon.name === "built-in" ? ": not to be mixed with published numbers, which use affectgpt" : ""}.`,
    `Intervals: ${100 * bootstrap.confidence}%, ${bootstrap.numResamples} bootstrap resamples over samples, seed ${bootstrap.seed}.`,
    `Checkpoints: ${protocol}${several ? "" : " (there was one)"}.`,
    ...(sources.length > 0 ? [`Polarity of sentiment predictions: ${sources.join("; ")}.`] : []),
    ...rulesLine(rules),
  ];
}

const published: ScoringRules = {
  undefinedWheel: "undefined",
  neutral: "unscored",
  parser: "official",
  zeroSentiment: "drop",
  neutralPolarity: "negative",
  singleLabel: "answer",
};

function rulesLine(rules: ScoringRules): string[] {
  const changed = Object.entries(rules).filter(([name, value]) => published[name as keyof ScoringRules] !== value);
  return changed.length === 0
    ? []
    : [`Other than published: ${changed.map(([name, value]) => `${name} ${value}`).join(", ")}.`];
}

const secondary: Readonly<Record<string, string>> = {
  level2: "level 2",
  mean: "mean of levels",
  guarded: "guard",
  accuracy: "accuracy",
  uar: "UAR",
  outside: "outside labels",
};

export function mainTable({ systems }: ScoreReport): Table {
  const rows = systems.flatMap(({ name, sets, mean }) => [
    ...sets.map((set) => setRow(name, set)),
    ...(mean === null ? [] : [[name, "mean", "", percent(mean.value), interval(mean), "", ""]]),
  ]);
  return { title: "Scores", header: ["system", "set", "metric", "score", "interval", "scored", "beside it"], rows };
}

function setRow(system: string, set: SystemSet): string[] {
  const primary = set.metrics[set.primary]!;
  const others = Object.entries(set.metrics).filter(([name]) => name !== set.primary);
  const labels = set.meanLabels === null ? [] : [`${set.meanLabels.toFixed(1)} labels per answer`];
  const beside = [...others.map(([name, metric]) => `${secondary[name] ?? name} ${percent(metric.value)}`), ...labels];
  const scored = `${primary.count} of ${set.numSamples}`;
  return [
    system,
    set.dataset,
    metricTitles[set.metric],
    percent(primary.value),
    interval(primary),
    scored,
    beside.join(", "),
  ];
}

export function wheelTables({ systems }: ScoreReport): Table[] {
  return systems.flatMap(({ name, sets }) =>
    sets
      .filter(({ wheels }) => wheels.length > 0)
      .map(({ dataset, wheels }) => {
        const scores = Object.keys(wheels[0]!.scores);
        return {
          title: `${name} on ${dataset}, per wheel`,
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
    sets.flatMap(({ dataset, confusion }) =>
      confusion === null
        ? []
        : [
            {
              title: `${name} on ${dataset}: rows are the annotation, columns the answer`,
              header: ["", ...confusion.named, "outside"],
              rows: confusion.counts.map((counts, i) => [confusion.classes[i]!, ...counts.map(String)]),
            },
          ],
    ),
  );
}

export function comparisonTable({ comparisons }: ScoreReport): Table | null {
  if (comparisons.length === 0) return null;
  return {
    title: "Systems compared, sample by sample",
    header: ["first", "second", "on", "difference", "interval", "p"],
    rows: comparisons.map(({ first, second, on, difference }) => [
      first,
      second,
      on,
      percent(difference.value),
      interval(difference),
      difference.pValue === null ? none : difference.pValue < 0.001 ? "< 0.001" : difference.pValue.toFixed(3),
    ]),
  };
}

/** Published rows for the sets that were scored. */
export function publishedTables({ systems, isBenchmark }: ScoreReport): Table[] {
  const sets = [...new Set(systems.flatMap((system) => system.sets.map(({ dataset }) => dataset)))];
  const shown = publishedRows.filter((row) => isBenchmark || sets.some((name) => row.sets[name] !== undefined));
  const fixed = (value: number | null | undefined) =>
    value === null || value === undefined ? none : value.toFixed(digits);
  const onWheels = sets.filter((name) => publishedRows.some((row) => row.sets[name] !== undefined));
  const benchmark: Table = {
    title: "Published, as printed",
    header: ["system", ...onWheels, "mean of nine", "checkpoints", "source"],
    rows: shown.map(({ system, sets: values, mean, protocol, source, note }) => [
      system,
      ...onWheels.map((name) => fixed(values[name])),
      fixed(mean),
      protocol,
      note === undefined ? source : `${source} (${note})`,
    ]),
  };
  const byRecall = sets.filter((name) => publishedRecall.some((row) => row.sets[name] !== undefined));
  const recall: Table = {
    title: "Published WAR / UAR, as printed",
    header: ["system", ...byRecall],
    rows: publishedRecall.map((row) => [row.system, ...byRecall.map((name) => row.sets[name]!.map(fixed).join(" / "))]),
  };
  return [...(shown.length > 0 ? [benchmark] : []), ...(byRecall.length > 0 ? [recall] : [])];
}

/** Notes with the set that they are about. */
export function noteLines({ systems }: ScoreReport): string[] {
  return systems.flatMap(({ name, sets }) =>
    sets.flatMap(({ dataset, notes }) => notes.map(({ count, text }) => `${name}, ${dataset}: ${count} ${text}.`)),
  );
}
