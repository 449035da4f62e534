// A score report for a terminal and as Markdown.

import { noteLines, stampLines } from "./notes.ts";
import type { ScoreReport } from "./report.ts";
import { comparisonTable, confusionTables, mainTable, publishedTables, type Table, wheelTables } from "./rows.ts";

/** The tables in the order of every form. Per-wheel tables are long, so the terminal has them for one set only. */
function tablesOf(report: ScoreReport, withWheels: boolean): Table[] {
  const comparison = comparisonTable(report);
  return [
    mainTable(report),
    ...(comparison === null ? [] : [comparison]),
    ...(withWheels ? wheelTables(report) : []),
    ...confusionTables(report),
    ...publishedTables(report),
  ].filter(({ rows }) => rows.length > 0);
}

export function scoreText(report: ScoreReport): string {
  const numSets = report.systems.reduce((sum, { sets }) => sum + sets.length, 0);
  const tables = tablesOf(report, numSets === 1).map((table) => [table.title, ...alignedLines(table), ""].join("\n"));
  const notes = noteLines(report);
  return printable(
    [
      ...tables,
      ...(notes.length > 0 ? ["To know", ...notes.map((note) => `  ${note}`), ""] : []),
      ...stampLines(report),
    ].join("\n"),
  );
}

export function scoreMarkdown(report: ScoreReport): string {
  const tables = tablesOf(report, true).map(
    ({ title, header, rows }) =>
      `### ${cell(title)}\n\n${line(header)}\n${line(header.map(() => "---"))}\n${rows.map(line).join("\n")}\n`,
  );
  const notes = noteLines(report).map((note) => `- ${cell(note)}`);
  const stamps = stampLines(report).map((stamp) => `- ${cell(stamp)}`);
  return `${[...tables, ...(notes.length > 0 ? [`### To know\n\n${notes.join("\n")}\n`] : []), stamps.join("\n")].join("\n")}\n`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.map(cell).join(" | ")} |`;
}

/** Names come from files: they must not end a cell or begin a tag. */
function cell(text: string): string {
  return printable(text).replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ");
}

/** What files contain must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, "?");
}

function alignedLines({ header, rows }: Table): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map((row) => `  ${row.map((text, column) => text.padEnd(widths[column]!)).join("  ")}`.trimEnd());
}
