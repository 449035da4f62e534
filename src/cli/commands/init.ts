// `oppo init`: a random model of a given shape.

import { Option } from "commander";
import { shapeNames } from "../../recipes/init/shape-names.ts";
import type { CommandDefinition, CommonOptions } from "../command.ts";
import { longRun } from "../long-run.ts";
import { wholeNumber } from "../number.ts";

interface InitOptions extends CommonOptions {
  readonly arch: string;
  readonly seed: number;
  readonly dtype?: "bfloat16" | "float32";
}

const afterHelp = `
The weights are random: the model is for tests and speed runs, or (tiny) for training from scratch. The 3B takes 9.4 GB
of disk in bfloat16, the 7B 17.9 GB. Same seed, same weights.

Example:
  oppo init --arch qwen2.5-omni-3b --random runs/random-3b`;

export const initCommand: CommandDefinition = {
  name: "init",
  summary: "write a model with random weights of a real shape, for tests and speed runs",
  configure(command) {
    command
      .argument("<directory>", "where it goes; must not exist or be empty")
      .addOption(new Option("--arch <name>", "the shape").choices(shapeNames()).makeOptionMandatory())
      .requiredOption("--random", "draw the weights (there is no other way yet)")
      .option("--seed <number>", "seed of the weights", wholeNumber, 0)
      .addOption(
        new Option("--dtype <type>", "of the weights (default: bfloat16; tiny is always float32)").choices([
          "bfloat16",
          "float32",
        ]),
      )
      .addHelpText("after", afterHelp)
      .action((directory: string, options: InitOptions) =>
        longRun(async ({ progress }) => {
          const { initModel } = await import("../../recipes/init/init-model.ts");
          const { arch, seed, dtype = "bfloat16" } = options;
          await initModel({ shape: arch, directory, seed, dtype, progress });
          const { inspectModel } = await import("../../recipes/inspect/inspect-model.ts");
          const { numParameters, memory } = await inspectModel(directory);
          if (options.json) console.log(JSON.stringify({ directory, numParameters, bytes: memory.weights }, null, 2));
          else console.log(`${directory}: ${numParameters.toLocaleString("en-US")} random parameters`);
        }),
      );
  },
};
