// Completion for shells. A library writes their scripts and answers them from the very tree of commands that is parsed.

import type { Command } from "commander";

export const shells = ["bash", "zsh", "fish"] as const;

const name = "oppo";

/** Prints the script that a shell reads. */
export async function printScript(shell: (typeof shells)[number]): Promise<void> {
  const { default: tab } = await import("@bomb.sh/tab");
  tab.setup(name, name, shell);
}

/** Prints what may follow the words, one line each: the script calls `oppo complete -- WORDS`. */
export async function printCompletions(program: Command, [, ...words]: readonly string[]): Promise<void> {
  const { default: tab } = await import("@bomb.sh/tab/commander");
  tab(program, { completionCommandName: "completion" }).parse(words);
}
