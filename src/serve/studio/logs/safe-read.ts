// Reading files of folders that anybody may have filled: regular files only, never through a link, bounded.
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from "node:fs";

/** A pipe must not be waited for, a link must not be followed. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Where a line stands in its file, in bytes. */
export interface LinePlace {
  readonly offset: number;
  readonly length: number;
}

/** null: nothing there that is a regular file and may be read. */
export function openRegular(path: string): { readonly file: number; readonly stats: Stats } | null {
  let file: number;
  try {
    file = openSync(path, flags);
  } catch {
    return null;
  }
  const stats = fstatSync(file);
  if (stats.isFile()) return { file, stats };
  closeSync(file);
  return null;
}

/** The text of a small file; null where there is none, or where it is larger than that. */
export function readSmall(path: string, maxBytes: number): string | null {
  const opened = openRegular(path);
  if (opened === null) return null;
  try {
    if (opened.stats.size > maxBytes) return null;
    return readAt(opened.file, 0, opened.stats.size).toString("utf8");
  } finally {
    closeSync(opened.file);
  }
}

/** The last bytes of a file as text, from a line's beginning on; empty where there is none. */
export function readTail(path: string, numBytes: number): string {
  const opened = openRegular(path);
  if (opened === null) return "";
  try {
    const { size } = opened.stats;
    const text = readAt(opened.file, Math.max(0, size - numBytes), Math.min(size, numBytes)).toString("utf8");
    return size > numBytes ? text.slice(text.indexOf("\n") + 1) : text;
  } finally {
    closeSync(opened.file);
  }
}

/** A line by its place; null where the file is gone. */
export function readPart(path: string, { offset, length }: LinePlace): string | null {
  const opened = openRegular(path);
  if (opened === null) return null;
  try {
    return readAt(opened.file, offset, length).toString("utf8");
  } finally {
    closeSync(opened.file);
  }
}

/** What is there of so many bytes. */
export function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(file, bytes, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

/** Size and time of a regular file that is no link; null for anything else. */
export function statRegular(path: string): { readonly size: number; readonly mtimeMs: number } | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isFile() ? stats : null;
}
