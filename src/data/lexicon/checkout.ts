// Reads the emotion lexicon out of a checkout of AffectGPT or MERTools, exactly as the official code builds it: five wheels
// and a table of synonyms as spreadsheets, a CSV of word forms (2025), or one NumPy file with all of it (2026, corrected).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { strip } from "../../emotion/labels.ts";
import { type WheelRow, wheelFromRows } from "../../emotion/rings.ts";
import type { EmotionLexicon, EmotionWheel } from "../../emotion/wheel.ts";
import { DatasetError } from "../jsonl.ts";
import { readNpz, unwrapScalar } from "../numpy/npz.ts";
import { readSpreadsheet } from "./spreadsheet.ts";

const numWheels = 5;
const maxDepth = 4;
const wheelNames = Array.from({ length: numWheels }, (_, i) => `wheel${i + 1}`);
const spreadsheets = [...wheelNames.map((name) => `${name}.xlsx`), "synonym.xlsx", "format.csv"];
const archive = "wheel_mapping.npz";

/** The lexicons found below the folder, with the folder or file each came from. @throws DatasetError ERR_LEXICON_ABSENT */
export async function readLexiconCheckout(folder: string): Promise<{ lexicon: EmotionLexicon; source: string }[]> {
  const folders = foldersBelow(folder, maxDepth);
  const tables = folders.find((path) => spreadsheets.every((name) => existsSync(join(path, name))));
  const npz = folders.map((path) => join(path, archive)).find((path) => existsSync(path));
  const found: { lexicon: EmotionLexicon; source: string }[] = [];
  if (tables !== undefined) found.push({ lexicon: await lexiconFromSpreadsheets(tables), source: tables });
  if (npz !== undefined) found.push({ lexicon: lexiconFromArchive(npz), source: npz });
  if (found.length > 0) return found;
  const partial = folders.find((path) => spreadsheets.some((name) => existsSync(join(path, name))));
  const missing = spreadsheets.filter((name) => !existsSync(join(partial ?? folder, name)));
  throw new DatasetError(
    "ERR_LEXICON_ABSENT",
    `${partial ?? folder}: expected the files of the emotion lexicon, got none of ${missing.join(", ")} (nor ${archive}). ` +
      "Give a checkout of github.com/zeroQiaoba/AffectGPT (folder AffectGPT/emotion_wheel) or github.com/zeroQiaoba/MERTools.",
    { file: folder },
  );
}

function foldersBelow(folder: string, depth: number): string[] {
  if (depth === 0 || !existsSync(folder)) return existsSync(folder) ? [folder] : [];
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
    .map(({ name }) => name)
    .sort();
  return [folder, ...names.flatMap((name) => foldersBelow(join(folder, name), depth - 1))];
}

/** The published tables of 2025: "affectgpt". */
export async function lexiconFromSpreadsheets(folder: string): Promise<EmotionLexicon> {
  const wheels: EmotionWheel[] = [];
  for (const name of wheelNames) wheels.push(wheelFromRows(name, await readWheel(join(folder, `${name}.xlsx`))));
  const forms = readForms(join(folder, "format.csv"));
  const synonyms = await readSynonyms(join(folder, "synonym.xlsx"));
  return { name: "affectgpt", wheels, forms, synonyms };
}

/** Header level1, level2, level3; a blank cell repeats the one above, as merged cells come out. */
async function readWheel(file: string): Promise<WheelRow[]> {
  const [header, ...rows] = await readSpreadsheet(file);
  const columns = ["level1", "level2", "level3"].map((name) => columnOf(file, header ?? [], name));
  let above: string[] = [];
  return rows
    .map((row) => columns.map((column) => strip((row[column] ?? "").toLowerCase())))
    .filter((cells) => cells.some((cell) => cell !== ""))
    .map((cells, i) => {
      above = cells.map((cell, level) => (cell === "" && level < 2 ? (above[level] ?? "") : cell));
      const [inner, middle, outer] = above as [string, string, string];
      if (above.includes("")) throw tableError(file, i + 2, "three rings in every row", "an empty cell");
      return [inner, middle, outer] as const;
    });
}

