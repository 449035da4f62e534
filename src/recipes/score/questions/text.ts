// Scores of closed questions for a terminal.
import type { Metric } from "../../../bench/report.ts";
import { pValueText } from "../../../bench/statistics/p-value.ts";
import type { QuestionsReport } from "./questions.ts";

const columns: readonly (readonly [metric: string, title: string])[] = [
  ["accuracy", "accuracy"],
  ["pairRight", "both right"],
  ["yesRight", "yes right"],
  ["noRight", "no right"],
  ["harmonic", "harmonic"],
  ["yesRate", "yes-rate"],
  ["unreadable", "unreadable"],
];

export function questionsText({ systems, comparisons, bootstrap, notes }: QuestionsReport): string {
  const shown = columns.filter(([metric]) => systems.some(({ all }) => all.metrics[metric] !== undefined));
  const header = ["system", "task", ...shown.map(([, title]) => title), "questions"];
  const rows = systems.flatMap(({ name, tasks, all }) =>
    [...(tasks.length > 1 ? tasks : []), all].map((task) => [
      name,
      task.name,
      ...shown.map(([metric]) => cell(task.metrics[metric])),
      String(task.numQuestions),
    ]),
  );
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row.map((text, column) => (column < 2 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!))).join("  ");
  const differences = comparisons.flatMap(({ first, second, differences: of }) =>
    ["accuracy", "pairRight"].flatMap((metric) => {
      const difference = of[metric];
      if (difference === undefined || difference.pValue === null) return [];
      const title = columns.find(([name]) => name === metric)![1];
      return [
        `${first} - ${second}, ${title}: ${cell(difference)}, p ${pValueText(difference.pValue, bootstrap.numResamples)}`,
      ];
    }),
  );
  return printable(
    [
      "In percent",
      ...[header, ...rows].map((row) => `  ${line(row)}`.trimEnd()),
      "",
      ...differences,
      `Intervals: ${100 * bootstrap.confidence}%, ${bootstrap.numResamples} resamples of clips, seed ${bootstrap.seed}.`,
      ...notes,
    ].join("\n"),
  );
}

function cell(metric: Metric | undefined): string {
  if (metric === undefined || metric.value === null) return "-";
  const digits = (number: number | null) => (100 * (number ?? 0)).toFixed(1);
  return `${digits(metric.value)} [${digits(metric.low)}, ${digits(metric.high)}]`;
}

/** What files contain must not steer the terminal. */
const printable = (text: string): string => text.replace(/[^\P{Cc}\n]/gu, "?");
