// Which settings a command was declared with. Apart from the code that declares them, so that the help of all commands loads no
// schema.

import type { Command } from "commander";
import type { Setting } from "../../run/settings.ts";

/** What a command was declared with, and the settings that its parsed options come to. */
export interface Declared {
  readonly settings: readonly Setting[];
  readonly idlePaths: readonly string[];
  readonly resolve: () => unknown;
  /** The options that come closest to one that does not exist: "--learning-rate" for "--lr". */
  readonly nearestFlags: (flag: string) => readonly string[];
}

const declared = new WeakMap<Command, Declared>();

export function declareSettings(command: Command, settings: Declared): void {
  declared.set(command, settings);
}

/** null where a command has no settings. */
export function declaredSettings(command: Command): Declared | null {
  return declared.get(command) ?? null;
}
