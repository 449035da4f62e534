// A thinker's directory from its config.json alone. Loads no native code.

import { omniSpecialTokens } from "../../text/special-tokens.ts";
import type { Architecture } from "../architecture.ts";
import { parseConfig } from "./config/config.ts";
import { type PublishedSize, publishedConfig } from "./config/config-json.ts";
import { isProjector, parameterSpecs, partOf, thinkerKey } from "./parameters.ts";
import { towerShapes } from "./tower-shapes.ts";

/** @throws CheckpointError ERR_CHECKPOINT_ARCHITECTURE, ERR_CHECKPOINT_CONFIG */
export function describe(json: Readonly<Record<string, unknown>>, path: string): Architecture {
  const config = parseConfig(json, path);
  return {
    specs: parameterSpecs(config),
    nameOf: thinkerKey,
    partOf,
    decoder: config.text,
    isProjector,
    towers: towerShapes(config),
    companions: [
      ["tokenizer.json"],
      ["tokenizer_config.json"],
      ["chat_template.jinja", "chat_template.json", "tokenizer_config.json"],
    ],
  };
}

/** A published size, from its name alone. */
export function describePublished(size: PublishedSize): Architecture {
  const tokens: readonly string[] = omniSpecialTokens;
  return describe(
    publishedConfig(size, (token) => tokens.indexOf(token)),
    `the published ${size}`,
  );
}
