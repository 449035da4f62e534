// Files and folders under a temporary name, which a rename makes whole. The name carries the process that writes it and
// its machine, so that what a killed process left can be told from what is being written: `FILE.partial-PID-HOST`,
// `oppo-PURPOSE-PID-HOST-XXXXXX` in the system's temporary folder. The first write into a folder removes what is left there.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** The machine's name as eight letters that fit into any file name; another machine's processes cannot be seen from here. */
const host = shortHash(hostname());

const beside = /\.partial-(\d+)-([0-9a-f]{8})$/;
const inSystemFolder = /^oppo-[a-z]+-(\d+)-([0-9a-f]{8})-\w{6}$/;

const swept = new Set<string>();

/** Where to write what `path` is to become: in the same folder, for this process alone. */
export function temporaryBeside(path: string): string {
  const folder = dirname(resolve(path));
  if (!swept.has(folder)) {
    swept.add(folder);
    sweepTemporaries(folder);
  }
  return `${path}.partial-${process.pid}-${host}`;
}

/** A new folder below the system's temporary one. @param purpose lower-case letters, part of its name */
export function makeTemporaryFolder(purpose: string): string {
  const parent = tmpdir();
  if (!swept.has(parent)) {
    swept.add(parent);
    removeLeft(parent, inSystemFolder);
  }
  return mkdtempSync(join(parent, `oppo-${purpose}-${process.pid}-${host}-`));
}

/** Removes what processes of this machine that are gone left in a folder; a folder that cannot be read is left as it is. */
export function sweepTemporaries(folder: string): void {
  removeLeft(folder, beside);
}

function removeLeft(folder: string, pattern: RegExp): void {
  for (const name of namesIn(folder)) {
    const [, pid, where] = pattern.exec(name) ?? [];
    if (pid === undefined || where !== host || isRunning(Number(pid))) continue;
    try {
      rmSync(join(folder, name), { recursive: true, force: true });
    } catch {
      // Another user's, or a disk that is read-only: tidying is not what the caller came for.
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Whether a process of this machine runs. One that ended and waits for its parent to notice (a zombie) does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return !/^[ZX]/.test(processFields(pid)[0] ?? "");
}

/** When a process started, in the kernel's ticks: tells it from a later one with the same number. Empty where there is no /proc. */
export function startOf(pid: number): string {
  return processFields(pid)[19] ?? "";
}

/** The fields of /proc/PID/stat from the third, the state, on; the second is a name that may hold anything. */
function processFields(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

/** FNV-1a, 32 bits. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
