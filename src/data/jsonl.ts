// Samples on disk: one JSON object per line, media paths relative to the file's folder. A bad row is a counted skip with
// its line number; too many of them stop the reading. Writing replaces the file at once or not at all.
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, isAbsolute, posix, resolve, sep } from "node:path";
import { z } from "zod";
import { type ErrorCode, OppoError } from "../error.ts";
import { temporaryBeside } from "../temporary-files.ts";
import { type Line, readLines } from "./lines.ts";
import { type FieldMap, missingKeys, namedRow } from "./row-fields.ts";
import type { Sample } from "./sample.ts";

/** A data set that cannot be read: ERR_DATASET_UNREADABLE, ERR_DATASET_TOO_MANY_BAD_ROWS, ERR_DATASET_MEDIA_OUTSIDE. */
export class DatasetError extends OppoError {
  readonly file: string;
  /** 1-based; 0 when the error is about the whole file. */
  readonly line: number;

  constructor(code: ErrorCode, message: string, where: { file: string; line?: number; cause?: unknown }) {
    super(code, message, where.cause === undefined ? undefined : { cause: where.cause });
    this.file = where.file;
    this.line = where.line ?? 0;
  }
}

/** A row that was left out. */
export interface SkippedRow {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly reason: string;
}

export interface ReadOptions {
  /** Bad rows to tolerate before reading stops with a `DatasetError`. */
  readonly maxSkippedRows?: number;
  readonly onSkip?: (row: SkippedRow) => void;
  /** Where rows call things by other names than the usual ones. */
  readonly fields?: FieldMap | undefined;
}

const defaultMaxSkippedRows = 10;
/** A longer line is no sample; parsing it would only cost memory. */
const maxLineLength = 1_000_000;

const pathSchema = z
  .string()
  .min(1)
  .refine(staysInside, "must be a relative path that stays inside the data set's folder");

const sampleSchema = z.object({
  id: z.string().min(1),
  media: pathSchema,
  audio: pathSchema.optional(),
  subtitle: z.string().default(""),
  labels: z.array(z.string()).default([]),
  reasoning: z.string().default(""),
  cues: z.array(z.object({ kind: z.enum(["video", "audio", "emotion"]), text: z.string().min(1) })).default([]),
  meta: z.record(z.string(), z.unknown()).optional(),
});

/** @throws DatasetError `ERR_DATASET_UNREADABLE`, `ERR_DATASET_TOO_MANY_BAD_ROWS` */
export async function* readSamples(file: string, options: ReadOptions = {}): AsyncGenerator<Sample> {
  const maxSkippedRows = options.maxSkippedRows ?? defaultMaxSkippedRows;
  const seenIds = new Set<string>();
  let numSkipped = 0;
  const reasons = new Set<string>();
  for await (const { number: line, text, problem: unread } of lines(file)) {
    if (unread === null && text.trim() === "") continue;
    const parsed = unread === null ? parseSample(text, options.fields ?? {}) : { reason: unread };
    const reason =
      "reason" in parsed ? parsed.reason : seenIds.has(parsed.sample.id) ? `repeated id "${parsed.sample.id}"` : null;
    if (reason === null && "sample" in parsed) {
      seenIds.add(parsed.sample.id);
      yield parsed.sample;
      continue;
    }
    numSkipped += 1;
    reasons.add(reason!);
    options.onSkip?.({ file, line, reason: reason! });
    if (numSkipped <= maxSkippedRows) continue;
    const isAlike = seenIds.size === 0 && reasons.size === 1 && numSkipped > 1;
    const problem = isAlike
      ? `all ${numSkipped} rows so far are wrong in one way: ${reason}. ${adviceFor([...reasons])}`
      : `expected at most ${maxSkippedRows} bad rows, got ${numSkipped}; the last one: ${reason}. Repair the file, or raise maxSkippedRows.`;
    throw new DatasetError("ERR_DATASET_TOO_MANY_BAD_ROWS", `${file}:${line}: ${problem}`, { file, line });
  }
}

