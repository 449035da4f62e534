// `oppo report RUN`: the page of a demo once more, for instance after its look was changed.

import type { Command } from "commander";
import { addHelp, type CommonOptions } from "../base/command.ts";
import { printJson } from "../base/json.ts";

export function configureReport(command: Command): void {
  addHelp(command.argument("<run>", "the folder of the demo"), { examples: ["oppo report runs/demo"] });
  command.action(async (run: string, options: CommonOptions) => {
    const { rebuildReport } = await import("../../recipes/demo/rebuild-report.ts");
    const { resultsText } = await import("../../page/results-text.ts");
    const { report, results, arms } = await rebuildReport(run);
    if (options.json) {
      const numbers = arms.map(({ curve: _, ...arm }) => arm);
      printJson("report", { report, results, arms: numbers });
    } else console.log(`${resultsText(arms)}\n\nThe report: ${report}\nThe numbers: ${results}`);
  });
}
