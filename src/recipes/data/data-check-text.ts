// The findings of a data check as text for a terminal.
import type { DatasetReader, DatasetSource } from "../../data/reader.ts";
import { type DataCheck, leftOut, type SplitCheck } from "./data-check.ts";
import type { ExportResult } from "./data-export.ts";

const maxLabelsShown = 15;

export function dataCheckText(check: DataCheck): string {
  const { title, root, splits, problems, notes, source } = check;
  const there = splits.filter(({ state }) => state === "read");
  const rows = splits.flatMap(({ rowProblems }) =>
    rowProblems.map(({ file, line, reason }) => `${file}:${line}: ${reason}`),
  );
  return [
    `${title} in ${root}`,
    ...(there.length > 0 ? ["", ...tableLines(there)] : []),
    ...section("Labels", there.filter(hasLabels).map(labelLine)),
    ...section("To repair", problems),
    ...section("Rows", rows),
    ...(check.isThere && !lacksMedia(there) ? [] : howToGet(source)),
    ...section("To know", notes),
    ...(problems.length === 0 ? ["", "Nothing to repair."] : []),
  ]
    .map(printable)
    .join("\n");
}

const maxLineLength = 1000;

/** What files contain must not steer the terminal. */
function printable(line: string): string {
  const text = line.replace(/\p{Cc}/gu, "?");
  return text.length > maxLineLength ? `${text.slice(0, maxLineLength)} ...` : text;
}

export function exportText({ dataset, split, file, numSamples, numSkippedRows, leftOut, link }: ExportResult): string {
  return [
    `${dataset}, ${split}: ${numSamples} samples in ${file}`,
    ...(numSkippedRows > 0 ? [`${numSkippedRows} rows are no samples (oppo data check names them)`] : []),
    ...(leftOut.length > 0 ? [`${leftOut.length} samples without their media were left out`] : []),
    ...(link === null ? [] : [`Media are found through the link ${link}`]),
  ]
    .map(printable)
    .join("\n");
}

export function dataListText(readers: readonly Omit<DatasetReader, "read">[]): string {
  const rows = readers.map(({ name, title, kind, splits }) => [
    name,
    title,
    kind,
    splits.map((split) => split.name).join(", "),
  ]);
  return alignedLines([["name", "in tables", "labels", "splits"], ...rows]).join("\n");
}

function tableLines(splits: readonly SplitCheck[]): string[] {
  const header = ["split", "samples", "published", "left out", "no label", "no subtitle", "no clip", "no sound file"];
  const rows = splits.map((split) => [
    split.name,
    String(split.numSamples),
    split.numPublished === null ? "-" : String(split.numPublished),
    String(leftOut(split)),
    String(split.numWithoutLabels),
    String(split.numWithoutSubtitle),
    String(split.missingMedia.length),
    String(split.missingAudio.length),
  ]);
  return alignedLines([header, ...rows]);
}

function alignedLines(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}`.trimEnd());
}

/** Whether a split has come without all of its clips, or all of its sound: then they are yet to be downloaded. */
function lacksMedia(splits: readonly SplitCheck[]): boolean {
  return splits.some(
    ({ numSamples, missingMedia, missingAudio }) =>
      numSamples > 0 && (missingMedia.length === numSamples || missingAudio.length === numSamples),
  );
}

function hasLabels({ labels }: SplitCheck): boolean {
  return Object.keys(labels).length > 0;
}

function labelLine({ name, labels }: SplitCheck): string {
  const entries = Object.entries(labels);
  const shown = entries.slice(0, maxLabelsShown).map(([label, count]) => `${label} ${count}`);
  const rest = entries.length - shown.length;
  return `${name}: ${shown.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

function howToGet({ access, layout }: DatasetSource): string[] {
  return [...section("Where to get it", [access]), ...section("How the folder must look", layout)];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}
