// A thinker's directory from its config.json alone. Loads no native code.
import type { Architecture } from "../architecture.ts";
import { parseConfig } from "./config/config.ts";
import { parameterSpecs, partOf, thinkerKey } from "./parameters.ts";

/** @throws CheckpointError ERR_CHECKPOINT_ARCHITECTURE, ERR_CHECKPOINT_CONFIG */
export function describe(json: Readonly<Record<string, unknown>>, path: string): Architecture {
  const config = parseConfig(json, path);
  return {
    specs: parameterSpecs(config),
    nameOf: thinkerKey,
    partOf,
    decoder: config.text,
    companions: [
      ["tokenizer.json"],
      ["tokenizer_config.json"],
      ["chat_template.jinja", "chat_template.json", "tokenizer_config.json"],
    ],
  };
}
