// `oppo data`: which data sets can be read, and whether one of them lies on disk as it should.
import { Option } from "commander";
import type { ExportRequest } from "../../recipes/data/data-export.ts";
import { type CommandDefinition, type CommonOptions, collect } from "../command.ts";
import { wholeNumber } from "../number.ts";

interface ExportOptions extends CommonOptions, Pick<ExportRequest, "out" | "sound" | "missing" | "maxSkippedRows"> {
  readonly split?: string;
}

interface CheckOptions extends CommonOptions {
  readonly against: readonly string[];
}

const afterHelp = `
Examples:
  oppo data check mer2023 /data
  oppo data check mer-caption-plus /data --against human-ov=/data --against ov-merd-plus=/data`;

const exportHelp = `
Examples:
  oppo data export mer-caption-plus /data --split train --out train.jsonl
  oppo data export meld /data --split test --sound video --out meld.jsonl`;

export const dataCommand: CommandDefinition = {
  name: "data",
  summary:
    "the emotion data sets: which can be read, whether yours is complete and clean, and their samples as JSON lines",
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
        const { checkDataNamed } = await import("../../recipes/data/data-check.ts");
        const { dataCheckText } = await import("../../recipes/data/data-check-text.ts");
        const check = await checkDataNamed(name, root, options.against);
        console.log(options.json ? JSON.stringify(check, null, 2) : dataCheckText(check));
        if (check.problems.length > 0) process.exitCode = 1;
      });
    command
      .command("export")
      .description(
        "Writes a split as JSON lines (id, media, audio, subtitle, labels, reasoning), which `oppo train` and " +
          "`oppo mep` read. Media are not copied: paths are relative to the file, through a link beside it where needed.",
      )
      .argument("<name>", "the data set; `oppo data list` has all")
      .argument("<root>", "the folder that holds the data set's folder, or that folder itself")
      .requiredOption("--out <file>", "the JSON lines to write")
      .option("--split <name>", "which split; may be left out where there is one only")
      .addOption(
        new Option("--sound <source>", "the layout's sound files where it has them, or the videos' own tracks")
          .choices(["files", "video"])
          .default("files"),
      )
      .addOption(
        new Option("--missing <rule>", "samples without their clip or sound file")
          .choices(["refuse", "leave-out"])
          .default("refuse"),
      )
      .option("--max-skipped-rows <count>", "bad rows of the tables to tolerate", wholeNumber, 10)
      .option("--json", "print the result and errors as JSON")
      .option("--verbose", "print errors with their stack")
      .addHelpText("after", exportHelp)
      .action(async (name: string, root: string, options: ExportOptions) => {
        const { exportDataset } = await import("../../recipes/data/data-export.ts");
        const { exportText } = await import("../../recipes/data/data-check-text.ts");
        const { out, sound, missing, maxSkippedRows, split = null } = options;
        const result = await exportDataset({ dataset: name, root, split, out, sound, missing, maxSkippedRows });
        console.log(options.json ? JSON.stringify(result, null, 2) : exportText(result));
      });
    command
      .command("list")
      .description("The data sets that can be read, with their splits.")
      .option("--json", "print the result and errors as JSON")
      .option("--verbose", "print errors with their stack")
      .action(async (options: CommonOptions) => {
        const { listDatasets } = await import("../../recipes/data/data-check.ts");
        const { dataListText } = await import("../../recipes/data/data-check-text.ts");
        console.log(options.json ? JSON.stringify(listDatasets(), null, 2) : dataListText(listDatasets()));
      });
  },
};
