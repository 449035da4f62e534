// Rows of a file that people bring to be scored: JSON lines, CSV, or NumPy archives in the community's layouts. All of
// them become rows of named cells with the line they stand on.
import { readFileSync, statSync } from "node:fs";
import { basename, extname } from "node:path";
import { parse } from "csv-parse/sync";
import type { ErrorCode } from "../../error.ts";
import { DatasetError } from "../jsonl.ts";
import type { NumpyArray } from "../numpy/array.ts";
import { readNpz, unwrapScalar } from "../numpy/npz.ts";

export interface FileRow {
  /** 1-based; for archives the position of the entry. */
  readonly line: number;
  readonly cells: Readonly<Record<string, unknown>>;
}

const maxFileBytes = 2 ** 29;

/** @throws DatasetError ERR_SCORE_FILE, or one of the NumPy codes */
export function readRows(file: string): FileRow[] {
  const { size } = statSync(file);
  if (size > maxFileBytes) throw fileError(file, 0, `at most ${maxFileBytes} bytes`, String(size), "Split it.");
  const kind = extname(file).toLowerCase();
  if (kind === ".npz") return archiveRows(file);
  const text = readText(file);
  if (kind === ".csv") return csvRows(file, text);
  if (kind === ".json") return jsonRows(file, text);
  if (kind === ".jsonl") return jsonlRows(file, text);
  throw fileError(file, 0, "a file that ends in .jsonl, .json, .csv or .npz", basename(file), "Rename or convert it.");
}

export function fileError(file: string, line: number, expected: string, got: string, advice: string): DatasetError {
  return scoreError("ERR_SCORE_FILE", file, line, `expected ${expected}, got ${got}. ${advice}`);
}

export function scoreError(code: ErrorCode, file: string, line: number, text: string): DatasetError {
  return new DatasetError(code, `${line > 0 ? `${file}:${line}` : file}: ${text}`, { file, line });
}

/** A value for a message. Archives can hold what JSON cannot write: dicts, bytes, lists that contain themselves. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length} with something else than texts in it`;
  if (value instanceof Map) return `a dict of ${value.size}`;
  if (ArrayBuffer.isView(value)) return "bytes or numbers";
  if (typeof value === "object" && value !== null) return `an object with ${Object.keys(value).slice(0, 5).join(", ")}`;
  return typeof value === "string" ? JSON.stringify(value.slice(0, maxShown)) : String(value);
}

const maxShown = 60;

function readText(file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw fileError(file, 0, "UTF-8 text", "other bytes", "Convert it to UTF-8.");
  }
}

function jsonlRows(file: string, text: string): FileRow[] {
  return text.split("\n").flatMap((source, i): FileRow[] => {
    if (source.trim() === "") return [];
    return [{ line: i + 1, cells: objectOf(file, i + 1, parseJson(file, i + 1, source)) }];
  });
}

/** A list of objects, or one object from name to text. */
function jsonRows(file: string, text: string): FileRow[] {
  const value = parseJson(file, 0, text);
  if (Array.isArray(value)) return value.map((row, i) => ({ line: i + 1, cells: objectOf(file, i + 1, row) }));
  return Object.entries(objectOf(file, 0, value)).map(([name, cell], i) => ({
    line: i + 1,
    cells: { name, text: cell },
  }));
}

function parseJson(file: string, line: number, source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (cause) {
    const advice = /\bNaN\b/.test(source) ? "NaN, which Python writes, is no JSON: write null." : "Repair the line.";
    throw fileError(file, line, "JSON", (cause as Error).message, advice);
  }
}

function objectOf(file: string, line: number, value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw fileError(file, line, "a JSON object", shown(value), "Repair the line.");
}

function csvRows(file: string, text: string): FileRow[] {
  try {
    const rows = parse(text, { bom: true, columns: true, info: true, skip_empty_lines: true }) as unknown as {
      record: Record<string, string>;
      info: { lines: number };
    }[];
    return rows.map(({ record, info }) => ({ line: info.lines, cells: record }));
  } catch (cause) {
    const { lines, message } = cause as Error & { lines?: number };
    throw fileError(file, lines ?? 0, "CSV with a header and as many cells in every row", message, "Repair the file.");
  }
}

/** `name2reason` is a dict; `filenames` and `fileitems` are lists side by side. */
function archiveRows(file: string): FileRow[] {
  const members = readNpz(file);
  const reasons = members.get("name2reason");
  if (reasons !== undefined) {
    const value = unwrapScalar(reasons);
    if (!(value instanceof Map)) throw fileError(file, 0, "a dict name2reason", "something else", "Check the file.");
    return [...value].map(([name, text], i) => ({ line: i + 1, cells: { name, text } }));
  }
  const names = members.get("filenames");
  const texts = members.get("fileitems");
  if (names === undefined || texts === undefined || names.values.length !== texts.values.length) {
    const got = [...members].map(([name, { shape }]) => `${name} (${shape.join(", ")})`).join(", ") || "nothing";
    throw fileError(
      file,
      0,
      "name2reason, or filenames and fileitems of one length",
      got,
      "Check that it holds predictions.",
    );
  }
  const cell = ({ values }: NumpyArray, i: number) => values[i];
  return Array.from({ length: names.values.length }, (_, i) => ({
    line: i + 1,
    cells: { name: cell(names, i), text: cell(texts, i) },
  }));
}
