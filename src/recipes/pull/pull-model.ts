// `oppo pull`: a model from a Hugging Face hub into a folder. Everything is checked before the large files come: names,
// kinds, architecture, disk space. Files take their names one by one when they are whole, config.json last: a folder that
// has one is a model. What was stopped goes on.
import { copyFileSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { OppoError } from "../../error.ts";
import { chooseShards, chooseSmallFiles } from "../../hub/choose-files.ts";
import { type Hub, type HubFile, type HubOptions, openHub } from "../../hub/hub-client.ts";
import { COMPANION_FILES, CONFIG_FILE } from "../../models/checkpoint/model-directory.ts";
import { INDEX_FILE } from "../../models/checkpoint/weight-table.ts";
import { type Inspection, inspectModel } from "../../models/inspect.ts";
import { readArchitecture } from "../../models/registry.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import { requireFreeSpace } from "../../run/disk.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import { formatDuration, type Progress } from "../../run/progress.ts";
import { readJsonFile } from "../../text/json-file.ts";
import { fetchFile, hashOf, type Patience } from "./fetch-file.ts";

export interface PullOptions {
  readonly hub: Hub;
  readonly repository: string;
  readonly revision: string;
  /** Where the model goes. */
  readonly directory: string;
  /** Also models and shards that we do not read. */
  readonly isAny: boolean;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
  readonly patience?: Patience;
}

export interface PullResult {
  readonly directory: string;
  readonly repository: string;
  readonly commit: string;
  readonly files: readonly { readonly name: string; readonly size: number; readonly hash: string }[];
  /** Bytes that had to be fetched. */
  readonly numFetched: number;
  /** Shards that hold nothing that we read. */
  readonly left: readonly string[];
  /** null for adapters and models of a kind that we do not read. */
  readonly inspection: Pick<Inspection, "title" | "numParameters" | "isComplete" | "absentFiles"> | null;
}

const stagingName = ".pull";
/** Says what a folder was filled from, so that a folder of one's own is never written over. */
const recordName = "pulled.json";
const megabyte = 1e6;
const roomToSpare = 64 * 2 ** 20;
const recordSchema = z.object({ repository: z.string(), commit: z.string(), files: z.array(z.string()) });

/** A hub whose waits are told. @throws OppoError ERR_HUB_ACCESS */
export function connect(options: HubOptions & { readonly progress: Progress }): Hub {
  const onWait = (reason: string, milliseconds: number) =>
    options.progress.log(`The hub answered with ${reason}; trying again in ${formatDuration(milliseconds)}`);
  return openHub({ onWait, ...options });
}

/** @throws OppoError ERR_HUB and its siblings, ERR_MODEL_EXISTS, ERR_DISK_SPACE, CheckpointError for a model of another kind */
export async function pullModel(options: PullOptions): Promise<PullResult> {
  const { hub, revision, directory, progress } = options;
  const repository = checkedRepository(options.repository);
  const before = claim(directory, repository);
  const commit = await hub.commitOf(repository, checkedRevision(revision));
  const listing = await hub.list(repository, commit);
  const small = chooseSmallFiles(repository, listing, COMPANION_FILES);
  progress.log(`${repository} at ${commit.slice(0, 12)} into ${directory}`);
  const staging = prepareStaging(directory);
  const job = { ...options, repository, commit, staging };
  const settings = [...small.files, ...(small.index === null ? [] : [small.index])];
  for (const file of settings) await stage(directory, staging, file);
  let numFetched = await fetchAll(job, settings, staging, "settings");
  const { wanted, left } = await chooseWeights(job, small, listing);
  replaceFile(
    join(directory, recordName),
    `${JSON.stringify({ repository, commit, files: [...settings, ...wanted].map(({ path }) => path) }, null, 2)}\n`,
  );
  numFetched += await fetchAll(job, wanted, directory, "weights");
  for (const { path } of putLast(settings)) renameSync(join(staging, path), join(directory, path));
  for (const name of before) {
    if (![...settings, ...wanted].some(({ path }) => path === name)) rmSync(join(directory, name), { force: true });
  }
  rmSync(staging, { recursive: true });
  return {
    directory,
    repository,
    commit,
    files: [...settings, ...wanted].map(({ path, size, hash }) => ({ name: path, size, hash: hash.hex })),
    numFetched,
    left: left.map(({ path }) => path),
    inspection: await inspect(directory, options.isAny),
  };
}

function checkedRepository(text: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,95}(\/[A-Za-z0-9][\w.-]{0,95})?$/.test(text) && !text.includes("..")) return text;
  throw new OppoError(
    "ERR_HUB_NOT_FOUND",
    `${JSON.stringify(text)}: expected a repository such as Qwen/Qwen3-Embedding-0.6B, got something else. Check the spelling.`,
  );
}

