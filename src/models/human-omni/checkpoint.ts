// Reads and writes HumanOmni as one directory: the published keys in safetensors, with folders for the towers' small files. A
// tower that the weights lack is taken from its folder; where that has none either, the error says what to fetch.
import { join } from "node:path";
import { CheckpointError } from "../../tensor/error.ts";
import type { Tensor } from "../../tensor/index.ts";
import { CONFIG_FILE, readCompanions, readConfigJson, writeModelFiles } from "../checkpoint/model-directory.ts";
import { type LoadOptions, readWeights, writeWeights } from "../checkpoint/weight-files.ts";
import { findWeights, withWeightFolders } from "../checkpoint/weight-table.ts";
import { type HumanOmniConfig, parseConfig } from "./config/config.ts";
import { findTowers, towerCompanions, unfollowedPaths } from "./config/find-towers.ts";
import type { Towers } from "./config/towers.ts";
import { humanOmniKey, parameterSpecs } from "./parameters.ts";
import { absentTowers, towerWeights } from "./tower-weights.ts";

export interface Checkpoint {
  readonly directory: string;
  readonly config: HumanOmniConfig;
  readonly towers: Towers;
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Heads that nothing reads, as they were stored: a save writes them back. */
  readonly unused: ReadonlyMap<string, Tensor>;
  /** The other files of the directory, by their path in it, as a save writes them back. */
  readonly companions: ReadonlyMap<string, string>;
  readonly notices: readonly string[];
}

/** @throws CheckpointError ERR_CHECKPOINT_CONFIG, ERR_CHECKPOINT_KEYS, ERR_CHECKPOINT_* of the files */
export function readCheckpoint(directory: string, options: LoadOptions = {}): Checkpoint {
  const json = readConfigJson(directory);
  const towers = findTowers(directory, json);
  const config = parseConfig(json, join(directory, CONFIG_FILE), towers);
  const companions = new Map([...readCompanions(directory), ...towerCompanions(directory, towers)]);
  const own = findWeights(directory, humanOmniKey(config));
  const table = withWeightFolders(own, towerWeights(towers));
  const absent = absentTowers(table, towers);
  if (absent.length > 0) throw new CheckpointError("ERR_CHECKPOINT_KEYS", directory, absent.join(" "));
  const specs = parameterSpecs(config);
  const all = readWeights(table, specs, options);
  const isUnused = new Set(specs.flatMap(({ name, isUnused: no }) => (no ? [name] : [])));
  const parameters = new Map([...all].filter(([name]) => !isUnused.has(name)));
  const unused = new Map([...all].filter(([name]) => isUnused.has(name)));
  const notices = unfollowedPaths(json, towers);
  if (unused.size > 0) notices.push(`${unused.size} tensors of heads and layers that nothing reads are left out`);
  return { directory, config, towers, parameters, unused, companions, notices };
}

/**
 * Writes weights, companions and config.json, which comes last: a directory that has one is a model.
 * @param change what is written in place of a parameter, of the same shape and type
 */
export function writeCheckpoint(
  directory: string,
  { config, parameters, unused, companions }: Checkpoint,
  change: (name: string, parameter: Tensor) => Tensor = (_, parameter) => parameter,
): void {
  const dtype = parameters.values().next().value?.dtype ?? "float32";
  const stored = (name: string) => parameters.get(name) ?? unused.get(name);
  const all = new Map(parameterSpecs(config).flatMap(({ name }) => (stored(name) ? [[name, stored(name)!]] : [])));
  writeWeights(directory, all, (name) => {
    const parameter = parameters.get(name);
    return parameter ? change(name, parameter) : unused.get(name)!;
  });
  writeModelFiles(directory, { ...config.json, torch_dtype: dtype }, companions);
}
