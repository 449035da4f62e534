// Reads and writes a text model as a Hugging Face directory.
import { join } from "node:path";
import type { Tensor } from "../../tensor/index.ts";
import { CONFIG_FILE, readCompanions, readConfigJson, writeModelFiles } from "../checkpoint/model-directory.ts";
import { type LoadOptions, readWeights, writeWeights } from "../checkpoint/weight-files.ts";
import { findWeights } from "../checkpoint/weight-table.ts";
import { withBothRopeDialects } from "../decoder/config.ts";
import { type HeadUse, parseTextConfig, type TextModelConfig } from "./config.ts";
import { textKey, textModelSpecs } from "./parameters.ts";

export interface TextCheckpoint {
  readonly directory: string;
  readonly config: TextModelConfig;
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly companions: ReadonlyMap<string, string>;
}

/** @throws CheckpointError ERR_CHECKPOINT_ARCHITECTURE, ERR_CHECKPOINT_CONFIG, ERR_CHECKPOINT_KEYS, ERR_CHECKPOINT_* of the files */
export function readTextCheckpoint(directory: string, head: HeadUse, options: LoadOptions = {}): TextCheckpoint {
  const config = parseTextConfig(readConfigJson(directory), join(directory, CONFIG_FILE), head);
  const companions = readCompanions(directory);
  const parameters = readWeights(findWeights(directory, textKey(config)), textModelSpecs(config), options);
  return { directory, config, parameters, companions };
}

export function writeTextCheckpoint(
  directory: string,
  { config, parameters, companions }: Pick<TextCheckpoint, "config" | "parameters" | "companions">,
): void {
  const dtype = parameters.values().next().value?.dtype ?? "float32";
  writeWeights(directory, parameters, (name) => parameters.get(name)!);
  writeModelFiles(directory, { ...withBothRopeDialects(config.json), torch_dtype: dtype, dtype }, companions);
}
