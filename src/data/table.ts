// CSV tables of the data sets, row by row, as pandas reads them: a byte order mark, CRLF, quoted cells with commas and line
// breaks, and quotes inside unquoted cells are all met in published files. Rows have the line on which they begin.
import { createReadStream, statSync } from "node:fs";
import { type CsvError, type Info, parse } from "csv-parse";
import { replacementCharacter } from "./folder.ts";
import { DatasetError } from "./jsonl.ts";
import type { SkipRow } from "./reader.ts";

export interface TableRow<Column extends string> {
  /** 1-based. */
  readonly line: number;
  /** Missing values are "". */
  readonly cells: Readonly<Record<Column, string>>;
}

const maxFileBytes = 2 ** 28;
const maxRecordLength = 1_000_000;

/** What `pandas.read_csv` takes for a missing value (its `na_values` default), which the official readers rely on. */
const missingCells = new Set(
  "|#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null".split("|"),
);

/**
 * Rows with the wanted columns, in the file's order. A row with more cells than the header, without a wanted cell, or with
 * bytes that are not UTF-8 is skipped.
 * @throws DatasetError `ERR_DATASET_TABLE_COLUMNS` for another header, `ERR_DATASET_TABLE_BROKEN`, `ERR_DATASET_UNREADABLE`
 */
export async function* readTable<Column extends string>(
  file: string,
  columns: readonly Column[],
  skip: SkipRow,
): AsyncGenerator<TableRow<Column>> {
  let places: number[] | null = null;
  let width = 0;
  for await (const { record, line } of records(file)) {
    if (places === null) {
      places = columnPlaces(file, record, columns);
      width = record.length;
      continue;
    }
    const problem = rowProblem(record, places, width);
    if (problem !== null) skip({ kind: "malformed", file, line, reason: problem });
    else yield { line, cells: cellsOf(record, columns, places) };
  }
  if (places === null) columnPlaces(file, [], columns);
}

/** A table as a map from its name column, with the last of repeated rows as Python's dict would have it. */
export async function readTableByName<Column extends string>(
  file: string,
  nameColumn: Column,
  columns: readonly Column[],
  skip: SkipRow,
): Promise<Map<string, TableRow<Column>>> {
  const rows = new Map<string, TableRow<Column>>();
  for await (const row of readTable(file, columns, skip)) {
    const name = row.cells[nameColumn].trim();
    const earlier = rows.get(name);
    if (earlier !== undefined) {
      const reason = `repeated name "${name}": line ${row.line} counts`;
      skip({ kind: "repeated-name", file, line: earlier.line, reason, name });
    }
    rows.set(name, row);
  }
  return rows;
}

async function* records(file: string): AsyncGenerator<{ record: string[]; line: number }> {
  checkSize(file);
  const input = createReadStream(file);
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: maxRecordLength,
  });
  input.on("error", (error) => parser.destroy(error));
  input.pipe(parser);
  let numLinesTooMany = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      const { numCounted, numDoubled } = innerBreaks(record);
      yield { record, line: info.lines - numCounted - numLinesTooMany };
      numLinesTooMany += numDoubled;
    }
  } catch (error) {
    throw error instanceof DatasetError ? error : tableError(file, error as Error);
  } finally {
    input.destroy();
    parser.destroy();
  }
}

/** Line breaks inside cells as csv-parse counts them: CRLF there is two lines for it. */
function innerBreaks(record: readonly string[]): { numCounted: number; numDoubled: number } {
  let [numCounted, numDoubled] = [0, 0];
  for (const cell of record) {
    numCounted += cell.match(/[\r\n]/g)?.length ?? 0;
    numDoubled += cell.match(/\r\n/g)?.length ?? 0;
  }
  return { numCounted, numDoubled };
}

/** @throws DatasetError `ERR_DATASET_TABLE_BROKEN` for a file that is no label file, so large is it. */
export function checkSize(file: string): void {
  const { size } = statSync(file);
  if (size <= maxFileBytes) return;
  throw new DatasetError(
    "ERR_DATASET_TABLE_BROKEN",
    `${file}: expected a table of at most ${maxFileBytes / 2 ** 20} MB, got ${Math.round(size / 2 ** 20)} MB. Check that it is the label file.`,
    { file },
  );
}

function tableError(file: string, error: Error): DatasetError {
  const line = (error as CsvError & { lines?: number }).lines;
  if (line === undefined) {
    const message = `${file}: expected a readable CSV file, got "${error.message}". Check the path.`;
    return new DatasetError("ERR_DATASET_UNREADABLE", message, { file, cause: error });
  }
  const message = `${file}:${line}: expected CSV with comma and double quotes, got "${error.message}". Repair the file: most often a quote is never closed.`;
  return new DatasetError("ERR_DATASET_TABLE_BROKEN", message, { file, line, cause: error });
}

function columnPlaces(file: string, header: readonly string[], columns: readonly string[]): number[] {
  const names = header.map((name) => name.trim());
  const missing = columns.filter((column) => !names.includes(column));
  if (missing.length === 0) return columns.map((column) => names.indexOf(column));
  const text = header.join(",");
  const hint = /[\uff0c;\t]/.test(text)
    ? "Separate the columns with commas: it has full-width commas, semicolons or tabs."
    : "Check that it is the file the data set came with, with its first line.";
  throw new DatasetError(
    "ERR_DATASET_TABLE_COLUMNS",
    `${file}:1: expected the columns ${columns.join(", ")}, got ${text === "" ? "none" : text.slice(0, 200)}. ${hint}`,
    { file, line: 1 },
  );
}

function rowProblem(record: readonly string[], places: readonly number[], width: number): string | null {
  if (record.length > width) return `${record.length} cells where the header has ${width}`;
  if (places.some((place) => place >= record.length)) return `only ${record.length} of ${width} cells`;
  return record.some((cell) => cell.includes(replacementCharacter)) ? "not UTF-8" : null;
}

function cellsOf<Column extends string>(
  record: readonly string[],
  columns: readonly Column[],
  places: readonly number[],
): Record<Column, string> {
  const cell = (place: number): string => (missingCells.has(record[place]!) ? "" : record[place]!);
  return Object.fromEntries(columns.map((column, index) => [column, cell(places[index]!)])) as Record<Column, string>;
}
