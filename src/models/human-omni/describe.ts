// A HumanOmni directory from its config.json and its towers' alone. Loads no native code.
import { dirname } from "node:path";
import type { Architecture } from "../architecture.ts";
import { findTowers, unfollowedPaths } from "./config/components.ts";
import { type Json, parseConfig } from "./config/config.ts";
import { humanOmniKey, parameterSpecs, partOf } from "./parameters.ts";
import { absentTowers, towerWeights } from "./tower-weights.ts";

/** @throws CheckpointError ERR_CHECKPOINT_CONFIG */
export function describe(json: Json, path: string): Architecture {
  const directory = dirname(path);
  const towers = findTowers(directory, json);
  const config = parseConfig(json, path, towers);
  return {
    specs: parameterSpecs(config),
    nameOf: humanOmniKey(config),
    partOf,
    decoder: config.text,
    folders: towerWeights(towers),
    notices: (table) => [...unfollowedPaths(json, towers), ...absentTowers(table, towers)],
    companions: [
      ["tokenizer.json"],
      ["tokenizer_config.json"],
      ["chat_template.jinja", "chat_template.json", "tokenizer_config.json"],
      [`${towers.question.folder}/vocab.txt`],
    ],
  };
}
