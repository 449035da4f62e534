// `oppo demo`: the whole system on the theatre, from rendered clips to a report.

import type { Command } from "commander";
import { demoSettings } from "../../../recipes/demo/config.ts";
import { addHelp } from "../../base/command.ts";
import { printJson } from "../../base/json.ts";
import { longRun } from "../../base/long-run.ts";
import { withSettings } from "../../base/settings-command.ts";

const inHelp = ["run", "seed", "seeds", "arms", "workers", "rlSteps", "withDev"];

const examples = ["oppo demo", "oppo demo --run runs/three --seeds 3 --arms baseline,oppo,oppo-paper"];

export function configureDemo(command: Command): void {
  addHelp(command, { examples });
  withSettings(command, { schema: demoSettings, inHelp }, ({ run, ...config }, { isJson }) =>
    longRun(async ({ interrupt, progress }) => {
      const { runDemo } = await import("../../../recipes/demo/demo.ts");
      const { resultsText } = await import("../../../page/results-text.ts");
      const { arms, paths } = await runDemo({ directory: run, config, progress, interrupt });
      if (isJson) {
        const numbers = arms.map(({ curve: _, ...arm }) => arm);
        printJson("demo", { report: paths.report, results: paths.results, arms: numbers });
      } else {
        console.log(`${resultsText(arms)}\n\nThe report: ${paths.report}\nThe numbers: ${paths.results}`);
        console.log(`Every step, clip and word: npx oppo studio ${run}`);
      }
    }),
  );
}
