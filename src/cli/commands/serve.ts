// `oppo serve`: servers. `model` gives our engine the face of other servers; `reward` scores completions for other trainers.

import type { CommandDefinition } from "../command.ts";
import { addressed } from "../serve-address.ts";
import { configureModel } from "./serve-model.ts";
import { configureReward } from "./serve-reward.ts";

export const serveCommand: CommandDefinition = {
  name: "serve",
  summary: "servers: a model with OpenAI's chat completions, or the Omni-Perception Reward for other trainers",
  configure(command) {
    command.helpCommand(false);
    configureModel(addressed(command.command("model"), 8000, 64));
    configureReward(addressed(command.command("reward"), 8200, 16));
  },
};
