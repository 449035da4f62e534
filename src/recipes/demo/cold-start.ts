// The SFT cold start as a task: warm towers in, a policy that reasons and answers probes out.

import { join } from "node:path";
import { ClipLibrary } from "../../corpus/clip-library.ts";
import { loadModel } from "../../models/index.ts";
import { openStepLog } from "../../run/metrics.ts";
import { deriveSeed } from "../../seeds.ts";
import { openSafetensors, scope } from "../../tensor/index.ts";
import { batchOf } from "../../train/batches.ts";
import { trainableParameters } from "../../train/policy.ts";
import { sftSteps } from "../../train/sft.ts";
import { fittedSplit } from "./splits.ts";
import { type TaskContext, tick } from "./task.ts";
import { theatreExamples } from "./theatre-examples.ts";

export async function coldStart(context: TaskContext): Promise<void> {
  const { config, paths } = context;
  using policy = loadModel(paths.fresh);
  for (const modality of ["video", "audio"] as const) installTower(policy, paths.tower(modality));
  const fitted = await fittedSplit(context, "sft", policy);
  using library = new ClipLibrary(policy);
  library.add(fitted);
  const trained = trainableParameters(policy);
  for (const parameter of trained.values()) parameter.requiresGrad = true;
  const seed = deriveSeed(config.seed, "sft");
  const samples = fitted.map(({ sample }) => sample);
  const examples = (step: number) =>
    batchOf(samples, config.sft.clipsPerStep, seed, step).map((sample) =>
      theatreExamples(policy, library, sample, step, { ...config.sft, seed }),
    );
  using log = openStepLog(join(paths.root, "sft.jsonl"), 0);
  let step = 0;
  for (const metrics of sftSteps(policy, [...trained.values()], examples, {
    ...config.sft,
    betas: [0.9, 0.98],
    maxGradNorm: 1,
  })) {
    log.append({ step, ...metrics });
    await tick(context, ++step, config.sft.steps, `loss ${metrics.loss.toFixed(3)}`);
  }
  policy.save(paths.sft);
}

function installTower(policy: ReturnType<typeof loadModel>, file: string): void {
  scope(() => {
    using tower = openSafetensors(file);
    for (const name of tower.entries.keys()) policy.parameters().get(name)!.copy_(tower.tensor(name));
  });
}
