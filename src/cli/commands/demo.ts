// `oppo demo`: the whole system on the theatre, from rendered clips to a report.

import { type CommandDefinition, type CommonOptions, collect } from "../command.ts";
import { longRun } from "../long-run.ts";

interface DemoOptions extends CommonOptions {
  readonly run: string;
  readonly seeds?: string;
  readonly arms?: string;
  readonly config?: string;
  readonly set: readonly string[];
}

export const demoCommand: CommandDefinition = {
  name: "demo",
  summary: "train and compare the arms on rendered clips, and write a report page",
  configure(command) {
    command
      .option("--run <directory>", "where everything goes; a run that was stopped goes on", "runs/demo")
      .option("--seeds <count>", "RL seeds per arm")
      .option("--arms <names>", "comma-separated presets: baseline, reward-only, papo, papo-dual, oppo, oppo-paper")
      .option("--config <file>", "YAML or JSON with the demo's settings")
      .option("--set <path=value>", "one setting; may be given several times", collect, [])
      .action((options: DemoOptions) =>
        longRun(async ({ interrupt, progress }) => {
          const { demoSchema } = await import("../../recipes/demo/config.ts");
          const { runDemo } = await import("../../recipes/demo/demo.ts");
          const { resultsText } = await import("../../page/results-text.ts");
          const { resolveConfig } = await import("../../run/config.ts");
          const overrides = [
            ...options.set,
            ...(options.seeds === undefined ? [] : [`seeds=${options.seeds}`]),
            ...(options.arms === undefined ? [] : [`arms=[${options.arms}]`]),
          ];
          const config = resolveConfig(demoSchema, { file: options.config, overrides });
          const { arms, paths } = await runDemo({ directory: options.run, config, progress, interrupt });
          if (options.json) {
            console.log(
              JSON.stringify(
                { report: paths.report, results: paths.results, arms: arms.map(({ curve: _, ...arm }) => arm) },
                null,
                2,
              ),
            );
          } else console.log(`${resultsText(arms)}\n\nThe report: ${paths.report}\nThe numbers: ${paths.results}`);
        }),
      );
  },
};
