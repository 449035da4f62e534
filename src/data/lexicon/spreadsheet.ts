// Spreadsheets (.xlsx) as rows of text. Sizes are checked before the library sees the file.
import { readFileSync } from "node:fs";
import { readSheet } from "read-excel-file/node";
import { DatasetError } from "../jsonl.ts";
import { readZip } from "../numpy/zip.ts";

const bounds = { maxMembers: 200, maxBytes: 2 ** 26 };

/** Rows of the first sheet; empty cells are "". @throws DatasetError ERR_LEXICON_TABLE, ERR_NPZ_TOO_LARGE */
export async function readSpreadsheet(file: string): Promise<string[][]> {
  const bytes = readFileSync(file);
  readZip(bytes, file, bounds);
  try {
    const rows = await readSheet(bytes);
    return rows.map((row) => row.map((cell) => (cell === null || cell === undefined ? "" : String(cell))));
  } catch (cause) {
    throw new DatasetError(
      "ERR_LEXICON_TABLE",
      `${file}: expected a spreadsheet, got ${(cause as Error).message}. Check out the lexicon's repository again.`,
      { file, cause },
    );
  }
}
