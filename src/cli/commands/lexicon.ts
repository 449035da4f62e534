// `oppo lexicon`: the emotion words behind every score.

import type { Command } from "commander";
import { explainSettings } from "../../recipes/score/settings.ts";
import { addHelp, type CommonOptions } from "../base/command.ts";
import { printJson } from "../base/json.ts";
import { withSettings } from "../base/settings-command.ts";

export function configureLexicon(command: Command): void {
  addHelp(command, { examples: ["oppo lexicon import ../AffectGPT", "oppo lexicon explain furious"] });
  configureImport(command.command("import"));
  configureExplain(command.command("explain"));
}

function configureImport(command: Command): void {
  command
    .description(
      "Reads the lexicon of MER-UniBench from a checkout of AffectGPT or MERTools (spreadsheets, CSV and NumPy files as they " +
        "are, nothing in them is executed) and keeps it in ~/.oppo (or OPPO_HOME). Published numbers use affectgpt.",
    )
    .argument("<folder>", "the checkout");
  addHelp(command, { examples: ["oppo lexicon import ../AffectGPT"] });
  command.action(async (folder: string, options: CommonOptions) => {
    const { importLexicons } = await import("../../corpus/lexicons.ts");
    const { oppoHome } = await import("../../run/lexicon-store.ts");
    const imported = await importLexicons(folder, oppoHome(process.env));
    if (options.json) return printJson("lexicon-import", { lexicons: imported });
    for (const { name, hash, source, file, numForms } of imported) {
      console.log(`${name} (${hash}): ${numForms} word forms, from ${source}, kept as ${file}`);
    }
  });
}

function configureExplain(command: Command): void {
  command
    .description("Shows the path of a word through forms, meanings and wheels, and every candidate that lost.")
    .argument("<word>", 'an emotion word, such as "furious"');
  addHelp(command, { examples: ["oppo lexicon explain furious"] });
  withSettings(command, { schema: explainSettings }, async ({ lexicon: choice }, { args: [word], isJson }) => {
    const { chooseLexicon } = await import("../../corpus/lexicons.ts");
    const { explainWord } = await import("../../recipes/score/explain-text.ts");
    const { oppoHome } = await import("../../run/lexicon-store.ts");
    const { path, text } = explainWord(chooseLexicon(choice, oppoHome(process.env)), word!);
    if (isJson) printJson("lexicon-explain", path);
    else console.log(text);
  });
}
