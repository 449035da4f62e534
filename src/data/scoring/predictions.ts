// Predictions of one system on one data set: a text per sample name. Names that come twice with different texts are refused,
// because no choice between them could be right.
import type { RawLabels } from "../ground-truth.ts";
import { type FileRow, fileError, readRows, scoreError, shown } from "./rows.ts";

export interface Predictions {
  readonly file: string;
  readonly texts: ReadonlyMap<string, RawLabels>;
  /** Names with several rows of the same text. */
  readonly repeatedNames: readonly string[];
  /** Whether the column is called sentiment or polarity, or the file's name says so. */
  readonly isPolarity: boolean;
}

export interface ColumnChoice {
  readonly name?: string;
  readonly text?: string;
}

const nameColumns = ["name", "id", "filename", "names", "video_id", "video", "video_path", "sample"];
const polarityColumns = ["sentiment", "polarity"];
const textColumns = [
  ...["text", "prediction", "pred", "response", "answer", "output", "openset", "labels", "label", "reason", "reasons"],
  ...polarityColumns,
];

/** @throws DatasetError ERR_SCORE_FILE, ERR_SCORE_NAMES */
export function readPredictions(file: string, columns: ColumnChoice = {}): Predictions {
  const rows = readRows(file);
  const nameColumn = columnIn(file, rows, columns.name, nameColumns, "the sample's name");
  const textColumn = columnIn(file, rows, columns.text, textColumns, "the prediction");
  const texts = new Map<string, RawLabels>();
  const lines = new Map<string, number>();
  const repeatedNames: string[] = [];
  for (const { line, cells } of rows) {
    const name = nameOf(file, line, cells[nameColumn]);
    const text = textOf(file, line, cells[textColumn]);
    if (texts.has(name)) {
      if (JSON.stringify(texts.get(name)) !== JSON.stringify(text)) {
        const message = `expected every sample once, got "${name}" here and in line ${lines.get(name)} with another text. Remove one of them.`;
        throw scoreError("ERR_SCORE_NAMES", file, line, message);
      }
      repeatedNames.push(name);
    }
    texts.set(name, text);
    lines.set(name, line);
  }
  const isPolarity = polarityColumns.includes(textColumn) || /-sentiment\.npz$/.test(file);
  return { file, texts, repeatedNames, isPolarity };
}

export function columnIn(
  file: string,
  rows: readonly FileRow[],
  chosen: string | undefined,
  usual: readonly string[],
  what: string,
): string {
  const [first] = rows;
  if (first === undefined) throw fileError(file, 0, "at least one row", "none", "Check that the run was complete.");
  const has = (column: string) => Object.hasOwn(first.cells, column);
  const column = chosen === undefined ? usual.find(has) : [chosen].find(has);
  if (column !== undefined) return column;
  const wanted = chosen === undefined ? `one of the columns ${usual.join(", ")}` : `a column "${chosen}"`;
  const got = Object.keys(first.cells).join(", ").slice(0, 200);
  const advice = /[\uff0c;\t]/.test(got)
    ? "Separate the columns with commas: it has full-width commas, semicolons or tabs."
    : "Name the column with --name-column or --text-column.";
  throw fileError(file, first.line, `${wanted} with ${what}`, got, advice);
}

export function nameOf(file: string, line: number, value: unknown): string {
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  throw scoreError("ERR_SCORE_NAMES", file, line, `expected a sample's name, got ${shown(value)}. Name every row.`);
}

function textOf(file: string, line: number, value: unknown): RawLabels {
  if (typeof value === "string") return value;
  // NaN is what Python makes of an empty cell.
  if (value === null || value === undefined || Number.isNaN(value)) return null;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  if (typeof value === "number") return String(value);
  throw fileError(file, line, "a text or a list of labels", shown(value), "Repair the row.");
}
