// Files of a data set below the root that a person named. Names that come out of label files become paths only after a
// check, so no row can point outside the root; folders are listed once, when the first path is asked for.
import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatasetError } from "./jsonl.ts";

export interface DatasetFolder {
  readonly root: string;
  /** Where below the root the data set lies; "" when the root is its folder. */
  readonly base: string;
}

/** The first of the usual folder names that exists below the root, else the root itself. */
export function openFolder(root: string, usualNames: readonly string[]): DatasetFolder {
  const base = usualNames.find((name) => isDirectory(join(root, name))) ?? "";
  return { root: resolve(root), base };
}

/** Relative to the root, with forward slashes, as `Sample.media` wants it. */
export function relativePath(folder: DatasetFolder, path: string): string {
  return folder.base === "" ? path : `${folder.base}/${path}`;
}

/**
 * Absolute path of the first of these files that exists.
 * @throws DatasetError `ERR_DATASET_ABSENT` when none does, `ERR_DATASET_PICKLE` when a pickle lies in its place
 */
export function findFile(folder: DatasetFolder, paths: readonly string[]): string {
  const places = paths.map((path) => join(folder.root, folder.base, path));
  const found = places.find(isFile);
  if (found !== undefined) return found;
  const pickle = places.map((place) => place.replace(/\.(npz|csv)$/, ".pkl")).find(isFile);
  if (pickle !== undefined) throw pickleError(pickle);
  throw new DatasetError(
    "ERR_DATASET_ABSENT",
    `${places[0]}: expected a file of the data set, got nothing there. Run \`oppo data check\` for what to download and how the folder must look.`,
    { file: places[0]! },
  );
}

/** Whether one of the files exists: for tables that a data set may come without. */
export function hasFile(folder: DatasetFolder, paths: readonly string[]): boolean {
  return paths.some((path) => isFile(join(folder.root, folder.base, path)));
}

/** Loading a pickle runs the program inside it, so none is loaded. */
export function pickleError(file: string): DatasetError {
  return new DatasetError(
    "ERR_DATASET_PICKLE",
    `${file}: expected a label file as .npz or .csv, got a pickle, which can run any program when it is loaded. ` +
      "If you trust where it comes from, convert it once with Python to a CSV file with the columns corpus,name,emo,val " +
      "and the same name but .csv (docs/datasets.md shows the five lines).",
    { file },
  );
}

/** Why this cannot be the name of a sample and thus of a file, or null. */
export function nameProblem(name: string): string | null {
  if (name === "") return "empty name";
  if (name.length > maxNameLength) return `name of ${name.length} characters`;
  if (name.includes(replacementCharacter)) return "name is not UTF-8";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[/\\\u0000-\u001f]/.test(name) || name === "." || name === "..") {
    return `name ${JSON.stringify(name)} could leave the data set's folder`;
  }
  return null;
}

const maxNameLength = 200;
export const replacementCharacter = "\ufffd";

/**
 * A function from a file's stem to its path relative to the root: the first folder, and in it the first extension, that has
 * such a file; where none has, the path at which it should be. A folder may end in `/*`: its subfolders.
 */
export function mediaFinder(
  folder: DatasetFolder,
  folders: readonly string[],
  extensions: readonly string[],
): (stem: string) => string {
  let index: Map<string, string> | null = null;
  let usual = "";
  return (stem) => {
    if (index === null) {
      index = indexFiles(folder, folders);
      usual = folders.find((path) => isDirectory(join(folder.root, folder.base, path))) ?? folders[0]!;
    }
    for (const extension of extensions) {
      const found = index.get(stem + extension) ?? index.get(stem + extension.toUpperCase());
      if (found !== undefined) return found;
    }
    return relativePath(folder, `${usual.replace(/\/\*$/, "")}/${stem}${extensions[0]}`);
  };
}

/** File name -> path relative to the root; earlier folders win. */
function indexFiles(folder: DatasetFolder, folders: readonly string[]): Map<string, string> {
  const index = new Map<string, string>();
  for (const path of folders.flatMap((pattern) => expand(folder, pattern))) {
    for (const name of list(join(folder.root, folder.base, path))) {
      if (!index.has(name)) index.set(name, relativePath(folder, `${path}/${name}`));
    }
  }
  return index;
}

function expand(folder: DatasetFolder, pattern: string): string[] {
  if (!pattern.endsWith("/*")) return [pattern];
  const parent = pattern.slice(0, -2);
  return list(join(folder.root, folder.base, parent))
    .sort()
    .map((name) => `${parent}/${name}`)
    .filter((path) => isDirectory(join(folder.root, folder.base, path)));
}

/** Names in a folder; none where there is no such folder. */
export function list(path: string): string[] {
  return isDirectory(path) ? readdirSync(path) : [];
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
