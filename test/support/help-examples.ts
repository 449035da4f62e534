// The examples of every help text, as command lines; and commander's tree without its actions.
import type { Command } from "commander";
import { commands } from "../../src/cli/commands/index.ts";
import { buildProgram } from "../../src/cli/program.ts";

/** The whole tree, one command after the other. */
export function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** What a command prints after --help. */
export function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

/** Command lines that start with two blanks and "oppo", continued lines joined. */
export function examplesIn(help: string): string[] {
  const joined = help.replaceAll(/\\\n\s*/g, "");
  return [...joined.matchAll(/^ {2}(oppo .*)$/gm)].map((match) => match[1]!);
}

/** Words as a shell cuts them: blanks, and quotes of both kinds. */
export function shellWords(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s"'])+/g)].map((match) =>
    match[0].replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double),
  );
}

export async function allExamples(): Promise<{ readonly of: Command; readonly line: string }[]> {
  const program = await buildProgram(commands);
  return allCommands(program)
    .filter((command) => command.name() !== "demo-task")
    .flatMap((of) => examplesIn(helpOf(of)).map((line) => ({ of, line })));
}
