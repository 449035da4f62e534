// CSV as published files have it: byte order marks, CRLF, quotes, line breaks in cells, and what is no table at all.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DatasetError } from "../../src/data/jsonl.ts";
import { type RowProblem, skipCounter } from "../../src/data/reader.ts";
import { readTable, readTableByName } from "../../src/data/table.ts";
import { datasetFolder } from "../support/dataset-folder.ts";

async function read(t: TestContext, content: string | Uint8Array, columns = ["name", "openset"]) {
  const file = join(datasetFolder(t, { "labels.csv": content }), "labels.csv");
  const problems: RowProblem[] = [];
  const skip = skipCounter({ maxSkippedRows: 100, onSkip: (problem) => void problems.push(problem) });
  const rows: (readonly [number, ...string[]])[] = [];
  for await (const { line, cells } of readTable(file, columns, skip)) {
    rows.push([line, ...columns.map((column) => cells[column]!)]);
  }
  return { rows, problems: problems.map(({ line, reason }) => [line, reason]) };
}

const failsWith = (code: string, pattern: RegExp, line?: number) => (error: unknown) => {
  assert.ok(error instanceof DatasetError);
  assert.equal(error.code, code);
  assert.match(error.message, pattern);
  if (line !== undefined) assert.equal(error.line, line);
  return true;
};

test("a byte order mark, CRLF, quoted commas and quotes inside cells are read as pandas does", async (t) => {
  const text = [
    "\ufeffname,other,openset",
    'a,1,"[happy, sad]"',
    "b,2,['surprised']",
    'c,3,"he said ""no"", twice"',
    'd,4,say "no"',
    "",
    "e,5,NaN",
    "f,6,none",
  ].join("\r\n");
  const { rows, problems } = await read(t, text);
  assert.deepEqual(rows, [
    [2, "a", "[happy, sad]"],
    [3, "b", "['surprised']"],
    [4, "c", 'he said "no", twice'],
    [5, "d", 'say "no"'],
    [7, "e", ""],
    [8, "f", "none"],
  ]);
  assert.deepEqual(problems, []);
});

test("a row has the line on which it begins, after cells with line breaks too", async (t) => {
  for (const end of ["\n", "\r\n"]) {
    const { rows } = await read(t, ["name,openset", `a,"x${end}y${end}z"`, "b,2"].join(end));
    assert.deepEqual(rows, [
      [2, "a", `x${end}y${end}z`],
      [5, "b", "2"],
    ]);
  }
});

test("reading can stop early; a file that is not there is an error", async (t) => {
  const file = join(datasetFolder(t, { "x.csv": `name,v\n${"a,1\n".repeat(50_000)}` }), "x.csv");
  for await (const { line } of readTable(file, ["name", "v"], skipCounter())) {
    assert.equal(line, 2);
    break;
  }
  await assert.rejects(readTable(`${file}.none`, ["name"], skipCounter()).next(), /ENOENT/);
});

test("rows with too many or too few cells, or with other bytes than UTF-8, are skipped with their line", async (t) => {
  const latin = Buffer.concat([Buffer.from("name,openset\na,1\nb,1,2\nc\n"), Buffer.from([0x64, 0x2c, 0xe9, 0x0a])]);
  const { rows, problems } = await read(t, latin);
  assert.deepEqual(rows, [[2, "a", "1"]]);
  assert.deepEqual(problems, [
    [3, "3 cells where the header has 2"],
    [4, "only 1 of 2 cells"],
    [5, "not UTF-8"],
  ]);
});

test("another header is refused, with the reason where it can be seen", async (t) => {
  const columns = failsWith("ERR_DATASET_TABLE_COLUMNS", /labels\.csv:1: expected the columns name, openset, got /, 1);
  await assert.rejects(read(t, "name,label\na,1\n"), columns);
  await assert.rejects(read(t, ""), columns);
  await assert.rejects(read(t, "name\uff0copenset\na\uff0c1\n"), (error) => {
    assert.match((error as Error).message, /full-width commas/);
    return columns(error);
  });
});

test("a quote that is never closed and a cell without end are refused with file and line", async (t) => {
  await assert.rejects(
    read(t, 'name,openset\na,1\nb,"2\nc,3\n'),
    failsWith("ERR_DATASET_TABLE_BROKEN", /labels\.csv:\d/),
  );
  const endless = `name,openset\na,${"x".repeat(1_100_000)}\n`;
  await assert.rejects(read(t, endless), failsWith("ERR_DATASET_TABLE_BROKEN", /Max Record Size/));
});

test("of repeated names the last row counts and the earlier one is reported", async (t) => {
  const file = join(datasetFolder(t, { "x.csv": "name,v\na,1\nb,2\n a,3\n" }), "x.csv");
  const problems: RowProblem[] = [];
  // A repeated name is no bad row: it does not count towards the limit.
  const skip = skipCounter({ maxSkippedRows: 0, onSkip: (problem) => void problems.push(problem) });
  const rows = await readTableByName(file, "name", ["name", "v"], skip);
  assert.deepEqual(
    [...rows].map(([name, { cells }]) => [name, cells.v]),
    [
      ["a", "3"],
      ["b", "2"],
    ],
  );
  assert.deepEqual(problems, [
    { kind: "repeated-name", file, line: 2, reason: 'repeated name "a": line 4 counts', name: "a" },
  ]);
});

test("too many bad rows end the reading", async (t) => {
  const file = join(datasetFolder(t, { "x.csv": "name,v\na\nb\nc\n" }), "x.csv");
  const rows = readTable(file, ["name", "v"], skipCounter({ maxSkippedRows: 1 }));
  await assert.rejects(
    rows.next(),
    failsWith("ERR_DATASET_TOO_MANY_BAD_ROWS", /x\.csv:3: expected at most 1 bad rows/, 3),
  );
});
