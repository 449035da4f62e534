// The written accounts that cues are taken from: the reasonings of a corpus or of a published data set, or plain rows of id
// and text. Bad rows are counted and bounded; where the result is written elsewhere, media paths are led there.
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { wayToMedia } from "../../corpus/way-to-media.ts";
import { adviceFor, readSamples } from "../../data/jsonl.ts";
import { readLines } from "../../data/lines.ts";
import { readDataset } from "../../data/read-dataset.ts";
import { datasetNamed, onlySplit } from "../../data/readers/datasets.ts";
import { type FieldMap, keyOf, sampleKeys, shownKeys } from "../../data/row-fields.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import { type Description, descriptionBreak } from "../../evidence/extraction/extract-descriptions.ts";

export interface Account {
  readonly id: string;
  readonly text: string;
  /** What the text is joined of, where the corpus says of each part what it describes (SABER). */
  readonly descriptions?: readonly Description[];
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
  /** Where rows call things by other names than the usual ones; a plain row's text is its reasoning. */
  readonly fields?: FieldMap | undefined;
}

const plainRow = z.object({ id: z.union([z.string().min(1), z.number()]).transform(String), text: z.string() });
/** As much of a line as is looked at. */
const longestLine = 1_000_000;
const textKeys = ["text", ...sampleKeys.reasoning];

/** @throws DatasetError, OppoError ERR_EVIDENCE_SOURCE */
export async function readAccounts(source: AccountSource, options: AccountOptions): Promise<Accounts> {
  const badRows: string[] = [];
  const fields = options.fields ?? {};
  const readOptions = {
    fields,
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
    rows = (await isCorpus(source.file, fields))
      ? ofSamples(readSamples(source.file, readOptions), await prefix())
      : plainAccounts(source.file, fields, badRows, options.maxBadRows);
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
  const reason =
    badRows.length === 0 ? "none. Check the file." : `none (${badRows[0]}). ${adviceFor(badRows, ["id", "reasoning"])}`;
  throw new OppoError("ERR_EVIDENCE_SOURCE", `${name}: expected rows with written accounts, got ${reason}`);
}

async function* ofSamples(samples: AsyncIterable<Sample>, prefix: string): AsyncGenerator<Account> {
  const under = (path: string) => (prefix === "" ? path : `${prefix}/${path}`);
  for await (const sample of samples) {
    const { media, audio } = sample;
    const row = { ...sample, media: under(media), ...(audio === undefined ? {} : { audio: under(audio) }) };
    const descriptions = descriptionsOf(sample);
    yield { id: sample.id, text: sample.reasoning, row, ...(descriptions === null ? {} : { descriptions }) };
  }
}

const described = z.array(z.object({ kind: z.enum(["video", "audio", "emotion"]), text: z.string().min(1) })).min(1);

/** Where a sample's reasoning is what its corpus describes part by part; null for any other. */
function descriptionsOf({ meta, reasoning }: Sample): readonly Description[] | null {
  const parts = described.safeParse(meta?.descriptions).data;
  const isWhole = parts?.map(({ text }) => text).join(descriptionBreak) === reasoning;
  return parts !== undefined && isWhole ? parts : null;
}

function prefixFor(out: string, root: string, name: string): string {
  return wayToMedia(resolve(out), root, name).prefix;
}

/** Rows with media are samples; the first one says what a file has. One with a "text" and a clip in passing has an account. */
async function isCorpus(file: string, fields: FieldMap): Promise<boolean> {
  for await (const { text } of readLines(file)) {
    const row = text.trim() === "" ? null : parseLine(text);
    if (row === null) continue;
    return keyOf(row, "media", fields) !== null && ("media" in row || fields.media !== undefined || !("text" in row));
  }
  return false;
}

async function* plainAccounts(
  file: string,
  fields: FieldMap,
  badRows: string[],
  maxBadRows: number,
): AsyncGenerator<Account> {
  const seen = new Set<string>();
  for await (const { number, text: line, problem: unread } of readLines(file)) {
    if (unread === null && line.trim() === "") continue;
    const read = unread === null ? plainAccount(parseLine(line), fields) : { problem: unread };
    const reason = "problem" in read ? read.problem : seen.has(read.id) ? `repeated id "${read.id}"` : null;
    if (reason === null && "id" in read) {
      const { id, text } = read;
      seen.add(id);
      yield { id, text, row: { id, reasoning: text } };
      continue;
    }
    badRows.push(`${file}:${number}: ${reason}`);
    if (badRows.length <= maxBadRows) continue;
    const isAlike = seen.size === 0 && badRows.every((row) => row.endsWith(`: ${reason}`));
    const problem = isAlike
      ? `all ${badRows.length} rows so far are wrong in one way: ${reason}. ${adviceFor(badRows, ["id", "reasoning"])}`
      : `expected rows {"id", "text"} or samples with "media" and "reasoning", got ${reason} (bad row ${badRows.length} of at ` +
        `most ${maxBadRows}). Repair the file, or raise --max-bad-rows.`;
    throw new OppoError("ERR_EVIDENCE_SOURCE", `${file}:${number}: ${problem}`);
  }
}

function plainAccount(
  row: Readonly<Record<string, unknown>> | null,
  fields: FieldMap,
): { readonly id: string; readonly text: string } | { readonly problem: string } {
  if (row === null) return { problem: "expected a JSON object, got something else" };
  const idKey = keyOf(row, "id", fields);
  const keys = fields.reasoning === undefined ? textKeys : [fields.reasoning];
  const textKey = keys.find((key) => Object.hasOwn(row, key));
  if (idKey === null || textKey === undefined) {
    const wanted = [
      ...(idKey === null ? [`"${fields.id ?? "id"}"`] : []),
      ...(textKey === undefined ? [`"${keys[0]}"${keys.length > 1 ? ` (or ${keys.slice(1).join(", ")})` : ""}`] : []),
    ];
    return { problem: `expected ${wanted.join(" and ")}, got the keys ${shownKeys(row)}` };
  }
  const checked = plainRow.safeParse({ id: row[idKey], text: row[textKey] });
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0]!;
  return { problem: `${issue.path.join(".") === "id" ? idKey : textKey}: ${issue.message}` };
}

function parseLine(line: string): Readonly<Record<string, unknown>> | null {
  if (line.length > longestLine) return null;
  try {
    const row: unknown = JSON.parse(line);
    return typeof row === "object" && !Array.isArray(row) ? (row as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}
