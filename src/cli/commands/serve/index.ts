// `oppo serve`: servers. `model` gives our engine the face of other servers; `reward` scores completions for other trainers.

import type { Command } from "commander";
import { addHelp } from "../../base/command.ts";
import { configureModel } from "./model.ts";
import { configureReward } from "./reward.ts";

export function configureServe(command: Command): void {
  addHelp(command, {
    examples: ["oppo serve model runs/demo/models/sft", "oppo serve reward --data runs/demo/corpus/rl/rl.jsonl"],
  });
  configureModel(command.command("model"));
  configureReward(command.command("reward"));
}
