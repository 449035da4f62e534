// `oppo report RUN`: the page of a demo once more, for instance after its look was changed.

import type { CommandDefinition, CommonOptions } from "../command.ts";

export const reportCommand: CommandDefinition = {
  name: "report",
  summary: "make report.html and results.json of a finished demo again, without training or measuring",
  configure(command) {
    command
      .argument("<run>", 'the folder of the demo, such as "runs/demo"')
      .action(async (run: string, options: CommonOptions) => {
        const { rebuildReport } = await import("../../recipes/demo/rebuild-report.ts");
        const { resultsText } = await import("../../page/results-text.ts");
        const { report, results, arms } = await rebuildReport(run);
        if (options.json) {
          const numbers = arms.map(({ curve: _, ...arm }) => arm);
          console.log(JSON.stringify({ report, results, arms: numbers }, null, 2));
        } else console.log(`${resultsText(arms)}\n\nThe report: ${report}\nThe numbers: ${results}`);
      });
  },
};
