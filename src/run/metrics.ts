// The logs of a run: JSON Lines, one object with a `step` per line, handed to the system line by line so that a crash
// loses at most the line being written. A log that is opened again is first cut back to the step the run resumes at:
// what lies beyond it, and a last line that was cut off, will be written anew.

import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { OppoError } from "../error.ts";
import { diskFullError, isDiskFull } from "./disk.ts";

/** Example: `{ step: 12, reward: 2.31, "rewards/omni/mean": 0.85, kl: null }`. A number that is not finite reads null. */
export interface StepRow {
  readonly step: number;
  readonly [key: string]: unknown;
}

export interface StepLog extends Disposable {
  readonly path: string;
  /** @throws OppoError ERR_DISK_FULL */
  append(row: StepRow): void;
}

/** Opens the log for steps from `nextStep` on; 0 starts it anew. */
export function openStepLog(path: string, nextStep: number): StepLog {
  mkdirSync(dirname(path), { recursive: true });
  // Only a regular file has an earlier part to keep; a device such as /dev/null would be read for ever.
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) truncateSync(path, lengthBefore(path, nextStep));
  const file = openSync(path, "a");
  return {
    path,
    append(row) {
      const line = Buffer.from(`${JSON.stringify(row)}\n`, "utf8");
      try {
        for (let written = 0; written < line.length; ) written += writeSync(file, line, written);
      } catch (error) {
        throw isDiskFull(error) ? diskFullError(path, `the log of step ${row.step}`, error) : error;
      }
    },
    [Symbol.dispose]() {
      closeSync(file);
    },
  };
}

/** Every finished line of a log, oldest first; empty when there is no such file. @throws OppoError ERR_LOG_BROKEN */
export function readStepLog(path: string): StepRow[] {
  if (!existsSync(path)) return [];
  return finishedLines(path).map(({ row }) => row);
}

/** Enough for the last few hundred rows of any log, which may have gigabytes. */
const tailBytes = 1 << 23;

/** The last rows of a log, oldest first; what is no row of a log is left out. */
export function readLastRows(path: string): StepRow[] {
  if (!existsSync(path)) return [];
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, tailBytes));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const lines = bytes.toString("utf8").split("\n");
    return lines.flatMap((line) => readRow(line) ?? []);
  } finally {
    closeSync(file);
  }
}

function lengthBefore(path: string, nextStep: number): number {
  const first = finishedLines(path).find(({ row }) => row.step >= nextStep);
  return first?.start ?? Buffer.byteLength(finishedText(path), "utf8");
}

/** The text up to its last newline: what follows was cut off by a crash. */
function finishedText(path: string): string {
  const text = readFileSync(path, "utf8");
  return text.slice(0, text.lastIndexOf("\n") + 1);
}

/** Rows with the byte at which their line starts. */
function finishedLines(path: string): { readonly start: number; readonly row: StepRow }[] {
  let start = 0;
  return finishedText(path)
    .split("\n")
    .slice(0, -1)
    .map((line, index) => {
      const row = parseRow(line, path, index + 1);
      const entry = { start, row };
      start += Buffer.byteLength(line, "utf8") + 1;
      return entry;
    });
}

function parseRow(line: string, path: string, lineNumber: number): StepRow {
  const row = readRow(line);
  if (row === null) throw brokenLine(path, lineNumber, line);
  return row;
}

/** null: no row of a log. */
function readRow(line: string): StepRow | null {
  try {
    const row: unknown = JSON.parse(line);
    return typeof row === "object" && row !== null && typeof (row as StepRow).step === "number"
      ? (row as StepRow)
      : null;
  } catch {
    return null;
  }
}

function brokenLine(path: string, lineNumber: number, line: string): OppoError {
  return new OppoError(
    "ERR_LOG_BROKEN",
    `${path}:${lineNumber}: expected one JSON object with a "step", got ${JSON.stringify(line.slice(0, 60))}. Remove that line, or the file to start its log anew.`,
  );
}
