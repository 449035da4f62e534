// Where the weights of a model directory lie and whether they are the ones that its configuration describes. Reads the
// index and the files' headers, never their data, and loads no native code.
import { existsSync, lstatSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { DType } from "../../tensor/dtype.ts";
import { CheckpointError } from "../../tensor/error.ts";
import { readHeader } from "../../tensor/safetensors-header.ts";
import { readJsonFile } from "../../text/json-file.ts";
import type { ParameterSpec } from "./parameter-spec.ts";

export const INDEX_FILE = "model.safetensors.index.json";
export const SINGLE_FILE = "model.safetensors";
const MAX_LISTED = 8;

/** One tensor of the directory. */
export interface StoredWeight {
  /** File name within the directory. */
  readonly file: string;
  /** Key within the file. */
  readonly key: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly numBytes: number;
}

export interface WeightTable {
  readonly directory: string;
  readonly files: readonly string[];
  /** By the name that the architecture gives it. */
  readonly weights: ReadonlyMap<string, StoredWeight>;
  /** Keys of parts that are not ours (a talker), left out. */
  readonly skipped: readonly string[];
  /** Files that the index names and the folder does not have; only where they are tolerated. */
  readonly absent: readonly string[];
}

/** The architecture's name of a checkpoint key; null for parts that are not read. */
export type KeyNames = (key: string) => string | null;

/**
 * Finds every tensor of a directory: through the index where there is one, else in model.safetensors.
 * @param toleratesAbsent lists files that are not there instead of refusing
 * @throws CheckpointError ERR_CHECKPOINT_MISSING, ERR_CHECKPOINT_PICKLE, ERR_CHECKPOINT_INDEX, ERR_CHECKPOINT_* of a header
 */
export function findWeights(directory: string, nameOf: KeyNames, toleratesAbsent = false): WeightTable {
  const indexed = existsSync(join(directory, INDEX_FILE)) ? readIndex(directory) : null;
  if (indexed === null) requireSingleFile(directory);
  const skipped: string[] = [];
  const wanted = new Set<string>();
  for (const [key, file] of indexed ?? []) {
    if (nameOf(key) === null) skipped.push(key);
    else wanted.add(file);
  }
  const files = indexed === null ? [SINGLE_FILE] : [...wanted].sort();
  if (indexed !== null) for (const file of files) requireInside(directory, file);
  const weights = new Map<string, StoredWeight>();
  const found = new Set<string>();
  const absent = toleratesAbsent ? files.filter((file) => !existsSync(join(directory, file))) : [];
  for (const file of files) {
    if (absent.includes(file)) continue;
    for (const [key, entry] of readHeader(join(directory, file)).header.entries) {
      found.add(key);
      const name = nameOf(key);
      if (name === null) {
        if (indexed === null) skipped.push(key);
        continue;
      }
      if (indexed !== null && indexed.get(key) !== file) throw indexError(directory, `${key} is in ${file}`);
      const known = weights.get(name);
      if (known !== undefined) {
        throw new CheckpointError(
          "ERR_CHECKPOINT_DUPLICATE",
          join(directory, file),
          `expected every weight once, got ${name} as ${known.key} and as ${key}. Remove one of them.`,
          { key },
        );
      }
      const { dtype, shape, begin, end } = entry;
      weights.set(name, { file, key, dtype, shape, numBytes: end - begin });
    }
  }
  for (const [key, file] of indexed ?? []) {
    if (wanted.has(file) && !absent.includes(file) && !found.has(key))
      throw indexError(directory, `${file} has no ${key}`);
  }
  return { directory, files, weights, skipped, absent };
}

/** Weights of a part that lie in a folder of their own below the model's. */
export interface WeightFolder {
  readonly folder: string;
  /** By the keys of that folder's files; null for what is not read. */
  readonly nameOf: KeyNames;
  /** What the names of the part begin with. */
  readonly root: string;
}

/** The table with parts that it lacks entirely taken from their folders, where those have weights. */
export function withWeightFolders(table: WeightTable, folders: readonly WeightFolder[]): WeightTable {
  const files = [...table.files];
  const weights = new Map(table.weights);
  for (const { folder, nameOf, root } of folders) {
    const directory = join(table.directory, folder);
    const hasWeights = [INDEX_FILE, SINGLE_FILE].some((name) => existsSync(join(directory, name)));
    if (!hasWeights || [...table.weights.keys()].some((name) => name.startsWith(root))) continue;
    const own = findWeights(directory, nameOf);
    files.push(...own.files.map((file) => `${folder}/${file}`));
    for (const [name, weight] of own.weights) weights.set(name, { ...weight, file: `${folder}/${weight.file}` });
  }
  return { ...table, files, weights };
}

/**
 * A link among the shards may lead on into the folder, or into the store of blobs beside it that Hugging Face's cache is
 * made of (snapshots/COMMIT/x -> ../../blobs/HASH), and nowhere else.
 */
function requireInside(directory: string, file: string): void {
  const path = join(directory, file);
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true || !existsSync(path)) return;
  const folder = realpathSync(directory);
  const target = realpathSync(path);
  const snapshots = dirname(folder);
  const blobs = basename(snapshots) === "snapshots" ? join(dirname(snapshots), "blobs") : folder;
  if ([folder, blobs].includes(dirname(target))) return;
  throw new CheckpointError(
    "ERR_CHECKPOINT_INDEX",
    join(directory, INDEX_FILE),
    `expected safetensors files of this folder, got the link ${file} that leads out of it. Put the file in its place.`,
  );
}