/** What to do about rows that were skipped for these reasons. @param wanted the fields that such rows must have */
export function adviceFor(reasons: readonly string[], wanted: readonly string[] = ["id", "media"]): string {
  return reasons.some((reason) => reason.includes("the keys "))
    ? `Say which key holds what: --fields ${wanted.map((field) => `${field}=KEY`).join(",")} (in a configuration: fields).`
    : "Repair the file.";
}

/** Reads all rows at once, with the rows that were skipped. */
export async function loadSamples(
  file: string,
  options: ReadOptions = {},
): Promise<{ samples: Sample[]; skipped: SkippedRow[] }> {
  const samples: Sample[] = [];
  const skipped: SkippedRow[] = [];
  const onSkip = (row: SkippedRow): void => {
    skipped.push(row);
    options.onSkip?.(row);
  };
  for await (const sample of readSamples(file, { ...options, onSkip })) samples.push(sample);
  return { samples, skipped };
}

/** Writes rows and swaps them in as one step; a failure leaves what was there. */
export async function writeSamples(file: string, samples: Iterable<Sample>): Promise<void> {
  const partial = temporaryBeside(file);
  await mkdir(dirname(file), { recursive: true });
  try {
    const handle = await open(partial, "w");
    try {
      await handle.writeFile([...samples].map((sample) => `${JSON.stringify(sample)}\n`).join(""));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    // A failed write to an open file does not know its path.
    throw Object.assign(error as Error, { path: file });
  }
}

/** Absolute path of a sample's media under its data set's folder. @throws DatasetError `ERR_DATASET_MEDIA_OUTSIDE` */
export function mediaPath(root: string, sample: Pick<Sample, "id" | "media">): string {
  return pathInside(root, sample.id, sample.media);
}

/** The same for its sound file; null when the sound is in the media file. @throws DatasetError `ERR_DATASET_MEDIA_OUTSIDE` */
export function audioPath(root: string, sample: Pick<Sample, "id" | "audio">): string | null {
  return sample.audio === undefined ? null : pathInside(root, sample.id, sample.audio);
}

function pathInside(root: string, id: string, media: string): string {
  const path = resolve(root, media);
  if (staysInside(media) && path.startsWith(resolve(root) + sep)) return path;
  throw new DatasetError(
    "ERR_DATASET_MEDIA_OUTSIDE",
    `sample ${id}: expected a media path inside ${root}, got "${media}". Use a relative path without "..".`,
    { file: root },
  );
}

/** One row; a reason where it is no sample. */
export function parseSample(text: string, fields: FieldMap): { readonly sample: Sample } | { readonly reason: string } {
  if (text.length > maxLineLength) return { reason: `line of ${text.length} characters` };
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (error) {
    return { reason: `not JSON (${(error as Error).message})` };
  }
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    return { reason: `expected an object, got ${Array.isArray(row) ? "a list" : row === null ? "null" : typeof row}` };
  }
  const missing = missingKeys(row as Record<string, unknown>, ["id", "media"], fields);
  if (missing !== null) return { reason: missing };
  const checked = sampleSchema.safeParse(namedRow(row as Record<string, unknown>, fields));
  if (checked.success) {
    const { audio, meta, ...sample } = checked.data;
    return {
      sample: { ...sample, ...(audio === undefined ? {} : { audio }), ...(meta === undefined ? {} : { meta }) },
    };
  }
  const issue = checked.error.issues[0]!;
  return { reason: `${issue.path.join(".") || "row"}: ${issue.message}` };
}

function staysInside(media: string): boolean {
  if (media.includes("\0") || media.includes("\\") || isAbsolute(media)) return false;
  const normal = posix.normalize(media);
  return normal !== "." && normal !== ".." && !normal.startsWith("../");
}

async function* lines(file: string): AsyncGenerator<Line> {
  try {
    yield* readLines(file);
  } catch (error) {
    throw new DatasetError(
      "ERR_DATASET_UNREADABLE",
      `${file}: expected a readable JSONL file, got "${(error as Error).message}". Check the path.`,
      { file, cause: error },
    );
  }
}
