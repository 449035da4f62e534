// The written accounts that cues are taken from: the reasonings of a corpus or of a published data set, or plain rows of id
// and text. Bad rows are counted and bounded; where the result is written elsewhere, media paths are led there.
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { wayToMedia } from "../../corpus/way-to-media.ts";
import { readSamples } from "../../data/jsonl.ts";
import { readLines } from "../../data/lines.ts";
import { readDataset } from "../../data/read-dataset.ts";
import { datasetNamed, onlySplit } from "../../data/readers/datasets.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";

export interface Account {
  readonly id: string;
  readonly text: string;
  /** What is written beside the cues. */
  readonly row: Readonly<Record<string, unknown>>;
}

export type AccountSource =
  | { readonly file: string }
  | { readonly dataset: string; readonly root: string; readonly split: string | null };

export interface Accounts {
  readonly accounts: readonly Account[];
  /** As files and people are told. */
  readonly source: string;
  /** Rows that could not be read. */
  readonly badRows: readonly string[];
}

export interface AccountOptions {
  /** Where the result goes: media paths become relative to its folder. */
  readonly out: string;
  /** Bad rows to tolerate. */
  readonly maxBadRows: number;
  /** The first so many; null for all. */
  readonly limit: number | null;
}

const plainRow = z.object({ id: z.union([z.string().min(1), z.number()]).transform(String), text: z.string() });
/** As much of a file as is looked at to see what its rows are. */
const longestLine = 1_000_000;

/** @throws DatasetError, OppoError ERR_EVIDENCE_SOURCE */
export async function readAccounts(source: AccountSource, options: AccountOptions): Promise<Accounts> {
  const badRows: string[] = [];
  const readOptions = {
    maxSkippedRows: options.maxBadRows,
    onSkip: ({ file, line, reason }: { file: string; line: number; reason: string }) => {
      badRows.push(`${file}:${line}: ${reason}`);
    },
  };
  let rows: AsyncIterable<Account>;
  let name: string;
  if ("file" in source) {
    name = source.file;
    const prefix = async () => prefixFor(options.out, dirname(resolve(source.file)), "corpus");
    rows = (await isCorpus(source.file))
      ? ofSamples(readSamples(source.file, readOptions), await prefix())
      : plainAccounts(source.file, badRows, options.maxBadRows);
  } else {
    const reader = datasetNamed(source.dataset);
    const split = source.split ?? onlySplit(reader);
    name = `${reader.title} ${split}`;
    const prefix = prefixFor(options.out, resolve(source.root), reader.name);
    rows = ofSamples(readDataset(reader, source.root, split, readOptions), prefix);
  }
  const accounts: Account[] = [];
  for await (const account of rows) {
    if (accounts.length === options.limit) break;
    accounts.push(account);
  }
  if (accounts.length > 0) return { accounts, source: name, badRows };
  throw new OppoError("ERR_EVIDENCE_SOURCE", `${name}: expected rows with written accounts, got none. Check the file.`);
}

async function* ofSamples(samples: AsyncIterable<Sample>, prefix: string): AsyncGenerator<Account> {
  const under = (path: string) => (prefix === "" ? path : `${prefix}/${path}`);
  for await (const sample of samples) {
    const { media, audio } = sample;
    const row = { ...sample, media: under(media), ...(audio === undefined ? {} : { audio: under(audio) }) };
    yield { id: sample.id, text: sample.reasoning, row };
  }
}

function prefixFor(out: string, root: string, name: string): string {
  return wayToMedia(resolve(out), root, name).prefix;
}

/** Rows with media are samples; the first one says what a file has. */
async function isCorpus(file: string): Promise<boolean> {
  for await (const { text, problem } of readLines(file)) {
    if (problem !== null || text.trim() === "") continue;
    const row = parseLine(text);
    return typeof row === "object" && row !== null && "media" in row;
  }
  return false;
}

async function* plainAccounts(file: string, badRows: string[], maxBadRows: number): AsyncGenerator<Account> {
  const seen = new Set<string>();
  for await (const { number, text: line, problem } of readLines(file)) {
    if (problem === null && line.trim() === "") continue;
    const checked = plainRow.safeParse(parseLine(line));
    const isRepeated = checked.success && seen.has(checked.data.id);
    if (checked.success && !isRepeated) {
      const { id, text } = checked.data;
      seen.add(id);
      yield { id, text, row: { id, reasoning: text } };
      continue;
    }
    const issue = checked.error?.issues[0];
    const reason = isRepeated
      ? `repeated id "${checked.data.id}"`
      : (problem ?? `${issue?.path.join(".") || "row"}: ${issue?.message}`);
    badRows.push(`${file}:${number}: ${reason}`);
    if (badRows.length <= maxBadRows) continue;
    throw new OppoError(
      "ERR_EVIDENCE_SOURCE",
      `${file}:${number}: expected rows {"id", "text"} or samples with "media" and "reasoning", got ${reason} (bad row ` +
        `${badRows.length} of at most ${maxBadRows}). Repair the file, or raise --max-bad-rows.`,
    );
  }
}

function parseLine(line: string): unknown {
  if (line.length > longestLine) return null;
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
