// What `oppo score mme-emotion` gives: the JSON of --json, and the tables for a terminal.
import type { BootstrapOptions } from "../../../bench/bootstrap.ts";
import type { Metric, Report } from "../../../bench/report.ts";

export interface MmeTaskReport {
  readonly name: string;
  readonly numClips: number;
  /** Answers that should have a judgement and have none: they are in no judged score. */
  readonly numMissing: number;
  readonly metrics: Report;
}

export interface MmeReport {
  readonly responses: string;
  /** Null: no server was asked. */
  readonly judge: string | null;
  readonly steps: string | null;
  readonly isSeen: boolean;
  readonly alpha: number;
  readonly bootstrap: BootstrapOptions;
  readonly tasks: readonly MmeTaskReport[];
  /** Over all clips, so that a task weighs as many as it has. */
  readonly pooled: MmeTaskReport;
  readonly notes: readonly string[];
}

const columns: readonly (readonly [metric: string, title: string, scale: number])[] = [
  ["recognition", "Rec-S", 100],
  ["reasoning", "Rea-S", 100],
  ["cot", "CoT-S", 100],
  ["steps", "steps", 1],
  ["labelRecall", "labels", 100],
  ["labelF1", "labels F1", 100],
  ["outOfVocabulary", "no label", 100],
  ["ambiguous", "several", 100],
];

export function mmeText(report: MmeReport): string {
  const header = ["", ...columns.map(([, title]) => title), "clips", "unjudged"];
  const rows = [...report.tasks, report.pooled].map(({ name, numClips, numMissing, metrics }) => [
    name,
    ...columns.map(([metric, , scale]) => cell(metrics[metric]!, scale)),
    String(numClips),
    String(numMissing),
  ]);
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]!.length)));
  const lines = [header, ...rows].map((row) =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!))).join("  "),
  );
  const { judge, steps, isSeen, bootstrap, notes } = report;
  return printable(
    [
      "MME-Emotion, in percent",
      ...lines.map((line) => `  ${line}`),
      "",
      ...(judge === null
        ? []
        : [`Steps by ${steps}; judged by ${judge}, ${isSeen ? "with frames" : "without frames"}.`]),
      `Intervals: ${100 * bootstrap.confidence}%, ${bootstrap.numResamples} resamples of clips, seed ${bootstrap.seed}.`,
      ...notes,
    ].join("\n"),
  );
}

/** What files and servers say must not steer the terminal. */
const printable = (text: string): string => text.replace(/[^\P{Cc}\n]/gu, "?");

function cell({ value, low, high }: Metric, scale: number): string {
  const digits = (number: number | null) => (scale * (number ?? 0)).toFixed(1);
  return value === null ? "-" : `${digits(value)} [${digits(low)}, ${digits(high)}]`;
}
