// A row added to a file of rows that is never written anew. It is on the disk before anybody is told of it; several processes may add
// to one file, since a line is one write at the file's end.
import { closeSync, constants, fstatSync, fsyncSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Never through a link: the folder may be anybody's. */
const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const newline = 0x0a;

/** Adds a line and waits until it is on the disk. @throws what the system says */
export function appendRow(path: string, row: object): void {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, flags, 0o644);
  try {
    const { size } = requireFile(file, path);
    // What a process that was killed left of its last line stays a line of its own, which no reader takes for a row.
    const start = size > 0 && lastByte(file, size) !== newline ? "\n" : "";
    const bytes = Buffer.from(`${start}${JSON.stringify(row)}\n`);
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    fsyncSync(file);
    if (size === 0) syncFolder(dirname(path));
  } finally {
    closeSync(file);
  }
}

function requireFile(file: number, path: string): { readonly size: number } {
  const stats = fstatSync(file);
  if (stats.isFile()) return stats;
  throw new Error(`${path} is no regular file`);
}

function lastByte(file: number, size: number): number {
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, size - 1);
  return byte[0]!;
}

/** A new file's name is on the disk when its folder is. */
function syncFolder(path: string): void {
  const folder = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
