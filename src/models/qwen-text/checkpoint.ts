// Reads and writes a text model as a Hugging Face directory. Keys come with `model.` (causal models) or without (base
// models such as Qwen3-Embedding). A tied head is the embedding, also where a file repeats it.
import { join } from "node:path";
import type { Tensor } from "../../tensor/index.ts";
import { CONFIG_FILE, readCompanions, readConfigJson, writeModelFiles } from "../checkpoint/model-directory.ts";
import type { ParameterSpec } from "../checkpoint/parameter-spec.ts";
import { type LoadOptions, readWeights, writeWeights } from "../checkpoint/weight-files.ts";
import { findWeights, type KeyNames } from "../checkpoint/weight-table.ts";
import { HEAD_NAME, textSpecs } from "../qwen-omni/parameters.ts";
import { parseTextConfig, type TextModelConfig } from "./config.ts";

export interface TextCheckpoint {
  readonly directory: string;
  readonly config: TextModelConfig;
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly companions: ReadonlyMap<string, string>;
}

export function textModelSpecs(config: TextModelConfig): ParameterSpec[] {
  return textSpecs(config.text, config.variant);
}

/** Names with `model.`, whatever the file has. */
export function textKey(config: TextModelConfig): KeyNames {
  return (key) => {
    if (key === HEAD_NAME) return config.variant.head === "none" ? null : key;
    return key.startsWith("model.") ? key : `model.${key}`;
  };
}

/** @throws CheckpointError ERR_CHECKPOINT_ARCHITECTURE, ERR_CHECKPOINT_CONFIG, ERR_CHECKPOINT_KEYS, ERR_CHECKPOINT_* of the files */
export function readTextCheckpoint(directory: string, options: LoadOptions = {}): TextCheckpoint {
  const config = parseTextConfig(readConfigJson(directory), join(directory, CONFIG_FILE));
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
  writeModelFiles(directory, { ...config.json, torch_dtype: dtype, dtype }, companions);
}
