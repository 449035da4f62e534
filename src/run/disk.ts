// Disk space: looked at before a long write begins, and named when it runs out in the middle. Both end in one sentence
// that says which folder, how much, and what to do.

import { accessSync, constants, existsSync, readdirSync, statfsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { OppoError } from "../error.ts";

/** Bytes that an ordinary user may still write below `path`, which need not exist yet. */
export function freeBytes(path: string): number {
  let folder = resolve(path);
  while (!existsSync(folder)) folder = dirname(folder);
  const stats = statfsSync(folder);
  return stats.bavail * stats.bsize;
}

/** Bytes of the files below a folder; 0 when there is no such folder. */
export function bytesBelow(folder: string): number {
  if (!existsSync(folder)) return 0;
  const sizes = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => {
    const stats = statSync(join(folder, name), { throwIfNoEntry: false });
    return stats?.isFile() ? stats.size : 0;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** @throws OppoError ERR_DISK_SPACE when there is less room than `bytes` for `purpose`. */
export function requireFreeSpace(path: string, bytes: number, purpose: string): void {
  const free = freeBytes(path);
  if (free >= bytes) return;
  throw new OppoError(
    "ERR_DISK_SPACE",
    `${path}: expected ${formatBytes(bytes)} of free disk for ${purpose}, got ${formatBytes(free)}. Free some space or choose a folder on another disk.`,
  );
}

/**
 * For what can go on where it stopped: `totalBytes` is what `purpose` takes below `path` from nothing to its end, and what
 * lies there already is not asked for again. @throws OppoError ERR_DISK_SPACE
 */
export function requireSpaceForRest(path: string, totalBytes: number, purpose: string): void {
  requireFreeSpace(path, Math.max(0, totalBytes - bytesBelow(path)), purpose);
}

/** Whether an error, or one that caused it, says that the disk or the quota is full. */
export function isDiskFull(error: unknown): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    const code = (current as NodeJS.ErrnoException).code;
    if (code === "ENOSPC" || code === "EDQUOT" || /No space left on device|Disk quota exceeded/.test(current.message)) {
      return true;
    }
  }
  return false;
}

/**
 * The system's code for why a folder cannot be made. Node's recursive mkdir tells most reasons, a read-only disk and too many
 * open files among them, as ENOENT, the state of the folder that it could not make.
 */
export function whyNoFolder(path: string): string {
  let parent = dirname(resolve(path));
  while (!existsSync(parent)) parent = dirname(parent);
  try {
    accessSync(parent, constants.W_OK);
    return "ENOENT";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "ENOENT";
  }
}

/** The sentence for a disk that filled up while `purpose` was written to `path`. */
export function diskFullError(path: string, purpose: string, cause: unknown): OppoError {
  const message = `${path}: the disk is full (${formatBytes(freeBytes(path))} free), so ${purpose} could not be written. Free some space and run the same command again; it goes on from what is finished.`;
  return new OppoError("ERR_DISK_FULL", message, { cause });
}

/** Example: 1536 -> "1.5 KB". Powers of 1024. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