function indexError(directory: string, what: string): CheckpointError {
  const message = `expected an index that agrees with its files, but ${what}. Fetch the model again.`;
  return new CheckpointError("ERR_CHECKPOINT_INDEX", join(directory, INDEX_FILE), message);
}

function readIndex(directory: string): Map<string, string> {
  const path = join(directory, INDEX_FILE);
  const map = readJsonFile(directory, INDEX_FILE, "ERR_CHECKPOINT_INDEX").weight_map;
  const isMap = typeof map === "object" && map !== null && !Array.isArray(map);
  const entries = isMap ? Object.entries(map as Record<string, unknown>) : [];
  if (entries.length === 0) {
    throw new CheckpointError("ERR_CHECKPOINT_INDEX", path, "expected a weight_map, got none. Fetch the model again.");
  }
  for (const [key, file] of entries) {
    if (typeof file === "string" && /^[^/\\:\0]+\.safetensors$/.test(file)) continue;
    throw new CheckpointError(
      "ERR_CHECKPOINT_INDEX",
      path,
      `expected safetensors files of this folder, got ${JSON.stringify(file)} for ${key}. An index must not point elsewhere.`,
      { key },
    );
  }
  return new Map(entries as [string, string][]);
}

function requireSingleFile(directory: string): void {
  if (existsSync(join(directory, SINGLE_FILE))) return;
  const pickles = readdirSync(directory).filter((name) => /\.(bin|pt|pth|ckpt)$/.test(name));
  if (pickles.length > 0) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_PICKLE",
      join(directory, pickles[0]!),
      "expected safetensors, got a pickle, which can run any code when it is read. Convert it with save_pretrained in Python.",
    );
  }
  throw new CheckpointError(
    "ERR_CHECKPOINT_MISSING",
    join(directory, SINGLE_FILE),
    `expected the weights here or in ${INDEX_FILE}, got neither. Fetch the model again.`,
  );
}

export interface WeightProblems {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  /** "name expected [2, 3], got [3, 2]" */
  readonly misshapen: readonly string[];
}

/** How a directory's weights differ from the described ones. */
export function compareWeights(table: WeightTable, specs: readonly ParameterSpec[]): WeightProblems {
  const missing: string[] = [];
  const misshapen: string[] = [];
  for (const { name, shape, optional, isUnused } of specs) {
    const stored = table.weights.get(name)?.shape;
    if (stored === undefined) {
      if (!optional) missing.push(name);
    } else if (isUnused !== true && stored.join() !== shape.join()) {
      misshapen.push(`${name} expected [${shape.join(", ")}], got [${stored.join(", ")}]`);
    }
  }
  const described = new Set(specs.map(({ name }) => name));
  return { missing, misshapen, unexpected: [...table.weights.keys()].filter((name) => !described.has(name)) };
}

/** @throws CheckpointError ERR_CHECKPOINT_KEYS that lists every difference */
export function requireWeights(table: WeightTable, specs: readonly ParameterSpec[]): void {
  const problems = compareWeights(table, specs);
  const text = (["missing", "unexpected", "misshapen"] as const)
    .filter((kind) => problems[kind].length > 0)
    .map((kind) => `${problems[kind].length} ${kind} (${listed(problems[kind])})`);
  if (text.length === 0) return;
  throw new CheckpointError(
    "ERR_CHECKPOINT_KEYS",
    table.directory,
    `expected the ${specs.length} parameters that config.json describes, got ${text.join(", ")}. Is config.json of this model?`,
  );
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, MAX_LISTED).join("; ")}${names.length > MAX_LISTED ? "; ..." : ""}`;
}
