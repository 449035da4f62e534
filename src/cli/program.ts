// Runs one command line: parses it with commander, calls the command's action, and turns whatever is thrown into one
// sentence and an exit code. Kept apart from `main.ts` so that tests can run it with their own commands.

import { Command, CommanderError, Help, type Option } from "commander";
import { isPoolChild, sendPoolFailure } from "../run/pool-child.ts";
import { packageVersion } from "../run/versions.ts";
import type { CommandDefinition } from "./command.ts";
import { describeFailure, formatFailure } from "./failure.ts";

const DESCRIPTION = "Train and measure omni-modal emotion models with Omni-Perception Policy Optimization.";
/** commander's ways of saying that help or the version was asked for and printed. */
const PRINTED = ["commander.helpDisplayed", "commander.version"];

/** Runs the arguments (without program and script) and returns the exit code. */
export async function runCommandLine(commands: readonly CommandDefinition[], args: readonly string[]): Promise<number> {
  try {
    await buildProgram(commands).parseAsync([...args], { from: "user" });
    return typeof process.exitCode === "number" ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError && PRINTED.includes(error.code)) return 0;
    // No command at all: the help was printed to standard error, which says more than a sentence could.
    if (error instanceof CommanderError && error.code === "commander.help") return describeFailure(error).exitCode;
    return reportFailure(error, args);
  }
}

/** Prints what was thrown, or sends it to the parent of a pool, and returns the exit code. */
export async function reportFailure(error: unknown, args: readonly string[]): Promise<number> {
  const failure = describeFailure(error);
  if (isPoolChild()) {
    await sendPoolFailure(failure.code, failure.message);
    return failure.exitCode;
  }
  const json = args.includes("--json");
  const verbose = args.includes("--verbose") || process.env.OPPO_DEBUG === "1";
  (json ? process.stdout : process.stderr).write(formatFailure(failure, { json, verbose }));
  return failure.exitCode;
}

const plainHelp = new Help();

/** commander shows the empty list that a repeatable option begins with as its default. */
function describeOption(option: Option): string {
  const isEmpty = Array.isArray(option.defaultValue) && option.defaultValue.length === 0;
  return plainHelp.optionDescription(
    isEmpty ? Object.assign(Object.create(option), { defaultValue: undefined }) : option,
  );
}

function buildProgram(commands: readonly CommandDefinition[]): Command {
  const program = new Command("oppo")
    .description(DESCRIPTION)
    .version(packageVersion(), "-V, --version", "print the version")
    .helpCommand(false)
    // Inherited: else a command takes the options that its subcommand has as well.
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({ optionDescription: describeOption })
    // Errors are printed by reportFailure, once and in one form.
    .configureOutput({ outputError: () => undefined });
  for (const { name, summary, isInternal, configure } of commands) {
    const command = program
      .command(name, { hidden: isInternal === true })
      .description(summary)
      .option("--json", "print results and errors as JSON")
      .option("--verbose", "print errors with their stack");
    configure(command);
  }
  return program;
}
