// What kind of model a directory holds, from its config.json alone: its name, its parameters, its decoder and the files
// that it needs beside the weights. Loads no native code.
import { join } from "node:path";
import { CheckpointError } from "../tensor/error.ts";
import { CONFIG_FILE, readConfigJson } from "./checkpoint/model-directory.ts";
import type { ParameterSpec } from "./checkpoint/parameter-spec.ts";
import type { KeyNames } from "./checkpoint/weight-table.ts";
import type { TextConfig } from "./decoder/config.ts";
import { parseConfig } from "./qwen-omni/config.ts";
import { parameterSpecs, partOf, thinkerKey } from "./qwen-omni/parameters.ts";
import { parseTextConfig } from "./qwen-text/config.ts";
import { textKey, textModelSpecs } from "./qwen-text/parameters.ts";

export interface Architecture {
  /** Example: "Qwen2.5-Omni thinker" */
  readonly title: string;
  readonly modelType: string;
  readonly specs: readonly ParameterSpec[];
  readonly nameOf: KeyNames;
  /** Part of a parameter, in words. */
  readonly partOf: (name: string) => string;
  readonly decoder: TextConfig;
  /** Any one file of each group must be there. */
  readonly companions: readonly (readonly string[])[];
}

const TOKENIZER = [["tokenizer.json"], ["tokenizer_config.json"]];
const CHAT = ["chat_template.jinja", "chat_template.json", "tokenizer_config.json"];
const PARTS = { audio: "audio tower", vision: "vision tower", text: "language model", head: "head" };

/** @throws CheckpointError ERR_CHECKPOINT_MISSING, ERR_CHECKPOINT_ARCHITECTURE, ERR_CHECKPOINT_CONFIG */
export function readArchitecture(directory: string): Architecture {
  const json = readConfigJson(directory);
  const path = join(directory, CONFIG_FILE);
  switch (json.model_type) {
    case "qwen2_5_omni":
    case "qwen2_5_omni_thinker": {
      const config = parseConfig(json, path);
      return {
        title: "Qwen2.5-Omni thinker",
        modelType: json.model_type,
        specs: parameterSpecs(config),
        nameOf: thinkerKey,
        partOf: (name) => PARTS[partOf(name)],
        decoder: config.text,
        companions: [...TOKENIZER, CHAT],
      };
    }
    case "qwen2":
    case "qwen3": {
      const config = parseTextConfig(json, path);
      return {
        title: config.family === "qwen2" ? "Qwen2 / Qwen2.5 text model" : "Qwen3 text model (Qwen3-Embedding)",
        modelType: json.model_type,
        specs: textModelSpecs(config),
        nameOf: textKey(config),
        partOf: (name) => PARTS[partOf(name)],
        decoder: config.text,
        companions: TOKENIZER,
      };
    }
    default:
      throw new CheckpointError(
        "ERR_CHECKPOINT_ARCHITECTURE",
        path,
        `expected model_type qwen2_5_omni, qwen2_5_omni_thinker, qwen2 or qwen3, got ${JSON.stringify(json.model_type) ?? "none"}. ` +
          "Give a directory of one of these models.",
      );
  }
}
