// Every parameter of a text model, and the name that a checkpoint key stands for: keys come with `model.` (causal models)
// or without (base models such as Qwen3-Embedding). A tied head is the embedding, also where a file repeats it.
import type { ParameterSpec } from "../checkpoint/parameter-spec.ts";
import type { KeyNames } from "../checkpoint/weight-table.ts";
import { decoderSpecs, HEAD_NAME } from "../decoder/parameters.ts";
import type { TextModelConfig } from "./config.ts";

export function textModelSpecs(config: TextModelConfig): ParameterSpec[] {
  return decoderSpecs(config.text, config.variant);
}

/** Names with `model.`, whatever the file has. */
export function textKey(config: TextModelConfig): KeyNames {
  return (key) => {
    if (key === HEAD_NAME) return config.variant.head === "none" ? null : key;
    return key.startsWith("model.") ? key : `model.${key}`;
  };
}
