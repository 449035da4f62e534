// `oppo data`: which data sets can be read, and whether one of them lies on disk as it should.

import { type CommandDefinition, type CommonOptions, collect } from "../command.ts";

interface CheckOptions extends CommonOptions {
  readonly against: readonly string[];
}

const afterHelp = `
Example:
  oppo data check mer2023 /data
  oppo data check mer-caption-plus /data --against human-ov=/data --against ov-merd-plus=/data`;

export const dataCommand: CommandDefinition = {
  name: "data",
  summary: "the emotion data sets: which can be read, and whether yours is complete and clean",
  configure(command) {
    command.helpCommand(false);
    command
      .command("check")
      .description(
        "Counts samples and labels; finds missing clips, unreadable rows, repeated names and names that occur in training " +
          "and test. When nothing is there, says what to download from where. Exit code 1 when there is something to repair.",
      )
      .argument("<name>", "the data set; `oppo data list` has all")
      .argument("<root>", "the folder that holds the data set's folder, or that folder itself")
      .option("--against <name=root>", "compare the names with another set's, trained on; repeatable", collect, [])
      .option("--json", "print the result and errors as JSON")
      .option("--verbose", "print errors with their stack")
      .addHelpText("after", afterHelp)
      .action(async (name: string, root: string, options: CheckOptions) => {
        const { checkDataNamed } = await import("../../recipes/data-check.ts");
        const { dataCheckText } = await import("../../recipes/data-check-text.ts");
        const check = await checkDataNamed(name, root, options.against);
        console.log(options.json ? JSON.stringify(check, null, 2) : dataCheckText(check));
        if (check.problems.length > 0) process.exitCode = 1;
      });
    command
      .command("list")
      .description("The data sets that can be read, with their splits.")
      .option("--json", "print the result and errors as JSON")
      .option("--verbose", "print errors with their stack")
      .action(async (options: CommonOptions) => {
        const { listDatasets } = await import("../../recipes/data-check.ts");
        const { dataListText } = await import("../../recipes/data-check-text.ts");
        console.log(options.json ? JSON.stringify(listDatasets(), null, 2) : dataListText(listDatasets()));
      });
  },
};