/** word_run1, synonym_run1, ... word_run8, synonym_run8: per run a wheel word and a comma list of its synonyms. */
async function readSynonyms(file: string): Promise<Map<string, string[]>> {
  const [header = [], ...rows] = await readSpreadsheet(file);
  const runs = header.flatMap((name, column) => {
    const run = /^word_run(\d+)$/.exec(name)?.[1];
    return run === undefined ? [] : [[column, columnOf(file, header, `synonym_run${run}`)] as const];
  });
  if (runs.length === 0) throw tableError(file, 1, "columns word_run1, synonym_run1 and so on", header.join(", "));
  const synonyms = new Map<string, Set<string>>();
  for (const row of rows) {
    for (const [wordColumn, synonymColumn] of runs) {
      const word = strip((row[wordColumn] ?? "").toLowerCase());
      if (word === "") continue;
      for (const synonym of [word, ...items((row[synonymColumn] ?? "").toLowerCase())]) add(synonyms, synonym, word);
    }
  }
  return sorted(synonyms);
}

/** name, format: a word and a comma list of its forms. Case is kept. */
function readForms(file: string): Map<string, string[]> {
  let records: Record<string, string>[];
  try {
    records = parse(readFileSync(file), { bom: true, columns: true, relax_quotes: true, skip_empty_lines: true });
  } catch (cause) {
    throw tableError(file, 1, "CSV with the columns name and format", (cause as Error).message);
  }
  const forms = new Map<string, Set<string>>();
  records.forEach(({ name, format }, i) => {
    if (name === undefined || format === undefined)
      throw tableError(file, i + 2, "the columns name and format", "others");
    for (const form of [name, ...items(format)]) add(forms, form, name);
  });
  return sorted(forms);
}

/** The corrected tables of 2026, as one NumPy file: "mer2026". */
export function lexiconFromArchive(file: string): EmotionLexicon {
  const members = readNpz(file);
  const table = (name: string): Map<string, unknown> => {
    const array = members.get(name);
    const value = array === undefined ? undefined : unwrapScalar(array);
    if (value instanceof Map) return value as Map<string, unknown>;
    throw tableError(file, 0, `a dict "${name}"`, array === undefined ? "none" : "something else");
  };
  const lists = (name: string) => {
    const result = new Map<string, Set<string>>();
    for (const [key, value] of table(name)) {
      for (const word of Array.isArray(value) ? value : [value]) add(result, key, text(file, word));
    }
    return sorted(result);
  };
  const rings = table("wheel_map_whole");
  const wheels = wheelNames.map((name): EmotionWheel => {
    const ring = (level: string) => {
      const map = (rings.get(name) as Map<string, unknown> | undefined)?.get?.(level);
      if (!(map instanceof Map)) throw tableError(file, 0, `wheel_map_whole of ${name} ${level}`, "none");
      return new Map([...map].map(([word, group]) => [text(file, word), text(file, group)]));
    };
    return { name, levels: { level1: ring("level1"), level2: ring("level2") } };
  });
  return { name: "mer2026", wheels, forms: lists("format_mapping"), synonyms: lists("raw_mapping") };
}

function text(file: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw tableError(file, 0, "words", typeof value);
}

function items(list: string): string[] {
  return list
    .split(",")
    .map(strip)
    .filter((item) => item !== "");
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, new Set([value]));
  else values.add(value);
}

function sorted(map: ReadonlyMap<string, ReadonlySet<string>>): Map<string, string[]> {
  return new Map([...map].map(([key, values]) => [key, [...values].sort()]));
}

function columnOf(file: string, header: readonly string[], name: string): number {
  const column = header.map((cell) => strip(cell.toLowerCase())).indexOf(name);
  if (column >= 0) return column;
  throw tableError(file, 1, `a column "${name}"`, header.join(", ") || "none");
}

function tableError(file: string, line: number, expected: string, got: string): DatasetError {
  const place = line > 0 ? `${file}:${line}` : file;
  const message = `${place}: expected ${expected}, got ${got.slice(0, 200)}. Check out the lexicon's repository again.`;
  return new DatasetError("ERR_LEXICON_TABLE", message, { file, line });
}
