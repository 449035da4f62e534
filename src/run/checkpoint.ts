// Checkpoints that are either whole or not there. Each is a folder: written under a temporary name, every file flushed to
// the disk, then renamed in one move; `latest` names the newest, for people. One that goes is renamed before it is removed.
// What a crash or a full disk leaves behind is a temporary folder that nobody reads and the next opening removes.

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join, relative } from "node:path";
import { OppoError } from "../error.ts";
import { sweepTemporaries, temporaryBeside } from "../temporary-files.ts";
import { diskFullError, isDiskFull } from "./disk.ts";

const MANIFEST = "checkpoint.json";
const FORMAT_VERSION = 1;

/** Example: `{ step: 120, directory: "runs/demo/arms/oppo/checkpoints/step-000120" }` */
export interface Checkpoint {
  /** Updates done when it was written; the run goes on with this step number. */
  readonly step: number;
  readonly directory: string;
}

interface Manifest {
  readonly version: number;
  readonly step: number;
  /** Size in bytes by path inside the folder. */
  readonly files: Readonly<Record<string, number>>;
}

/**
 * Writes one checkpoint into `folder` (which holds all of a run's) and removes all but the newest `keepLast`.
 * `write` fills an empty directory with files.
 * @throws OppoError ERR_DISK_FULL; then nothing half-written counts as a checkpoint and the older ones are untouched.
 */
export async function saveCheckpoint(
  folder: string,
  step: number,
  write: (directory: string) => void | Promise<void>,
  options: { readonly keepLast: number },
): Promise<Checkpoint> {
  const name = nameOf(step);
  const directory = join(folder, name);
  const temporary = temporaryBeside(directory);
  try {
    mkdirSync(folder, { recursive: true });
    mkdirSync(temporary);
    await write(temporary);
    writeManifest(temporary, step);
    flushTree(temporary);
    // Reached again after resuming from before it: the new one takes its place.
    remove(directory);
    renameSync(temporary, directory);
    flush(folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw isDiskFull(error) ? diskFullError(directory, `the checkpoint of step ${step}`, error) : error;
  }
  tidyCheckpoints(folder, options);
  return { step, directory };
}

/**
 * What follows a new checkpoint, also when the process ended right after writing it: `latest` names the newest, all but the
 * newest `keepLast` go, and so does what killed processes left unfinished.
 */
export function tidyCheckpoints(folder: string, { keepLast }: { readonly keepLast: number }): void {
  sweepTemporaries(folder);
  const all = listCheckpoints(folder);
  const newest = all.at(-1);
  if (newest === undefined) return;
  const line = `${basename(newest.directory)}\n`;
  const latest = join(folder, "latest");
  if (!existsSync(latest) || readFileSync(latest, "utf8") !== line) replaceFile(latest, line);
  for (const old of all.slice(0, Math.max(0, all.length - Math.max(1, keepLast)))) remove(old.directory);
}

/** Lets go of the checkpoints in `folder` that are not wanted, and of what killed processes left unfinished. */
export function retainCheckpoints(folder: string, isWanted: (step: number) => boolean): void {
  sweepTemporaries(folder);
  for (const { step, directory } of listCheckpoints(folder)) if (!isWanted(step)) remove(directory);
}

/** In one step out of sight; a folder removed in part would count as a damaged checkpoint. */
function remove(directory: string): void {
  if (!existsSync(directory)) return;
  const away = temporaryBeside(`${directory}.old`);
  renameSync(directory, away);
  rmSync(away, { recursive: true, force: true });
}

/** The whole checkpoints in `folder`, oldest first; one with a missing or cut file is not listed. */
export function listCheckpoints(folder: string): Checkpoint[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^step-\d+$/.test(name))
    .map((name) => join(folder, name))
    .filter((directory) => defectOf(directory) === null)
    .map((directory) => ({ directory, step: readManifest(directory).step }))
    .sort((left, right) => left.step - right.step);
}

/** The newest whole checkpoint, or null when the run has none. */
export function latestCheckpoint(folder: string): Checkpoint | null {
  return listCheckpoints(folder).at(-1) ?? null;
}

/** The checkpoint that a person named by its path. @throws OppoError ERR_CHECKPOINT_BROKEN */
export function openCheckpoint(directory: string): Checkpoint {
  const defect = defectOf(directory);
  if (defect !== null) {
    throw new OppoError(
      "ERR_CHECKPOINT_BROKEN",
      `${directory}: expected a whole checkpoint, got ${defect}. Choose another one from the same folder.`,
    );
  }
  return { directory, step: readManifest(directory).step };
}

/** Writes a small file so that a reader sees the old or the new content, never a part. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const temporary = temporaryBeside(path);
  try {
    writeFileSync(temporary, content);
    flush(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw isDiskFull(error) ? diskFullError(path, "this file", error) : error;
  }
}

function nameOf(step: number): string {
  return `step-${String(step).padStart(6, "0")}`;
}

function writeManifest(directory: string, step: number): void {
  const sizes = listFiles(directory).map((path) => [relative(directory, path), statSync(path).size] as const);
  const manifest: Manifest = { version: FORMAT_VERSION, step, files: Object.fromEntries(sizes) };
  writeFileSync(join(directory, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
}

function readManifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, MANIFEST), "utf8")) as Manifest;
}

/** What keeps a folder from being a whole checkpoint, or null. */
function defectOf(directory: string): string | null {
  if (!existsSync(join(directory, MANIFEST))) return `a folder without ${MANIFEST}`;
  let manifest: Manifest;
  try {
    manifest = readManifest(directory);
  } catch {
    return `an unreadable ${MANIFEST}`;
  }
  if (manifest.version !== FORMAT_VERSION) return `format version ${manifest.version} instead of ${FORMAT_VERSION}`;
  for (const [path, size] of Object.entries(manifest.files)) {
    const found = statSync(join(directory, path), { throwIfNoEntry: false })?.size;
    if (found !== size) return `${path} with ${found ?? "no"} bytes instead of ${size}`;
  }
  return null;
}

function listFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}

function flushTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) flushTree(path);
    else flush(path);
  }
  flush(directory);
}

/** Makes the system write a file's data, or a folder's names, to the disk now. */
function flush(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
