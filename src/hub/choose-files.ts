// Which files of a repository we want: settings, tokenizer and safetensors, never a pickle, nothing from a folder below.
// Names come from outside; only names that are known, or plain names of shards that an index lists, are ever used.
import type { HubFile } from "./hub-client.ts";
import { hubError } from "./hub-error.ts";

const configName = "config.json";
const indexName = "model.safetensors.index.json";
const singleName = "model.safetensors";
const adapterConfig = "adapter_config.json";
const adapterWeights = "adapter_model.safetensors";
const shardPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.safetensors$/;
/** A larger one is no settings file. */
const maxSmallBytes = 64 * 2 ** 20;

export interface SmallFiles {
  /** Settings and tokenizer; config.json comes last, since a folder that has one counts as a model. */
  readonly files: readonly HubFile[];
  /** The list of the weights' shards; null where one file has all of them. */
  readonly index: HubFile | null;
  /** Weights in one file; null where there is an index. */
  readonly single: HubFile | null;
}

/**
 * @param companions names of the small files that a model may have beside its config.json
 * @throws OppoError ERR_HUB_PICKLE, ERR_HUB_FILES
 */
export function chooseSmallFiles(
  repository: string,
  listing: readonly HubFile[],
  companions: readonly string[],
): SmallFiles {
  const byName = new Map<string, HubFile>();
  for (const file of listing) {
    if (byName.has(file.path)) throw refused(repository, `every file once, got ${JSON.stringify(file.path)} twice`);
    byName.set(file.path, file);
  }
  const config = byName.get(configName) ?? byName.get(adapterConfig);
  if (config === undefined) throw refused(repository, `a model with a ${configName}, got none`);
  const index = byName.get(indexName) ?? null;
  const single = index === null ? (byName.get(singleName) ?? byName.get(adapterWeights) ?? null) : null;
  if (index === null && single === null) throw noSafetensors(repository, listing);
  const names = [...companions, adapterConfig].filter((name) => name !== config.path && name !== configName);
  const files = [...names.flatMap((name) => byName.get(name) ?? []), config];
  for (const { path, size } of [...files, ...(index === null ? [] : [index])]) {
    if (size > maxSmallBytes) throw refused(repository, `${path} of at most ${maxSmallBytes} bytes, got ${size}`);
  }
  return { files, index, single };
}

/**
 * The shards that an index lists.
 * @param isRead whether any of these tensors is one that we read; shards without one stay where they are
 * @throws OppoError ERR_HUB_FILES
 */
export function chooseShards(
  repository: string,
  listing: readonly HubFile[],
  weightMap: unknown,
  isRead: (key: string) => boolean,
): { readonly wanted: readonly HubFile[]; readonly left: readonly HubFile[] } {
  const isObject = typeof weightMap === "object" && weightMap !== null && !Array.isArray(weightMap);
  const entries = isObject ? Object.entries(weightMap) : [];
  if (entries.length === 0) throw refused(repository, `a weight_map in ${indexName}, got none`);
  const byName = new Map(listing.map((file) => [file.path, file]));
  const shards = new Map<string, boolean>();
  for (const [key, name] of entries) {
    if (typeof name !== "string" || !shardPattern.test(name)) {
      throw refused(repository, `plain names of safetensors files in ${indexName}, got ${JSON.stringify(name)}`);
    }
    if (!byName.has(name)) throw refused(repository, `the file ${name} that ${indexName} lists, got none`);
    shards.set(name, (shards.get(name) ?? false) || isRead(key));
  }
  const filesOf = (isWanted: boolean) =>
    [...shards].filter(([, read]) => read === isWanted).map(([name]) => byName.get(name)!);
  return { wanted: filesOf(true), left: filesOf(false) };
}

function noSafetensors(repository: string, listing: readonly HubFile[]): Error {
  const pickle = listing.find(({ path }) => /\.(bin|pt|pth|ckpt|pkl)$/.test(path));
  if (pickle === undefined) return refused(repository, `${singleName} or ${indexName}, got neither`);
  return hubError(
    "ERR_HUB_PICKLE",
    repository,
    `weights as safetensors, got pickles only (${pickle.path}), which can run any code when they are read`,
    "Ask for a revision with safetensors (often refs/convert or a pull request of the hub's bot), or convert it with save_pretrained in Python.",
  );
}

function refused(repository: string, expected: string): Error {
  return hubError("ERR_HUB_FILES", repository, expected, "Choose another repository or revision.");
}
