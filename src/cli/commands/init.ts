// `oppo init`: a random model of a given shape.

import type { Command } from "commander";
import { initIdle, initSettings } from "../../recipes/init/settings.ts";
import { addHelp } from "../base/command.ts";
import { printJson } from "../base/json.ts";
import { longRun } from "../base/long-run.ts";
import { withSettings } from "../base/settings-command.ts";

const help = {
  notes: `The weights are random: the model is for tests and speed runs, or (tiny) for training from scratch. The 3B takes 9.4 GB
of disk in bfloat16, the 7B 17.9 GB. Same seed, same weights.`,
  examples: ["oppo init --arch tiny --random runs/tiny", "oppo init --arch qwen2.5-omni-3b --random runs/random-3b"],
};

export function configureInit(command: Command): void {
  addHelp(command.argument("<folder>", "where it goes; must not exist or be empty"), help);
  withSettings(command, { schema: initSettings, idle: initIdle }, (settings, { args, isJson }) =>
    longRun(async ({ progress }) => {
      const { initModel } = await import("../../recipes/init/init-model.ts");
      const { arch: shape, seed, dtype } = settings;
      const directory = args[0]!;
      await initModel({ shape, directory, seed, dtype: dtype ?? "bfloat16", progress });
      const { inspectModel } = await import("../../recipes/inspect/inspect-model.ts");
      const { numParameters, memory } = await inspectModel(directory);
      if (isJson) printJson("init", { directory, numParameters, bytes: memory.weights });
      else console.log(`${directory}: ${numParameters.toLocaleString("en-US")} random parameters`);
    }),
  );
}
