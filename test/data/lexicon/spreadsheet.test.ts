// Spreadsheets that would keep a library busy for ever, or fill the memory: an error with the file's name, in bounded time.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readSpreadsheet } from "../../../src/data/lexicon/spreadsheet.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { spreadsheetOf } from "../../support/zip.ts";

const rows = [
  ["word", "other"],
  ["a & b", ""],
  ["", "3"],
];

test("rows are read, also behind one more byte; a cell at a far column is refused", async (t) => {
  const file = join(temporaryFolder(t), "wheel1.xlsx");
  const good = spreadsheetOf(rows);
  writeFileSync(file, good);
  assert.deepEqual(await readSpreadsheet(file), rows);
  writeFileSync(file, Buffer.concat([good, Buffer.from("x")]));
  assert.deepEqual(await readSpreadsheet(file), rows);
  const far = spreadsheetOf([...rows, ["x"]], "ZZZZZZ3");
  writeFileSync(file, far);
  await assert.rejects(readSpreadsheet(file), {
    code: "ERR_LEXICON_TABLE",
    message: /wheel1\.xlsx: expected a spreadsheet, got /,
  });
});
