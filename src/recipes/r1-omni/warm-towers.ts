// A tiny HumanOmni whose towers can see and hear, as published ones can: each learns the states of its modality on clips where no
// attribute predicts another.
import { join } from "node:path";
import { fitSamples } from "../../corpus/clips/fitted-samples.ts";
import { loadSamples } from "../../data/jsonl.ts";
import { numStates } from "../../data/theatre/sample-scene.ts";
import type { Modality } from "../../media/clip.ts";
import { loadModel } from "../../models/registry.ts";
import { cosineSchedule } from "../../nn/index.ts";
import { deriveSeed } from "../../seeds.ts";
import { openSafetensors, scope, writeSafetensors } from "../../tensor/index.ts";
import { batchOf } from "../../train/batches.ts";
import { runSteps } from "../../train/run-steps.ts";
import { makeFreshPolicy } from "../../train/theatre/fresh-policy.ts";
import { labelledClip, towerOf } from "../../train/theatre/labelled-clip.ts";
import { StateClassifier, stateAccuracy, warmUpObjective } from "../../train/warm-up.ts";
import type { TaskContext } from "./context.ts";

const clipsPerStep = 48;
const optimizer = { learningRate: 2e-3, weightDecay: 0.01, betas: [0.9, 0.999], maxGradNorm: 1 } as const;
/** Clips that the accuracy is told of, the last ones. */
const heldOut = 0.1;

const fresh = (models: string) => join(models, "fresh");
const towerFile = (models: string, modality: Modality) => join(models, `${modality}.safetensors`);

export const initBase = (models: string, seed: number) => makeFreshPolicy(fresh(models), seed, "human-omni-tiny");

/** @returns accuracy of every attribute on clips that were not learnt from */
export async function warmTower(
  { config, paths, interrupt, progress }: TaskContext,
  modality: Modality,
): Promise<number[]> {
  using model = await loadModel(fresh(paths.models));
  const { samples } = await loadSamples(join(paths.data, "warmup.jsonl"));
  const cacheFile = join(paths.models, `warm-${modality}-clips.safetensors`);
  const { fitted } = await fitSamples(paths.data, samples, {
    ...{ model, cacheFile, maxSkippedFraction: 0, signal: interrupt.signal },
    onProgress: (done, total) => progress({ done, total: 2 * total, detail: "decoding" }),
  });
  const clips = fitted.map((clip) => labelledClip(model, clip, modality));
  const held = clips.splice(Math.floor((1 - heldOut) * clips.length));
  const tower = towerOf(model, modality);
  for (const parameter of tower.values()) parameter.requiresGrad = true;
  const seed = deriveSeed(config.seed, "warmup", modality);
  using classifier = new StateClassifier(model, modality, clips[0]!.features, numStates[modality], seed);
  const steps = config.play.warmupSteps;
  await runSteps({
    ...{ steps, interrupt, checkpointEvery: steps, directory: join(paths.models, `warm-${modality}`) },
    objective: warmUpObjective(classifier, (step) => batchOf(clips, clipsPerStep, seed, step)),
    trainable: new Map([...tower, ...classifier.parameters()]),
    optimizer: { ...optimizer, schedule: (step) => cosineSchedule(step, { total: steps, warmup: 20, floor: 0 }) },
    onStep: (step, { accuracy }) =>
      progress({ done: steps + step + 1, total: 2 * steps, detail: `accuracy ${accuracy!.toFixed(2)}` }),
  });
  writeSafetensors(towerFile(paths.models, modality), tower);
  return stateAccuracy(classifier, held);
}

/** The fresh model with both warm towers, as a folder. */
export async function joinTowers({ paths }: TaskContext): Promise<void> {
  using model = await loadModel(fresh(paths.models));
  for (const modality of ["video", "audio"] as const) {
    scope(() => {
      using tower = openSafetensors(towerFile(paths.models, modality));
      for (const name of tower.entries.keys()) model.parameters().get(name)!.copy_(tower.tensor(name));
    });
  }
  model.save(join(paths.models, "warm"));
}
