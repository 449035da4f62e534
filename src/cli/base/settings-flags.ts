// From one setting of a schema to one option of the command line.

import { Option } from "commander";
import type { Setting } from "../../run/settings.ts";

/** Headings of settings that stand in no group of their own. */
const plainGroup = "Options:";

/** What everybody expects of a count needs no words. */
const PLAIN_RANGES = ["whole, 0 or more", "whole, 1 or more", "0 or more"];

/** The option for a setting. It collects texts; what they mean, the schema decides. */
export function settingOption(setting: Setting, inHelp: readonly string[] | undefined): Option {
  const { node, group } = setting;
  const isSwitch = node.type === "boolean";
  const option = new Option(optionText(setting), describe(setting));
  option.helpGroup(group ?? plainGroup);
  if (!isSwitch) option.argParser<string[]>((text, before) => [...(before ?? []), text]);
  // For shells; what is wrong the schema says.
  if (node.enum !== undefined) option.argChoices = node.enum.filter((value) => value !== null).map(String);
  if (inHelp !== undefined && !inHelp.includes(setting.path)) option.hideHelp();
  return option;
}

/** "--steps <count>"; of a switch its flag alone. */
export function optionText(setting: Setting): string {
  return setting.node.type === "boolean" ? flagOf(setting) : `${flagOf(setting)} <${setting.valueName}>`;
}

/** "--no-format-first" of a switch that is on by default. */
export function flagOf({ flag, node, default: standard }: Setting): string {
  return node.type === "boolean" && standard === true ? `--no-${flag}` : `--${flag}`;
}

function describe({ description, range, defaultText, isRequired, node }: Setting): string {
  const isTold = node.enum !== undefined || (/\d/.test(range) && !PLAIN_RANGES.includes(range));
  const facts = [
    ...(isTold ? [range] : []),
    ...(defaultText === "" || node.type === "boolean" ? [] : [`default: ${defaultText}`]),
    ...(isRequired ? ["required"] : []),
  ];
  return facts.length === 0 ? description : `${description} (${facts.join("; ")})`;
}
