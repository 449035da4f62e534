// `oppo inspect`: what a model directory holds, without loading it; exit code 1 when something is missing.

import type { CommandDefinition, CommonOptions } from "../command.ts";

const afterHelp = `
Reads config.json, the index and the headers of the weight files, nothing else. The numbers for training are estimates of
weights, gradients and optimizer state; activations come on top.

Example:
  oppo inspect models/Qwen2.5-Omni-7B`;

export const inspectCommand: CommandDefinition = {
  name: "inspect",
  summary: "show what a model directory holds: architecture, parameters, memory to infer and to train, what is missing",
  configure(command) {
    command
      .argument("<directory>", "the model, a Hugging Face style directory")
      .addHelpText("after", afterHelp)
      .action(async (directory: string, options: CommonOptions) => {
        const { inspectionText, inspectModel } = await import("../../recipes/inspect/inspect-model.ts");
        const found = await inspectModel(directory);
        console.log(options.json ? JSON.stringify(found, null, 2) : inspectionText(found));
        if (!found.isComplete) process.exitCode = 1;
      });
  },
};
