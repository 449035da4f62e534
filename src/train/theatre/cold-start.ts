// The SFT cold start as a task: warm towers in, a policy that reasons and answers probes out.

import { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import { loadModel } from "../../models/registry.ts";
import { cosineSchedule } from "../../nn/index.ts";
import { deriveSeed } from "../../seeds.ts";
import { openSafetensors, scope } from "../../tensor/index.ts";
import { batchOf } from "../batches.ts";
import { outsideTowers } from "../policy.ts";
import { runSteps } from "../run-steps.ts";
import { sftObjective } from "../sft.ts";
import { BlankViews } from "./blank-views.ts";
import { stepProgress, type TaskContext } from "./context.ts";
import { fittedSplit } from "./splits.ts";
import { theatreExamples } from "./theatre-examples.ts";

const betas = [0.9, 0.98] as const;
/** Of a run of two minutes. */
const checkpointEvery = 100;

export async function coldStart(context: TaskContext): Promise<void> {
  const { config, paths, interrupt } = context;
  const { sft } = config;
  using policy = await loadModel(paths.fresh);
  for (const modality of ["video", "audio"] as const) installTower(policy, paths.tower(modality));
  const fitted = await fittedSplit(context, "sft", policy);
  using library = new ClipLibrary(policy);
  library.add(fitted);
  const seed = deriveSeed(config.seed, "sft");
  using blanks = new BlankViews(library, sft.blanks, seed);
  const trainable = outsideTowers(policy);
  for (const parameter of trainable.values()) parameter.requiresGrad = true;
  const samples = fitted.map(({ sample }) => sample);
  const schedule = { total: sft.steps, warmup: sft.warmupSteps, floor: sft.learningRateFloor };
  await runSteps({
    steps: sft.steps,
    objective: sftObjective(policy, (step) =>
      batchOf(samples, sft.clipsPerStep, seed, step).map((sample) =>
        theatreExamples(policy, library, blanks, sample, step, { ...sft, seed }),
      ),
    ),
    trainable,
    optimizer: { ...sft, betas, maxGradNorm: 1, schedule: (step) => cosineSchedule(step, schedule) },
    directory: paths.learning("sft"),
    checkpointEvery,
    interrupt,
    onStep: stepProgress(context, sft.steps, ({ loss }) => `loss ${loss!.toFixed(3)}`),
  });
  policy.save(paths.sft);
}

function installTower(policy: OmniModel, file: string): void {
  scope(() => {
    using tower = openSafetensors(file);
    for (const name of tower.entries.keys()) policy.parameters().get(name)!.copy_(tower.tensor(name));
  });
}
