// `oppo theatre build`: the procedural corpus as files.

import { availableParallelism } from "node:os";
import type { TheatreShard } from "../../recipes/theatre/build-theatre.ts";
import { type CommandDefinition, type CommonOptions, collect } from "../command.ts";
import { longRun } from "../long-run.ts";
import { count } from "../number.ts";

interface BuildOptions extends CommonOptions {
  readonly out: string;
  readonly plan?: string;
  readonly set: readonly string[];
  readonly workers: number;
}

export const theatreCommand: CommandDefinition = {
  name: "theatre",
  summary: "make the theatre: clips of a painted actor whose visible and audible cues are known exactly",
  configure(command) {
    command
      .helpCommand(false)
      .command("build")
      .description(
        "Render the corpus: mp4 clips with subtitles beside them, one JSONL file of samples per split, and a manifest " +
          "(corpus.json). A build that was stopped goes on; clips that are there are not made again.",
      )
      .option("--out <directory>", "where the corpus goes", "runs/theatre")
      .option("--plan <file>", "YAML or JSON with seed, splits (name: kind, numClips) and format")
      .option("--set <path=value>", "one setting of the plan, such as splits.sft.numClips=100; repeatable", collect, [])
      .option("--workers <count>", "processes that render at the same time", count, availableParallelism())
      .option("--json", "print the result and errors as JSON")
      .option("--verbose", "print errors with their stack")
      .action(async (options: BuildOptions) => {
        await longRun(async ({ payload, progress, interrupt }) => {
          const recipe = await import("../../recipes/theatre/build-theatre.ts");
          if (payload !== null) {
            return recipe.buildTheatreShard(payload as TheatreShard, progress, interrupt.signal);
          }
          const { resolveConfig } = await import("../../run/config.ts");
          const plan = resolveConfig(recipe.planSchema, {
            ...(options.plan === undefined ? { preset: recipe.defaultPlanConfig } : {}),
            file: options.plan,
            overrides: options.set,
          });
          const result = await recipe.buildTheatre({
            root: options.out,
            plan,
            workers: options.workers,
            childArgs: ["theatre", "build"],
            progress,
            interrupt,
          });
          if (options.json) {
            const { confusionLines: _, ...numbers } = result;
            console.log(JSON.stringify(numbers, null, 2));
          } else {
            console.log("How well the reward's embedder tells the corpus' cues apart:");
            for (const line of result.confusionLines) console.log(line);
            console.log(`\nThe corpus: ${result.root} (${result.files.join(", ")})`);
          }
          return null;
        });
      });
  },
};
