// One tower's warm-up as a task: its clips, its labels, its weights on disk.

import type { FittedSample } from "../../corpus/clips/fitted-samples.ts";
import { attributeNames, numStates } from "../../data/theatre/sample-scene.ts";
import type { Modality } from "../../media/clip.ts";
import { loadModel } from "../../models/registry.ts";
import { cosineSchedule } from "../../nn/index.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import { deriveSeed } from "../../seeds.ts";
import { writeSafetensors } from "../../tensor/index.ts";
import { batchOf } from "../batches.ts";
import { runSteps } from "../run-steps.ts";
import { StateClassifier, stateAccuracy, warmUpObjective } from "../warm-up.ts";
import { stepProgress, type TaskContext } from "./context.ts";
import { labelledClip, towerOf } from "./labelled-clip.ts";
import { fittedSplit, type SplitName } from "./splits.ts";

const betas = [0.9, 0.999] as const;

/** Accuracy per attribute on clips that were not trained on. */
export type TowerAccuracy = Readonly<Record<string, number>>;

export async function warmTower(context: TaskContext, modality: Modality): Promise<void> {
  const { config, paths } = context;
  using policy = await loadModel(paths.fresh);
  const labelled = (clips: readonly FittedSample[]) => clips.map((clip) => labelledClip(policy, clip, modality));
  const load = (split: SplitName) => fittedSplit(context, split, policy);
  const train = labelled(await load("warmup"));
  const held = labelled(await load("warmupDev"));
  const tower = towerOf(policy, modality);
  for (const parameter of tower.values()) parameter.requiresGrad = true;
  const seed = deriveSeed(config.seed, "warmup", modality);
  using classifier = new StateClassifier(policy, modality, train[0]!.features, numStates[modality], seed);
  const { steps, clipsPerStep, learningRate, weightDecay } = config.warmup;
  const schedule = { total: steps, warmup: 20, floor: 0 };
  await runSteps({
    steps,
    objective: warmUpObjective(classifier, (step) => batchOf(train, clipsPerStep, seed, step)),
    trainable: new Map([...tower, ...classifier.parameters()]),
    optimizer: { learningRate, weightDecay, betas, maxGradNorm: 1, schedule: (step) => cosineSchedule(step, schedule) },
    directory: paths.learning(`tower-${modality}`),
    checkpointEvery: steps,
    interrupt: context.interrupt,
    onStep: stepProgress(context, steps, ({ accuracy }) => `accuracy ${accuracy!.toFixed(2)}`),
  });
  writeSafetensors(paths.tower(modality), tower);
  const accuracy = stateAccuracy(classifier, held);
  const byName: TowerAccuracy = Object.fromEntries(attributeNames[modality].map((name, a) => [name, accuracy[a]!]));
  replaceFile(paths.towerAccuracy(modality), `${JSON.stringify(byName)}\n`);
}
