// The runs below the folders that the studio was opened on: folders with a configuration, or with a log of steps alone. Links are not
// followed, and a folder of a million others is left half-way.
import { type Dirent, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { OppoError } from "../../../error.ts";
import { pathId } from "../path-id.ts";

/** Where a run lies. */
export interface RunPlace {
  readonly id: string;
  /** Example: "demo/arms/oppo/seed-0" */
  readonly name: string;
  readonly path: string;
  /** The folder that the studio was opened on. */
  readonly root: string;
  /** Names of its files and folders. */
  readonly files: ReadonlySet<string>;
}

export interface FoundRuns {
  readonly places: readonly RunPlace[];
  readonly isCut: boolean;
}

const maxDepth = 6;
const maxFolders = 20_000;
const maxRuns = 2000;
/** In them lie weights, clips and caches, never runs; a corpus may hold a hundred thousand files. */
const passed = new Set(["node_modules", "checkpoints", "model", "best", "tensorboard", "clips", "cache", "corpus"]);

/** @throws OppoError ERR_STUDIO_FOLDER when one of them is no folder */
export function openRoots(folders: readonly string[]): string[] {
  const roots = folders.map((folder) => {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return realpathSync(folder);
    throw new OppoError(
      "ERR_STUDIO_FOLDER",
      `${folder}: expected the folder of a run, one with runs below it, or a .jsonl file of samples, got none. Check the path; oppo train and oppo demo make runs.`,
    );
  });
  return [...new Set(roots)];
}

export function findRuns(roots: readonly string[]): FoundRuns {
  const places = new Map<string, RunPlace>();
  let numFolders = 0;
  for (const root of roots) {
    const open: { readonly path: string; readonly depth: number }[] = [{ path: root, depth: 0 }];
    for (let at = 0; at < open.length && numFolders < maxFolders && places.size < maxRuns; at++) {
      const { path, depth } = open[at]!;
      numFolders++;
      const entries = entriesOf(path);
      const files = new Set(entries.map(({ name }) => name));
      if (isRun(files)) places.set(path, placeOf(root, path, files));
      if (depth === maxDepth) continue;
      for (const entry of entries) {
        if (!entry.isDirectory() || passed.has(entry.name) || entry.name.startsWith(".")) continue;
        open.push({ path: join(path, entry.name), depth: depth + 1 });
      }
    }
  }
  return { places: [...places.values()], isCut: numFolders >= maxFolders || places.size >= maxRuns };
}

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    // Gone meanwhile, or somebody else's.
    return [];
  }
}

function isRun(files: ReadonlySet<string>): boolean {
  return files.has("metrics.jsonl") || (files.has("config.yaml") && files.has("run.json"));
}

function placeOf(root: string, path: string, files: ReadonlySet<string>): RunPlace {
  const inside = relative(root, path);
  const name = join(basename(root), inside);
  return { id: pathId(resolve(path)), name, path, root, files };
}
