// `oppo mep compare`: two runs on one set.

import type { Command } from "commander";
import { mepCompareSettings } from "../../../recipes/mep/run-settings.ts";
import { addHelp } from "../../base/command.ts";
import { printJson } from "../../base/json.ts";
import { withSettings } from "../../base/settings-command.ts";

const examples = ["oppo mep compare runs/mep/oppo runs/mep/reward-only --html compare.html"];

export function configureCompare(command: Command): void {
  command
    .description("Compares two runs on one set: the difference of every score, tested on the same clips.")
    .argument("<first>", "the folder of a run, or its results.json")
    .argument("<second>", "another one, of the same set");
  addHelp(command, { examples });
  withSettings(command, { schema: mepCompareSettings }, async ({ html }, { args: [first, second], isJson }) => {
    const { compareResults, comparisonPage, comparisonText } = await import("../../../recipes/mep/compare.ts");
    const { readResults } = await import("../../../recipes/mep/results.ts");
    const { replaceFile } = await import("../../../run/checkpoint.ts");
    const comparison = compareResults(readResults(first!), readResults(second!));
    if (html !== null) replaceFile(html, comparisonPage(comparison));
    if (!isJson) return console.log(comparisonText(comparison));
    const { differences, notes } = comparison;
    const systems = [comparison.first, comparison.second].map(({ system, report }) => ({ system, report }));
    printJson("mep-compare", { systems, differences, notes });
  });
}
