// A command whose settings stand in a schema: flags made of it, --config FILE, --set path=value and --settings. No default and
// no range is written here; what a flag says of itself is what the schema says of the setting.

import { type Command, Option } from "commander";
import type { z } from "zod";
import { OppoError } from "../../error.ts";
import { ConfigError, type ConfigSources, type GivenFlag, resolveConfig, type SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";
import { nearestSettings } from "../../run/nearest-setting.ts";
import { listSettings, type Setting, schemaTree } from "../../run/settings.ts";
import type { CommonOptions } from "./command.ts";
import { declareSettings } from "./declared-settings.ts";
import { flagOf, optionText, settingOption } from "./settings-flags.ts";
import { printSettings } from "./settings-table.ts";

export interface SettingsSpec<S extends z.ZodObject> {
  readonly schema: S;
  /** Settings without effect under others. */
  readonly idle?: readonly IdleRule<SettingsOf<S>>[];
  /** The paths whose flags --help shows; the others are in --settings. Left out: all. */
  readonly inHelp?: readonly string[];
  /**
   * Options of former versions ("--judge-model <name>"), and what is written now. What only named the model of an address that
   * stands in an option of its own is joined to it, with a word.
   */
  readonly retired?: Readonly<Record<string, RetiredOption>>;
  /** From what was given to settings, where there is more to it than the schema: presets. */
  readonly resolve?: (sources: ConfigSources) => SettingsOf<S>;
}

export interface RetiredOption {
  /** Example: "--judge URL#MODEL" */
  readonly instead: string;
  /** The option whose address it completes. Example: "--judge" */
  readonly joins?: string;
}

/** What an action gets beside the settings. */
export interface Call {
  /** The words that are no options. */
  readonly args: readonly string[];
  readonly isJson: boolean;
}

interface SettingsOptions extends CommonOptions {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly settings?: true;
}

/** Declares the options of a schema on a command, and its action. */
export function withSettings<S extends z.ZodObject>(
  command: Command,
  spec: SettingsSpec<S>,
  action: (settings: SettingsOf<S>, call: Call) => unknown,
): Command {
  const settings = listSettings(spec.schema);
  for (const setting of settings) command.addOption(settingOption(setting, spec.inHelp));
  for (const [flags, { instead, joins }] of Object.entries(spec.retired ?? {})) {
    if (joins === undefined) addRetired(command, flags, instead);
    else command.addOption(new Option(flags).hideHelp());
  }
  addFileOptions(command, settings.length - (spec.inHelp?.length ?? settings.length));
  const resolve = () => resolveGiven(command, spec, settings);
  const idlePaths = (spec.idle ?? []).flatMap(({ paths }) => paths);
  const nearestFlags = (flag: string) => {
    const paths = nearestSettings(schemaTree(spec.schema), flag.replace(/^-+/, ""));
    return settings.filter(({ path }) => paths.includes(path)).map(flagOf);
  };
  declareSettings(command, { settings, idlePaths, resolve, nearestFlags });
  return command.action(async () => {
    const { settings: isAsked, json } = command.opts<SettingsOptions>();
    if (isAsked === true) printSettings(nameOf(command), settings, json === true);
    else await action(resolve(), { args: command.args, isJson: json === true });
  });
}

function addFileOptions(command: Command, numHidden: number): void {
  const more = numHidden > 0 ? `, also the ${numHidden} that are not shown here` : "";
  const group = "Settings:";
  command
    .addOption(new Option("--config <file>", "YAML or JSON with settings").helpGroup(group))
    .addOption(
      new Option("--set <path=value>", "one setting by its name; may be given several times")
        .argParser<string[]>((text, before) => [...(before ?? []), text])
        .helpGroup(group),
    )
    .addOption(new Option("--settings", `print every setting with default, range and source${more}`).helpGroup(group));
  // Who asks for the list need not know the arguments.
  command.on("option:settings", () => {
    for (const argument of command.registeredArguments) argument.required = false;
  });
}

function addRetired(command: Command, flags: string, instead: string): void {
  const option = new Option(flags).hideHelp().argParser(() => {
    throw retiredError(flags, instead);
  });
  command.addOption(option);
}

function retiredError(flags: string, instead: string): OppoError {
  return new OppoError("ERR_USAGE", `${flags.split(" ")[0]}: it is written ${instead} now. See --help.`);
}

/** The flags with the models that former options name at the end of the addresses that they belong to. */
function joined(command: Command, retired: SettingsSpec<z.ZodObject>["retired"], flags: GivenFlag[]): GivenFlag[] {
  let all = flags;
  for (const [words, { instead, joins }] of Object.entries(retired ?? {})) {
    if (joins === undefined) continue;
    const model: unknown = command.getOptionValue(new Option(words).attributeName());
    if (model === undefined) continue;
    const address = all.find(({ flag }) => flag === joins);
    if (address === undefined || address.texts.some((text) => text.includes("#"))) throw retiredError(words, instead);
    process.stderr.write(`note: ${words.split(" ")[0]} is written ${instead} now\n`);
    const texts = address.texts.map((text) => `${text}#${String(model)}`);
    all = all.map((one) => (one === address ? { ...one, texts } : one));
  }
  return all;
}

function resolveGiven<S extends z.ZodObject>(
  command: Command,
  { schema, idle, resolve, retired }: SettingsSpec<S>,
  settings: readonly Setting[],
): SettingsOf<S> {
  const { config: file, set: overrides } = command.opts<SettingsOptions>();
  const sources = { file, overrides, flags: joined(command, retired, givenFlags(command, settings)) };
  try {
    return resolve === undefined ? resolveConfig(schema, sources, idle) : resolve(sources);
  } catch (error) {
    if (!(error instanceof ConfigError && error.isMissing)) throw error;
    const missing = settings.find(({ path }) => path === error.path);
    if (missing === undefined) throw error;
    const option = optionText(missing);
    throw new OppoError("ERR_USAGE", `required option '${option}' not specified. Run with --help for what there is.`);
  }
}

function givenFlags(command: Command, settings: readonly Setting[]): GivenFlag[] {
  const byName = new Map(command.options.map((option) => [option.long, option.attributeName()]));
  return settings.flatMap((setting) => {
    const flag = flagOf(setting);
    const value: unknown = command.getOptionValue(byName.get(flag) ?? "");
    if (value === undefined || command.getOptionValueSource(byName.get(flag) ?? "") !== "cli") return [];
    return [{ path: setting.path, flag, texts: (Array.isArray(value) ? value : [value]).map(String) }];
  });
}

/** Example: "oppo mep run" */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}
