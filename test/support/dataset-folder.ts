// A data set's folder made for one test, and everything that a reader says about it.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import type { AnnotatedSample, DatasetReader, RowProblem } from "../../src/data/reader.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Writes path -> content below a fresh folder, which goes when the test ends. */
export function datasetFolder(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = temporaryFolder(t);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

/** All rows of a split, and all problems, without a limit. */
export async function readAll(reader: DatasetReader, root: string, split: string) {
  const rows: AnnotatedSample[] = [];
  const problems: RowProblem[] = [];
  const options = { maxSkippedRows: Number.POSITIVE_INFINITY, onSkip: (row: RowProblem) => void problems.push(row) };
  for await (const row of reader.read(root, split, options)) rows.push(row);
  return {
    rows,
    samples: rows.map(({ sample }) => sample),
    annotations: rows.map(({ sample, annotation }) => [sample.id, annotation]),
    problems: problems.map(({ kind, line }) => [kind, line]),
    reasons: problems.map(({ reason }) => reason),
  };
}
