// A grid that a person puts together: presets times the values of training settings times cold starts, from options or a file.
import { z } from "zod";
import { OppoError } from "../../error.ts";
import { resolveConfig } from "../../run/config.ts";
import { type PresetName, presets } from "../../train/presets.ts";
import { rowConfig } from "./cells.ts";
import type { Grid, GridRow } from "./grid.ts";
import type { AblateConfig } from "./settings.ts";
import { type StartKind, startNames } from "./start-kinds.ts";
import { symbols, tableColumns, tableCurves } from "./tables.ts";

const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]];
const value = z.union([z.number(), z.string(), z.boolean(), z.null(), z.array(z.unknown())]);

/** The file of `--grid`. */
const gridFileSchema = z.strictObject({
  title: z.string().default("A grid of my own").describe("over the table"),
  presets: z.array(z.enum(presetNames)).min(1).describe("rows"),
  vary: z.record(z.string(), z.array(value).min(1)).default({}).describe("training settings and their values"),
  starts: z.array(z.enum(startNames)).min(1).default(["mixed"]).describe("cold starts"),
});

interface FreeGrid {
  readonly title: string;
  readonly presets: readonly PresetName[];
  readonly vary: readonly Axis[];
  readonly starts: readonly StartKind[];
}

interface Axis {
  readonly path: string;
  readonly values: readonly string[];
}

const mostRows = 200;

/** @throws OppoError ERR_ABLATE_GRID, ConfigError for settings that are none or that do nothing in a row */
export function freeGrid(config: AblateConfig): Grid {
  const { title, presets: names, vary, starts } = config.grid === null ? fromOptions(config) : fromFile(config.grid);
  const combinations = vary.reduce<readonly (readonly string[])[]>(
    (all, { path, values }) => all.flatMap((some) => values.map((one) => [...some, `${path}=${one}`])),
    [[]],
  );
  const numRows = names.length * combinations.length * starts.length;
  if (numRows > mostRows) {
    throw new OppoError(
      "ERR_ABLATE_GRID",
      `the grid: expected at most ${mostRows} rows, got ${names.length} presets x ${combinations.length} combinations x ${starts.length} cold starts = ${numRows}. Vary less at once.`,
    );
  }
  const rows = starts.flatMap((start) => [
    startRow(start, starts.length > 1),
    ...names.flatMap((preset) =>
      combinations.map((settings) => ownRow(start, preset, settings, vary, starts.length > 1)),
    ),
  ]);
  // A typo is to be told before anything is made.
  for (const row of rows) if (row.preset !== null) rowConfig(row, config, 0);
  const isSwept = vary.length === 1 && names.length === 1;
  return {
    ...{ name: "grid", title, rows, columns: tableColumns, statements: [], curves: tableCurves, notes: [] },
    evaluation: { suite: true, conditions: [] },
    choice: config.choose ? { symbol: isSwept ? vary[0]!.path : "the row" } : null,
    ...{ numStarts: 1, numSeeds: 1 },
  };
}

function startRow(start: StartKind, isNamed: boolean): GridRow {
  const title = isNamed ? `Cold start, ${start}` : "Cold start";
  return {
    name: isNamed ? `${start}/sft` : "sft",
    title,
    preset: null,
    overrides: [],
    start,
    swept: null,
    printed: {},
  };
}

function ownRow(
  start: StartKind,
  preset: PresetName,
  settings: readonly string[],
  vary: readonly Axis[],
  isNamed: boolean,
): GridRow {
  const name = [...(isNamed ? [start] : []), preset, ...settings].join("/");
  const title = [...(isNamed ? [start] : []), presets[preset].title, ...settings].join(", ");
  const text = settings.length === 1 ? settings[0]!.slice(vary[0]!.path.length + 1) : null;
  const swept = text === null ? null : Number.isNaN(Number(text)) ? text : Number(text);
  const overrides = settings.map((setting) => {
    const equals = setting.indexOf("=");
    const symbol = symbols[setting.slice(0, equals)];
    return symbol === undefined ? setting : symbol(setting.slice(equals + 1));
  });
  return { name, title, preset, overrides, start, swept, printed: {} };
}

function fromOptions({ presets: names, vary, starts }: AblateConfig): FreeGrid {
  if (names.length === 0) {
    throw new OppoError(
      "ERR_ABLATE_GRID",
      `the grid: expected --table, --figure, --experiment, --grid or --presets, got none of them. Example: --presets oppo --set perception.maskRatio=0.7,1`,
    );
  }
  return { title: "A grid of my own", presets: names, vary: vary.map(parseAxis), starts };
}

function fromFile(file: string): FreeGrid {
  const { vary, ...grid } = resolveConfig(gridFileSchema, { file });
  const axes = Object.entries(vary).map(([path, values]): Axis => {
    return { path, values: values.map((one) => (typeof one === "string" ? one : JSON.stringify(one))) };
  });
  return { ...grid, vary: axes };
}

function parseAxis(text: string): Axis {
  const equals = text.indexOf("=");
  const values = equals <= 0 ? [] : splitValues(text.slice(equals + 1));
  if (values.length === 0 || values.includes("")) {
    throw new OppoError(
      "ERR_ABLATE_GRID",
      `--vary ${text}: expected a training setting and its values, path=a,b,c, got ${equals <= 0 ? "no =" : "an empty value"}. Example: --vary perception.maskRatio=0.7,1`,
    );
  }
  return { path: text.slice(0, equals).trim(), values };
}

/** At commas that stand in no bracket. Example: "[1, 2],3" -> ["[1, 2]", "3"] */
function splitValues(text: string): string[] {
  const values = [""];
  let depth = 0;
  for (const letter of text) {
    if ("[{".includes(letter)) depth++;
    if ("]}".includes(letter)) depth--;
    if (letter === "," && depth === 0) values.push("");
    else values[values.length - 1] += letter;
  }
  return values.map((one) => one.trim());
}
