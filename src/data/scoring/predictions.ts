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

/** Where files of people and trainers have a sample's name; a list of one clip names it too. */
export const nameColumns = [
  ...["name", "id", "filename", "names", "video_id", "video", "video_path", "sample", "sample_id"],
  ...["videos", "audios", "images", "clips"],
];
const polarityColumns = ["sentiment", "polarity"];
/** What trainers call the annotation ("labels" of ms-swift, "label" of LLaMA-Factory) comes after what they call the answer. */
const textColumns = [
  ...["text", "prediction", "pred", "predict", "response", "answer", "output", "completion", "generated_text"],
  ...["openset", "labels", "label", "reason", "reasons"],
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
  throw fileError(file, first.line, `${wanted} with ${what}`, got, columnAdvice(Object.keys(first.cells), usual));
}

/** Columns of files whose rows name no sample, because they stand in the order of the data -> who writes them. */
const unnamedForms: readonly (readonly [columns: readonly string[], writer: string])[] = [
  [["prompt", "predict", "label"], "LLaMA-Factory's generated_predictions.jsonl"],
  [["input", "output", "score"], "verl's rollout dump"],
  [["prompt", "completion"], "TRL's completions"],
  [["response", "messages"], "swift infer's result without clips"],
];

function columnAdvice(got: readonly string[], usual: readonly string[]): string {
  if (/[\uff0c;\t]/.test(got.join(", "))) {
    return "Separate the columns with commas: it has full-width commas, semicolons or tabs.";
  }
  const option = "Name the column with --name-column or --text-column";
  const writer = unnamedForms.find(([columns]) => columns.every((column) => got.includes(column)))?.[1];
  if (writer === undefined || usual !== nameColumns) return `${option}.`;
  return (
    `${option}. It looks like ${writer}, whose rows stand in the order of the data file and name no sample: put the data's ` +
    "names beside them first (docs/scoring.md has the lines)."
  );
}

export function nameOf(file: string, line: number, value: unknown): string {
  const one = onlyOne(value);
  if (typeof one === "string" && one.trim() !== "") return one.trim();
  if (typeof one === "number" && Number.isFinite(one)) return String(one);
  const [got, advice] = Array.isArray(value)
    ? [
        `a list of ${value.length}`,
        "A list names a sample where it holds one path; name another column with --name-column.",
      ]
    : [shown(value), "Name every row."];
  throw scoreError("ERR_SCORE_NAMES", file, line, `expected a sample's name, got ${got}. ${advice}`);
}

/** Trainers write a row's clips as lists of paths, or of objects with a path. */
function onlyOne(value: unknown): unknown {
  const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  const isObject = Array.isArray(value) && typeof one === "object" && one !== null && "path" in one;
  return isObject ? one.path : one;
}

function textOf(file: string, line: number, value: unknown): RawLabels {
  if (typeof value === "string") return value;
  // NaN is what Python makes of an empty cell.
  if (value === null || value === undefined || Number.isNaN(value)) return null;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  if (typeof value === "number") return String(value);
  const message = Array.isArray(value) ? lastAnswer(value) : null;
  if (message !== null) return message;
  throw fileError(file, line, "a text or a list of labels", shown(value), "Repair the row.");
}

/** What the assistant said last, of a completion as a list of messages; null where it is none. */
function lastAnswer(messages: readonly unknown[]): string | null {
  const isMessage = (item: unknown): item is { role: string; content: unknown } =>
    typeof item === "object" && item !== null && "role" in item && "content" in item;
  if (!messages.every(isMessage)) return null;
  const content = messages.filter(({ role }) => role === "assistant").at(-1)?.content;
  return typeof content === "string" ? content : null;
}
