// `oppo inspect`: what a model folder holds, without loading it; exit code 1 when something is missing.

import type { Command } from "commander";
import { addHelp, type CommonOptions } from "../base/command.ts";
import { printJson } from "../base/json.ts";

const help = {
  notes: `Reads config.json, the index and the headers of the weight files, nothing else. The numbers for training are estimates of
weights, gradients and optimizer state; activations come on top.`,
  examples: ["oppo inspect models/Qwen2.5-Omni-7B", "oppo inspect runs/demo/models/sft"],
};

export function configureInspect(command: Command): void {
  addHelp(command.argument("<folder>", "the model, a Hugging Face style folder"), help);
  command.action(async (directory: string, options: CommonOptions) => {
    const { inspectionText, inspectModel } = await import("../../recipes/inspect/inspect-model.ts");
    const found = await inspectModel(directory);
    if (options.json) printJson("inspect", found);
    else console.log(inspectionText(found));
    if (!found.isComplete) process.exitCode = 1;
  });
}
