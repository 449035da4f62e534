// A text model's directory from its config.json alone. Loads no native code.
import type { Architecture } from "../architecture.ts";
import { HEAD_NAME } from "../decoder/parameters.ts";
import { parseTextConfig } from "./config.ts";
import { textKey, textModelSpecs } from "./parameters.ts";

/** @throws CheckpointError ERR_CHECKPOINT_ARCHITECTURE, ERR_CHECKPOINT_CONFIG */
export function describe(json: Readonly<Record<string, unknown>>, path: string): Architecture {
  const config = parseTextConfig({ ...json }, path);
  return {
    specs: textModelSpecs(config),
    nameOf: textKey(config),
    partOf: (name) => (name === HEAD_NAME ? "head" : "language model"),
    decoder: config.text,
    companions: [["tokenizer.json"], ["tokenizer_config.json"]],
  };
}
