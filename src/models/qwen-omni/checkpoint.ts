// Reads and writes a thinker as a Hugging Face directory. Keys may start with `thinker.`; the speech parts of a full
// checkpoint (talker, token2wav) are skipped. Every parameter must be there in its shape, and nothing else.
import { join } from "node:path";
import type { Tensor } from "../../tensor/index.ts";
import { CONFIG_FILE, readCompanions, readConfigJson, writeModelFiles } from "../checkpoint/model-directory.ts";
import { type LoadOptions, readWeights, writeWeights } from "../checkpoint/weight-files.ts";
import { findWeights } from "../checkpoint/weight-table.ts";
import { withBothRopeDialects } from "../decoder/config.ts";
import { parseConfig, type ThinkerConfig } from "./config/config.ts";
import { parameterSpecs, thinkerKey } from "./parameters.ts";

export interface Checkpoint {
  readonly directory: string;
  readonly config: ThinkerConfig;
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** The other files of the directory, by name, as a save writes them back. */
  readonly companions: ReadonlyMap<string, string>;
}

/** @throws CheckpointError ERR_CHECKPOINT_ARCHITECTURE, ERR_CHECKPOINT_CONFIG, ERR_CHECKPOINT_KEYS, ERR_CHECKPOINT_* of the files */
export function readCheckpoint(directory: string, options: LoadOptions = {}): Checkpoint {
  const config = parseConfig(readConfigJson(directory), join(directory, CONFIG_FILE));
  const companions = readCompanions(directory);
  const parameters = readWeights(findWeights(directory, thinkerKey), parameterSpecs(config), options);
  return { directory, config, parameters, companions };
}

/**
 * Writes weights, companions and config.json, which comes last: a directory that has one is a model.
 * @param change what is written in place of a parameter, of the same shape and type
 */
export function writeCheckpoint(
  directory: string,
  { config, parameters, companions }: Pick<Checkpoint, "config" | "parameters" | "companions">,
  change: (name: string, parameter: Tensor) => Tensor = (_, parameter) => parameter,
): void {
  const dtype = parameters.values().next().value?.dtype ?? "float32";
  writeWeights(directory, parameters, (name) => change(name, parameters.get(name)!));
  writeModelFiles(directory, savedConfig(config, dtype), companions);
}

/** config.json of a thinker-only directory; both of Hugging Face's names for the dtype. */
export function savedConfig(config: ThinkerConfig, dtype: string): Record<string, unknown> {
  return {
    ...config.json,
    text_config: withBothRopeDialects(config.json.text_config as Record<string, unknown>),
    architectures: ["Qwen2_5OmniThinkerForConditionalGeneration"],
    model_type: "qwen2_5_omni_thinker",
    torch_dtype: dtype,
    dtype,
  };
}
