// Who holds a run's folder: a lock file that appears with its whole content in one step (written beside, then linked), so
// that nobody reads half a lock. A lock whose process is gone is taken over, and only once, whatever races: the file may be
// replaced only by whoever holds the claim on that very content, and a claim is such a lock itself.

import { createHash, randomUUID } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { OppoError } from "../error.ts";
import { isRunning, startOf, sweepTemporaries, temporaryBeside } from "../temporary-files.ts";

interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** Tells a process from a later one with the same number; empty where the system does not say. */
  readonly started: string;
  /** No two locks have the same content. */
  readonly token: string;
}

const lockName = "run.lock";

/** Takes the lock and returns what gives it back. @throws OppoError ERR_RUN_LOCKED */
export function lockRun(path: string): () => void {
  const file = join(path, lockName);
  sweepTemporaries(path);
  const holder = take(file);
  if (holder !== null) {
    const onHost = holder.host === hostname() ? "" : ` on ${holder.host}`;
    throw new OppoError(
      "ERR_RUN_LOCKED",
      `${path}: expected a run that nobody writes to, got one held by process ${holder.pid}${onHost}. Wait for it, stop it, or choose another folder (if it is gone, remove ${file}).`,
    );
  }
  return () => rmSync(file, { force: true });
}

/** Who holds a run, by the text of its lock; null where nobody does, or where it is no lock. */
export function readHolder(text: string): Pick<LockHolder, "pid" | "host"> | null {
  const holder = parse(text);
  if (holder === null || !Number.isInteger(holder.pid) || holder.pid <= 0 || typeof holder.host !== "string")
    return null;
  return isAlive(holder) ? holder : null;
}

/** @returns null when the lock is ours now, else who holds it. */
function take(file: string): LockHolder | null {
  const self: LockHolder = {
    pid: process.pid,
    host: hostname(),
    started: startOf(process.pid),
    token: randomUUID(),
  };
  const ready = temporaryBeside(file);
  writeFileSync(ready, JSON.stringify(self));
  try {
    for (;;) {
      if (appearsAs(ready, file)) return null;
      const found = read(file);
      if (found === null) continue;
      const holder = parse(found);
      if (holder !== null && isAlive(holder)) return holder;
      // Whoever claims this content may replace it, and looks once more: it may have been replaced before the claim.
      const claim = `${file}-${createHash("sha256").update(found).digest("hex").slice(0, 12)}`;
      const claimant = take(claim);
      if (claimant !== null) return claimant;
      try {
        if (read(file) !== found) continue;
        renameSync(ready, file);
        return null;
      } finally {
        rmSync(claim, { force: true });
      }
    }
  } finally {
    rmSync(ready, { force: true });
  }
}

/** Gives a file a second name; false when that is taken. */
function appearsAs(ready: string, file: string): boolean {
  try {
    linkSync(ready, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EOPNOTSUPP" && code !== "ENOSYS") throw error;
  }
  // A file system without links (exFAT, some mounted drives): the name is still given only once.
  try {
    writeFileSync(file, readFileSync(ready), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Null when it is gone by now. */
function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Null for what a crash of the whole machine may leave: an empty or a cut file. */
function parse(text: string): LockHolder | null {
  try {
    return JSON.parse(text) as LockHolder;
  } catch {
    return null;
  }
}

function isAlive(holder: LockHolder): boolean {
  // Another machine's processes cannot be seen from here: believed to be alive.
  if (holder.host !== hostname()) return true;
  return isRunning(holder.pid) && startOf(holder.pid) === holder.started;
}
