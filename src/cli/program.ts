// Runs one command line: parses it with commander, calls the command's action, and turns whatever is thrown into one
// sentence and an exit code. Kept apart from `main.ts` so that tests can run it with their own commands.

import { Command, CommanderError, Option } from "commander";
import { didYouMean } from "../run/nearest-setting.ts";
import { isPoolChild, sendPoolFailure } from "../run/pool/pool-child.ts";
import { packageVersion } from "../run/versions.ts";
import type { CommandDefinition } from "./base/command.ts";
import { declaredSettings } from "./base/declared-settings.ts";
import { describeFailure, type Failure, formatFailure } from "./base/failure.ts";

const DESCRIPTION = "Train and measure omni-modal emotion models with Omni-Perception Policy Optimization.";
/** commander's ways of saying that help or the version was asked for and printed. */
const PRINTED = ["commander.helpDisplayed", "commander.version"];
/** What a shell's completion script calls. */
const COMPLETE = "complete";
/** The heading of what every command has. */
const ALWAYS = "Always:";

/** Runs the arguments (without program and script) and returns the exit code. */
export async function runCommandLine(commands: readonly CommandDefinition[], args: readonly string[]): Promise<number> {
  try {
    if (args[0] === COMPLETE) {
      const { printCompletions } = await import("./base/completion.ts");
      await printCompletions(await buildProgram(commands.filter(({ name }) => name !== "completion")), args.slice(1));
      return 0;
    }
    const asked = commands.filter(({ name }) => args.includes(name)).map(({ name }) => name);
    const program = await buildProgram(commands, { isJson: args.includes("--json"), only: asked });
    await program.parseAsync(helpArguments(program, args), { from: "user" });
    return typeof process.exitCode === "number" ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError && PRINTED.includes(error.code)) return 0;
    return reportFailure(error, args);
  }
}

/**
 * Runs the arguments as the program's one command and ends with its exit code. A command that waits for what never comes (a
 * promise that nobody settles, with nothing left that could) is a failure too: Node by itself ends without a word.
 */
export function runToEnd(commands: readonly CommandDefinition[], args: readonly string[]): void {
  let isEnding = false;
  const end = (code: number): void => {
    isEnding = true;
    process.exitCode = code;
    // After a failure something may still be open (a worker, a timer); it must not keep the process.
    if (code !== 0) process.exit();
  };
  process.on("beforeExit", () => {
    if (isEnding) return;
    isEnding = true;
    void reportFailure(new Error("the command waits for something that never comes"), args).then(end);
  });
  void runCommandLine(commands, args).then(end);
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
  if (json || !isHelp(error)) {
    (json ? process.stdout : process.stderr).write(formatFailure(withUsage(failure, error), { json, verbose }));
  }
  return failure.exitCode;
}

/** An option that does not exist may be a setting in other words: `--lr`. commander itself compares letters only. */
function withNearestOption(error: CommanderError, command: Command): CommanderError {
  const [, flag] = /^error: unknown option '(--[^'=]+)/.exec(error.message) ?? [];
  if (flag === undefined || error.message.includes("Did you mean")) return error;
  const advice = didYouMean(declaredSettings(command)?.nearestFlags(flag) ?? []);
  return advice === null ? error : new CommanderError(error.exitCode, error.code, `${error.message} (${advice})`);
}

/** No command at all: for people, the help on standard error says more than a sentence could. */
function isHelp(error: unknown): error is CommanderError {
  return error instanceof CommanderError && error.code === "commander.help";
}

function withUsage(failure: Failure, error: unknown): Failure {
  if (!isHelp(error)) return failure;
  return { ...failure, message: "a command is missing. Run with --help for what there is." };
}

/** `oppo help mep run` is `oppo mep run --help`. */
function helpArguments(program: Command, args: readonly string[]): string[] {
  if (args[0] !== "help") return [...args];
  const names = args.slice(1);
  let command: Command = program;
  for (const name of names) {
    const next = command.commands.find((candidate) => candidate.name() === name);
    // commander names the nearest command.
    if (next === undefined) return names;
    command = next;
  }
  return [...names, "--help"];
}

export interface ProgramOptions {
  /** Messages of commander itself are left to whoever reports errors. */
  readonly isJson?: boolean;
  /** The commands that may be called; the others are only named. Left out: all. */
  readonly only?: readonly string[];
}

export async function buildProgram(
  commands: readonly CommandDefinition[],
  { isJson = false, only }: ProgramOptions = {},
): Promise<Command> {
  const program = new Command("oppo")
    .description(DESCRIPTION)
    .version(packageVersion(), "-v, --version", "print the version")
    .addHelpOption(new Option("-h, --help", "print this help").helpGroup(ALWAYS))
    .commandsGroup("This machine:")
    .helpCommand("help [command...]", "print the help of a command")
    // Inherited: else a command takes the options that its subcommand has as well.
    .enablePositionalOptions()
    .exitOverride()
    // Descriptions say choices and defaults themselves.
    .configureHelp({ optionDescription: ({ description }) => description })
    // Errors are printed by reportFailure, once and in one form.
    .configureOutput({
      outputError: () => undefined,
      ...(isJson ? { writeErr: () => undefined } : {}),
    })
    .addHelpText("after", "\nExamples:\n  oppo demo\n  oppo help mep run\n  oppo train --settings");
  for (const { name, summary, group, isInternal, configure } of commands) {
    const command = program
      .command(name, { hidden: isInternal === true })
      .description(summary)
      .helpGroup(group);
    if (only !== undefined && !only.includes(name)) continue;
    await configure(command);
    addCommonOptions(command);
  }
  return program;
}

/** Last, so that what is a command's own comes first. */
function addCommonOptions(command: Command): void {
  command
    .exitOverride((error) => {
      throw withNearestOption(error, command);
    })
    .helpCommand(false)
    .optionsGroup(ALWAYS)
    .addOption(new Option("--json", "print results and errors as one JSON document"))
    .addOption(new Option("--verbose", "print errors with their stack"));
  for (const inner of command.commands) addCommonOptions(inner);
}
