// What a command is: a name, a line of help, and a function that declares its options and its action on commander's
// object. One file per command; an action turns arguments into a call of a recipe and imports that recipe when it runs,
// so that `oppo --help` loads no native code.

import type { Command } from "commander";

export interface CommandDefinition {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Started by other commands in processes of their own; not in the help. */
  readonly isInternal?: true;
  /** Declares options and action. `--json` and `--verbose` are there already. */
  configure(command: Command): void;
}

/** The options that every command has. */
export interface CommonOptions {
  /** Results, and errors, as one JSON document on standard output. */
  readonly json?: true;
  /** Errors with their stack. */
  readonly verbose?: true;
}

/** commander's parser for an option that may be given several times: `--set a=1 --set b=2`. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
