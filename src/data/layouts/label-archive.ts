// The label files of MERBench: `label.npz` holds one dict per corpus, sample name -> `{emo, val}`. They are read by the
// whitelist parser, never by a pickle; a CSV of the same name with the columns corpus, name, emo, val stands in for an archive.
import { nameProblem } from "../folder.ts";
import { DatasetError } from "../jsonl.ts";
import { readNpz, unwrapScalar } from "../numpy/npz.ts";
import type { SkipRow } from "../reader.ts";
import { readTable } from "../table.ts";

export interface LabelEntry {
  /** Line of a CSV; in an archive, the how-manieth entry of its corpus. */
  readonly line: number;
  /** A word, a class number, or null. */
  readonly emotion: string | number | null;
  /** Sentiment or valence strength; null when there is none. */
  readonly strength: number | null;
}

/**
 * One corpus, such as "test1_corpus", in the file's order.
 * @throws DatasetError ERR_DATASET_NO_CORPUS, and what archives and tables throw
 */
export async function readCorpus(file: string, corpus: string, skip: SkipRow): Promise<Map<string, LabelEntry>> {
  const entries = new Map<string, LabelEntry>();
  const rows = file.endsWith(".csv") ? csvRows(file, corpus, skip) : archiveRows(file, corpus);
  for await (const [name, entry] of rows) {
    const problem = nameProblem(name);
    const earlier = entries.get(name);
    if (problem !== null) {
      skip({ kind: "unsafe-name", file, line: entry.line, reason: problem, name });
      continue;
    }
    if (earlier !== undefined) {
      const reason = `repeated name "${name}": line ${entry.line} counts`;
      skip({ kind: "repeated-name", file, line: earlier.line, reason, name });
    }
    entries.set(name, entry);
  }
  return entries;
}

type Row = readonly [string, LabelEntry];

async function* csvRows(file: string, corpus: string, skip: SkipRow): AsyncGenerator<Row> {
  const corpora = new Set<string>();
  for await (const { line, cells } of readTable(file, ["corpus", "name", "emo", "val"], skip)) {
    corpora.add(cells.corpus);
    if (cells.corpus !== corpus) continue;
    const emotion = /^-?\d+$/.test(cells.emo) ? Number(cells.emo) : cells.emo || null;
    yield [cells.name.trim(), { line, emotion, strength: cells.val === "" ? null : Number(cells.val) }];
  }
  if (!corpora.has(corpus)) throw noCorpus(file, corpus, [...corpora]);
}

function* archiveRows(file: string, corpus: string): Generator<Row> {
  const members = readNpz(file);
  const member = members.get(corpus);
  if (member === undefined) throw noCorpus(file, corpus, [...members.keys()]);
  const dict = unwrapScalar(member);
  if (!(dict instanceof Map)) {
    const message = `${file}: expected ${corpus} to be a dict of names, got something else. Check that it is a label file of MERBench.`;
    throw new DatasetError("ERR_DATASET_NO_CORPUS", message, { file });
  }
  let line = 0;
  for (const [name, value] of dict) {
    line += 1;
    const field = (key: string): unknown => (value instanceof Map ? plain(value.get(key)) : undefined);
    const [emotion, strength] = [field("emo"), field("val")];
    yield [
      String(name),
      {
        line,
        emotion: typeof emotion === "string" || typeof emotion === "number" ? emotion : null,
        strength: typeof strength === "number" ? strength : null,
      },
    ];
  }
}

/** NumPy's scalars may come as arrays without a dimension. */
function plain(value: unknown): unknown {
  return value !== null && typeof value === "object" && "shape" in value && "values" in value
    ? unwrapScalar(value as Parameters<typeof unwrapScalar>[0])
    : value;
}

function noCorpus(file: string, corpus: string, found: readonly string[]): DatasetError {
  const message = `${file}: expected the corpus ${corpus}, got ${found.slice(0, 10).join(", ") || "none"}. Check that the file belongs to this data set.`;
  return new DatasetError("ERR_DATASET_NO_CORPUS", message, { file });
}
