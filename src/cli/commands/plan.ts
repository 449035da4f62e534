// `oppo plan`: which settings of a training fit on a GPU, and how long it would take.

import type { Command } from "commander";
import { planIdle, planSettings } from "../../recipes/plan/settings.ts";
import { addHelp } from "../base/command.ts";
import { printJson } from "../base/json.ts";
import { withSettings } from "../base/settings-command.ts";

const help = {
  notes: `Reads config.json and the headers of the weight files, or takes a published name (qwen2.5-omni-3b, qwen2.5-omni-7b); loads
nothing. Memory is reckoned as by --dry-run of oppo train; time is an estimate of the right order, each part with its assumption.
The exit code is 1 where nothing fits.`,
  examples: [
    "oppo plan qwen2.5-omni-7b --gpu 24",
    "oppo plan Qwen/Qwen2.5-Omni-7B --gpu h100 --gpus 8 --preset oppo-paper-7b",
    "oppo plan qwen2.5-omni-7b --gpu h100 --gpus 8 --engines 8 --rollout-ahead 1 --scale",
    "oppo plan models/Qwen2.5-Omni-3B --gpu a100-40 --preset sft-paper --frames 8",
  ],
};

export function configurePlan(command: Command): void {
  addHelp(command.argument("<model>", "a folder, Hugging Face style, or a published name"), help);
  withSettings(command, { schema: planSettings, idle: planIdle }, async (settings, { args, isJson }) => {
    const { planModel, planScale } = await import("../../recipes/plan/plan-model.ts");
    const { planText } = await import("../../recipes/plan/plan-text.ts");
    if (settings.scale) {
      const { scaleRows, scaleText } = await import("../../recipes/plan/scale-text.ts");
      const plans = await planScale(args[0]!, settings);
      if (plans.every(({ chosen }) => chosen === null)) process.exitCode = 1;
      if (isJson) printJson("plan", { model: args[0]!, rows: scaleRows(plans) });
      else console.log(scaleText(plans));
      return;
    }
    const plan = await planModel(args[0]!, settings);
    if (plan.chosen === null) process.exitCode = 1;
    if (!isJson) {
      console.log(planText(plan));
      return;
    }
    const facts = plan.candidates.map(({ name, task, memory, time, engineBytes, fits }) => ({
      ...{ name, fits, engineBytes, learner: task.learner, media: task.batch.media },
      memory: { standing: memory.standing, largest: memory.largest, peakBytes: memory.peakBytes },
      time,
    }));
    printJson("plan", { ...plan, candidates: facts, chosen: plan.chosen?.name ?? null });
  });
}
