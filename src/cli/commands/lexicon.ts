// `oppo lexicon`: the emotion words behind every score.

import type { CommandDefinition, CommonOptions } from "../command.ts";

interface ExplainOptions extends CommonOptions {
  readonly lexicon?: string;
}

export const lexiconCommand: CommandDefinition = {
  name: "lexicon",
  summary: "the emotion lexicon: import the community's, or see why a word scores as it does",
  configure(command) {
    command.helpCommand(false);
    command
      .command("import")
      .description(
        "Reads the lexicon of MER-UniBench from a checkout of AffectGPT or MERTools (spreadsheets, CSV and NumPy files as they " +
          "are, nothing in them is executed) and keeps it in ~/.oppo (or OPPO_HOME). Published numbers use affectgpt.",
      )
      .argument("<folder>", "the checkout")
      .option("--json", "print the result and errors as JSON")
      .option("--verbose", "print errors with their stack")
      .action(async (folder: string, options: CommonOptions) => {
        const { importLexicons } = await import("../../corpus/lexicons.ts");
        const { oppoHome } = await import("../../run/lexicon-store.ts");
        const imported = await importLexicons(folder, oppoHome(process.env));
        if (options.json) console.log(JSON.stringify(imported, null, 2));
        else {
          for (const { name, hash, source, file, numForms } of imported) {
            console.log(`${name} (${hash}): ${numForms} word forms, from ${source}, kept as ${file}`);
          }
        }
      });
    command
      .command("explain")
      .description("Shows the path of a word through forms, meanings and wheels, and every candidate that lost.")
      .argument("<word>", 'an emotion word, such as "furious"')
      .option("--lexicon <choice>", "built-in, affectgpt, mer2026 or a file (default: affectgpt where it was imported)")
      .option("--json", "print the result and errors as JSON")
      .option("--verbose", "print errors with their stack")
      .action(async (word: string, options: ExplainOptions) => {
        const { chooseLexicon } = await import("../../corpus/lexicons.ts");
        const { explainWord } = await import("../../recipes/score/explain-text.ts");
        const { oppoHome } = await import("../../run/lexicon-store.ts");
        const lexicon = chooseLexicon(options.lexicon ?? null, oppoHome(process.env));
        const { path, text } = explainWord(lexicon, word);
        console.log(options.json ? JSON.stringify(path, null, 2) : text);
      });
  },
};
