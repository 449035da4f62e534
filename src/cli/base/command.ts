// What a command is: a name, a line of help, and a function that declares its options and its action on commander's
// object. One file per command, loaded when it is called; an action turns settings into a call of a recipe and imports that recipe when it runs,
// so that `oppo --help` loads no native code. The settings themselves stand in a schema beside the recipe.

import type { Command } from "commander";

export interface CommandDefinition {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Under which heading the list has it. */
  readonly group: "First steps:" | "Measure:" | "Train:" | "Models:" | "Data:" | "This machine:";
  /** Started by other commands in processes of their own; not in the help. */
  readonly isInternal?: true;
  /** Declares arguments, options and action. `--json` and `--verbose` come by themselves (program.ts). */
  configure(command: Command): void | Promise<void>;
}

/** The options that every command has. */
export interface CommonOptions {
  /** Results, and errors, as one JSON document on standard output. */
  readonly json?: true;
  /** Errors with their stack. */
  readonly verbose?: true;
}

/** What stands below the options: notes, then examples, each a whole command line. */
export interface HelpText {
  readonly notes?: string;
  readonly examples: readonly string[];
}

export function addHelp(command: Command, { notes, examples }: HelpText): Command {
  const lines = examples.map((example) => `  ${example.replaceAll("\n", "\n    ")}`).join("\n");
  return command.addHelpText(
    "after",
    `${notes === undefined ? "" : `\n${notes}`}\n\n${examples.length > 1 ? "Examples" : "Example"}:\n${lines}`,
  );
}
