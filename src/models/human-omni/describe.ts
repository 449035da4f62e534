// A HumanOmni directory from its config.json and its towers' alone. Loads no native code.
import { dirname } from "node:path";
import type { Architecture } from "../architecture.ts";
import { type HumanOmniConfig, parseConfig } from "./config/config.ts";
import { type FreshSize, freshConfig, freshTowers } from "./config/config-json.ts";
import { findTowers, unfollowedPaths } from "./config/find-towers.ts";
import type { Json, Towers } from "./config/towers.ts";
import { humanOmniKey, isProjector, parameterSpecs, partOf } from "./parameters.ts";
import { towerShapes } from "./tower-shapes.ts";
import { absentTowers, towerWeights } from "./tower-weights.ts";

/** @throws CheckpointError ERR_CHECKPOINT_CONFIG */
export function describe(json: Json, path: string): Architecture {
  const directory = dirname(path);
  const towers = findTowers(directory, json);
  return described(json, parseConfig(json, path, towers), towers);
}

/** A size that new models have, from its name alone. */
export function describeFresh(size: FreshSize): Architecture {
  const towers = freshTowers(size, 0);
  const json = freshConfig(size, 0, () => 0);
  return described(json, parseConfig(json, `the published ${size}`, towers), towers);
}

function described(json: Json, config: HumanOmniConfig, towers: Towers): Architecture {
  return {
    specs: parameterSpecs(config),
    nameOf: humanOmniKey(config),
    partOf,
    isProjector,
    decoder: config.text,
    towers: towerShapes(config),
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
