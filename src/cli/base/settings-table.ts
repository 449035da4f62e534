// What `--settings` prints: every setting of a command with its default, what it may be, and where the paper has it.

import type { Setting } from "../../run/settings.ts";
import { printJson } from "./json.ts";

export function printSettings(command: string, settings: readonly Setting[], isJson: boolean): void {
  if (isJson) printJson("settings", { command, settings: settings.map(settingRow) });
  else console.log(settingsText(command, settings));
}

function settingRow(setting: Setting) {
  const { path, description, default: standard, defaultText, range, symbol, paper, source, isRequired } = setting;
  return {
    path,
    description,
    ...(standard === undefined ? {} : { default: standard }),
    ...(defaultText === "" || defaultText === String(standard) ? {} : { defaultMeans: defaultText }),
    range,
    symbol,
    paper,
    source,
    isRequired,
  };
}

/** Two lines a setting: name, default, range and the paper; then what it is. */
function settingsText(command: string, settings: readonly Setting[]): string {
  const rows = settings.map((setting) => [setting.path, standardOf(setting), setting.range, paperText(setting)]);
  const head = ["setting", "default", "range", "paper"];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => shortLength(row[column]!))));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd();
  const lines = rows.flatMap((row, index) => {
    const { description } = settings[index]!;
    return [line(row), ...(description === "" ? [] : [`    ${description}`])];
  });
  return [
    `${command}: its settings, for --set setting=value and --config FILE; every one is an option too`,
    "",
    line(head),
    ...lines,
  ].join("\n");
}

const maxWidth = 40;

/** A cell that is longer than most does not widen its column. */
function shortLength(cell: string): number {
  return cell.length > maxWidth ? 0 : cell.length;
}

function standardOf({ defaultText, default: standard, isRequired }: Setting): string {
  if (isRequired) return "(required)";
  if (defaultText !== "") return defaultText;
  if (standard === "") return '""';
  return standard === undefined || standard === null ? "none" : String(standard);
}

/** Example: "delta = 0.5 (Eq. 3, 9)" */
function paperText({ symbol, paper, source }: Setting): string {
  const value = [symbol, paper].filter((part) => part !== null).join(" = ");
  if (source === null) return value;
  return value === "" ? source : `${value} (${source})`;
}
