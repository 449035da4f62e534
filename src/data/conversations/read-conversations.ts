// Files of conversations: JSON lists, JSON lines, patterns and lists of them. A bad row is a counted skip with its place; too
// many of them stop the reading.
import { readFileSync, statSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { decodeUtf8 } from "../../text/utf8.ts";
import { DatasetError } from "../jsonl.ts";
import { readLines } from "../lines.ts";
import type { Conversation } from "./conversation.ts";
import { type ConversationForm, conversationOf } from "./conversation-row.ts";
import { isList, type ListedFile, listedFiles, taken } from "./listed-files.ts";
import type { MarkerRules } from "./markers.ts";

export type DataForm = "samples" | ConversationForm;

export interface ConversationOptions extends MarkerRules {
  readonly form: ConversationForm;
  readonly mediaRoot: string;
  /** Of random:N. */
  readonly seed: number;
  readonly maxSkippedRows: number;
}

export interface ReadConversations {
  readonly conversations: readonly Conversation[];
  /** Example: "train.json row 12: 2 <video> for 1 files" */
  readonly skipped: readonly string[];
}

/** One row with where it stands, or why it is none. */
interface Row {
  readonly place: string;
  readonly value?: unknown;
  readonly problem?: string;
}

/** A list is parsed as a whole: longer files are to be JSON lines. */
const maxListBytes = 400 * 2 ** 20;
/** Rows that are looked at to tell a file's form. */
const rowsToTell = 20;

/** @throws DatasetError ERR_DATASET_UNREADABLE, ERR_DATASET_TOO_MANY_BAD_ROWS */
export async function readConversations(path: string, options: ConversationOptions): Promise<ReadConversations> {
  const conversations: Conversation[] = [];
  const skipped: string[] = [];
  const ids = new Set<string>();
  for (const { file, take } of listedFiles(path)) {
    for (const row of taken(await rowsOf(file), take, options.seed, basename(file))) {
      const read = row.problem === undefined ? conversationOf(row.value, { ...options, place: row.place }) : null;
      const reason = read === null ? row.problem! : "reason" in read ? read.reason : null;
      if (read !== null && "conversation" in read && !ids.has(read.conversation.id)) {
        ids.add(read.conversation.id);
        conversations.push(read.conversation);
        continue;
      }
      skipped.push(`${row.place}: ${reason ?? "an id that was there before"}`);
      if (skipped.length > options.maxSkippedRows) throw tooManySkipped(file, skipped, options);
    }
  }
  return { conversations, skipped };
}

function tooManySkipped(
  file: string,
  skipped: readonly string[],
  { maxSkippedRows }: ConversationOptions,
): DatasetError {
  return new DatasetError(
    "ERR_DATASET_TOO_MANY_BAD_ROWS",
    `${file}: expected at most ${maxSkippedRows} bad rows, got ${skipped.length}; the last one: ${skipped.at(-1)}. Repair the file, or raise maxSkippedRows.`,
    { file },
  );
}

/**
 * What kind of rows a file has, from the keys of its first ones; a YAML list is told by its first file.
 * @throws DatasetError ERR_DATASET_UNREADABLE
 */
export async function formOf(path: string): Promise<DataForm> {
  const [{ file }] = listedFiles(path) as [ListedFile];
  for (const { value } of (await rowsOf(file, rowsToTell)).slice(0, rowsToTell)) {
    if (typeof value !== "object" || value === null) continue;
    if ("conversations" in value) return "conversations";
    if ("messages" in value) return "messages";
  }
  if (!isLines(file) || isList(path)) {
    throw new DatasetError(
      "ERR_DATASET_UNREADABLE",
      `${file}: expected rows with "conversations" or "messages", got none among the first. Samples are JSON lines (.jsonl).`,
      { file },
    );
  }
  return "samples";
}

const isLines = (file: string) => extname(file).toLowerCase() !== ".json";

/** @param most of a file of lines; a list is read as a whole */
async function rowsOf(file: string, most = Number.POSITIVE_INFINITY): Promise<Row[]> {
  try {
    return isLines(file) ? await readRows(file, most) : readJsonRows(file);
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause;
    const message = `${file}: expected a readable file, got "${(cause as Error).message}". Check the path.`;
    throw new DatasetError("ERR_DATASET_UNREADABLE", message, { file, cause });
  }
}

async function readRows(file: string, most: number): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { number, text, problem } of readLines(file)) {
    if (rows.length >= most) break;
    const place = `${basename(file)} line ${number}`;
    if (problem !== null) rows.push({ place, problem });
    else if (text.trim() !== "") rows.push({ place, ...parsed(text) });
  }
  return rows;
}

function parsed(text: string): Pick<Row, "value" | "problem"> {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `not JSON (${(error as Error).message})` };
  }
}

function readJsonRows(file: string): Row[] {
  const refuse = (got: string, cause?: unknown) =>
    new DatasetError("ERR_DATASET_UNREADABLE", `${file}: expected a JSON list of rows, got ${got}. Repair the file.`, {
      file,
      cause,
    });
  const { size } = statSync(file);
  if (size > maxListBytes) throw refuse(`${size} bytes; write more than ${maxListBytes} as JSON lines`);
  const text = decodeUtf8(readFileSync(resolve(file)));
  if (text === null) throw refuse("bytes that are no UTF-8");
  const { value, problem } = parsed(text);
  if (problem !== undefined) throw refuse(problem);
  if (!Array.isArray(value)) throw refuse(value === null ? "null" : typeof value);
  return value.map((row: unknown, i) => ({ place: `${basename(file)} row ${i + 1}`, value: row }));
}