function checkedRevision(text: string): string {
  if (/^[A-Za-z0-9][\w./-]{0,200}$/.test(text) && !text.includes("..")) return text;
  throw new OppoError(
    "ERR_HUB_NOT_FOUND",
    `${JSON.stringify(text)}: expected a branch, tag or commit, got something else. Check --revision.`,
  );
}

/** Files of an earlier pull of this repository. @throws OppoError ERR_MODEL_EXISTS for a folder with another model */
function claim(directory: string, repository: string): readonly string[] {
  const record = join(directory, recordName);
  const exists = (got: string) =>
    new OppoError(
      "ERR_MODEL_EXISTS",
      `${directory}: expected a folder for ${repository}, got ${got}. Choose another one with --dir.`,
    );
  if (!existsSync(record)) {
    if (existsSync(join(directory, CONFIG_FILE))) throw exists("a model that was not pulled");
    return [];
  }
  const parsed = recordSchema.safeParse(readJsonFile(directory, recordName, "ERR_MODEL_EXISTS"));
  if (!parsed.success || parsed.data.files.some((name) => /[/\\\0]/.test(name)))
    throw exists(`a ${recordName} of another kind`);
  if (parsed.data.repository !== repository) throw exists(`${parsed.data.repository}`);
  return parsed.data.files;
}

function prepareStaging(directory: string): string {
  const staging = join(directory, stagingName);
  mkdirSync(staging, { recursive: true });
  if (lstatSync(staging).isDirectory()) return staging;
  throw new OppoError(
    "ERR_MODEL_EXISTS",
    `${staging}: expected a folder, got a link. Remove it, or choose another folder.`,
  );
}

/** A settings file that is there already need not come again. */
async function stage(directory: string, staging: string, file: HubFile): Promise<void> {
  const there = join(directory, file.path);
  if ((await hashOf(there, file)) === file.hash.hex) copyFileSync(there, join(staging, file.path));
}

interface PullJob extends PullOptions {
  readonly commit: string;
  readonly staging: string;
}

/** Also decides whether it is a model for us, from its settings, before anything large is fetched. */
async function chooseWeights(
  { repository, staging, isAny }: PullJob,
  small: ReturnType<typeof chooseSmallFiles>,
  listing: readonly HubFile[],
): Promise<{ readonly wanted: readonly HubFile[]; readonly left: readonly HubFile[] }> {
  const isModel = existsSync(join(staging, CONFIG_FILE));
  const nameOf = isAny || !isModel ? () => "" : (await readArchitecture(staging)).nameOf;
  if (small.index === null) return { wanted: [small.single!], left: [] };
  const { weight_map: map } = readJsonFile(staging, INDEX_FILE, "ERR_HUB_FILES");
  return chooseShards(repository, listing, map, (key) => nameOf(key) !== null);
}

function putLast(settings: readonly HubFile[]): HubFile[] {
  return [...settings].sort((a, b) => Number(a.path === CONFIG_FILE) - Number(b.path === CONFIG_FILE));
}

/** Fetches what is not there yet, into place. @returns bytes that came over the network */
async function fetchAll(job: PullJob, files: readonly HubFile[], folder: string, what: string): Promise<number> {
  const { directory, staging, progress, interrupt } = job;
  const missing: HubFile[] = [];
  for (const file of files) {
    await interrupt.safePoint();
    if ((await hashOf(join(folder, file.path), file)) !== file.hash.hex) missing.push(file);
  }
  const partialOf = ({ hash }: HubFile) => join(staging, `${hash.hex}.part`);
  const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const numThere = missing.reduce((sum, file) => sum + Math.min(file.size, sizeOf(partialOf(file))), 0);
  const total = missing.reduce((sum, { size }) => sum + size, 0);
  if (folder === directory && missing.length > 0) {
    requireFreeSpace(directory, total - numThere + roomToSpare, "the model's files");
    // Old settings with new weights would be a model that never was.
    rmSync(join(directory, CONFIG_FILE), { force: true });
  }
  if (missing.length === 0) return 0;
  const shown = progress.stage(`${what} (MB)`, Math.ceil(total / megabyte));
  let before = 0;
  for (const file of missing) {
    await fetchFile({
      ...job,
      file,
      partial: partialOf(file),
      target: join(folder, file.path),
      signal: interrupt.signal,
      onBytes: (done) => shown.update(Math.floor((before + done) / megabyte), file.path),
    });
    before += file.size;
  }
  shown.update(Math.ceil(total / megabyte));
  shown.finish(`${missing.length} ${missing.length === 1 ? "file" : "files"}`);
  return total - numThere;
}

async function inspect(directory: string, isAny: boolean): Promise<PullResult["inspection"]> {
  if (isAny || !existsSync(join(directory, CONFIG_FILE))) return null;
  const { title, numParameters, isComplete, absentFiles } = await inspectModel(directory);
  return { title, numParameters, isComplete, absentFiles };
}
