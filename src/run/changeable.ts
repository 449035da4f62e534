// Which settings of a run may be others when it goes on. Until its first checkpoint it has learned nothing: whatever stopped it may
// be put right.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { latestCheckpoint } from "./checkpoint.ts";
import { configDifferences, readConfigFile } from "./config.ts";

/** @param always dotted paths that may change at any time @param choices names of what is chosen by itself (`RunFacts.choices`) */
export function changeableSettings(
  directory: string,
  config: unknown,
  always: readonly string[],
  choices: readonly string[],
): string[] {
  const file = join(directory, "config.yaml");
  if (latestCheckpoint(join(directory, "checkpoints")) !== null || !existsSync(file)) return [...always];
  return [...configDifferences(readConfigFile(file).values, JSON.parse(JSON.stringify(config))), ...choices];
}
