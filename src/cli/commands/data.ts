// `oppo data`: which data sets can be read, and whether one of them lies on disk as it should.

import type { Command } from "commander";
import { dataCheckSettings, dataExportSettings } from "../../recipes/data/settings.ts";
import { addHelp, type CommonOptions } from "../base/command.ts";
import { printJson } from "../base/json.ts";
import { withSettings } from "../base/settings-command.ts";

export function configureData(command: Command): void {
  addHelp(command, { examples: ["oppo data list", "oppo data check mer2023 /data"] });
  configureList(command.command("list"));
  configureCheck(command.command("check"));
  configureExport(command.command("export"));
}

function placed(command: Command): Command {
  return command
    .argument("<name>", "the data set; `oppo data list` has all")
    .argument("<root>", "the folder that holds the data set's folder, or that folder itself");
}

function configureList(command: Command): void {
  addHelp(command.description("The data sets that can be read, with their splits."), { examples: ["oppo data list"] });
  command.action(async (options: CommonOptions) => {
    const { listDatasets } = await import("../../recipes/data/data-check.ts");
    const { dataListText } = await import("../../recipes/data/data-check-text.ts");
    if (options.json) printJson("data-list", { datasets: listDatasets() });
    else console.log(dataListText(listDatasets()));
  });
}

function configureCheck(command: Command): void {
  placed(command).description(
    "Counts samples and labels; finds missing clips, unreadable rows, repeated names and names that occur in training " +
      "and test. When nothing is there, says what to download from where. Exit code 1 when there is something to repair.",
  );
  addHelp(command, {
    examples: [
      "oppo data check mer2023 /data",
      "oppo data check mer-caption-plus /data --against human-ov=/data --against ov-merd-plus=/data",
    ],
  });
  withSettings(command, { schema: dataCheckSettings }, async ({ against }, { args: [name, root], isJson }) => {
    const { checkDataNamed } = await import("../../recipes/data/data-check.ts");
    const { dataCheckText } = await import("../../recipes/data/data-check-text.ts");
    const check = await checkDataNamed(name!, root!, against);
    if (isJson) printJson("data-check", check);
    else console.log(dataCheckText(check));
    if (check.problems.length > 0) process.exitCode = 1;
  });
}

function configureExport(command: Command): void {
  placed(command).description(
    "Writes a split as JSON lines (id, media, audio, subtitle, labels, reasoning), which `oppo train` and " +
      "`oppo mep` read. Media are not copied: paths are relative to the file, through a link beside it where needed.",
  );
  addHelp(command, {
    examples: [
      "oppo data export mer-caption-plus /data --split train --out train.jsonl",
      "oppo data export meld /data --split test --sound video --out meld.jsonl",
    ],
  });
  withSettings(command, { schema: dataExportSettings }, async (settings, { args: [dataset, root], isJson }) => {
    const { exportDataset } = await import("../../recipes/data/data-export.ts");
    const { exportText } = await import("../../recipes/data/data-check-text.ts");
    const result = await exportDataset({ dataset: dataset!, root: root!, ...settings });
    if (isJson) printJson("data-export", result);
    else console.log(exportText(result));
  });
}
