// Rollouts from GPUs that only sample (servers of the model): what one of them holds, how long a step's completions take there, and
// what goes over the network for it. A server starts a whole token's kernels at once, so bytes alone decide its sampling.
import { numElements } from "../../models/checkpoint/parameter-spec.ts";
import { phasesOf } from "../memory/phases.ts";
import { gradientBytes, sum, trainedSizes, typeBytes } from "../memory/standing.ts";
import type { MemoryTask } from "../memory/task.ts";
import { decoderFlops, towerFlops } from "./flops.ts";
import type { GpuFacts } from "./gpus.ts";
import { type Efficiency, productsOn, type TimePart, usualEfficiency } from "./parts.ts";
import { spreadOver } from "./spread.ts";
import { samplingBytes } from "./time.ts";

export interface EngineFacts {
  readonly engines: number;
  /** Between machines, one way, 1e9 bytes a second. */
  readonly networkGigabytesPerSecond: number;
}

/** What goes over the network in a step. */
export interface Traffic {
  readonly name: string;
  readonly bytes: number;
}

/** Bytes of one engine: weights, and what sampling its share needs. */
export function engineBytes(task: MemoryTask, engines: number): number {
  const served = asEngines(task, engines);
  const weights = sum(task.model.parameters.map(({ shape }) => numElements(shape))) * typeBytes[task.learner.dtype];
  const phases = phasesOf(served).filter(({ name }) => name === "towers" || name === "sampling");
  return weights + Math.max(...phases.map(({ bytes }) => bytes));
}

/** From the request to the last completion, and the new weights before it. */
export function engineParts(
  task: MemoryTask,
  gpu: GpuFacts,
  { engines, networkGigabytesPerSecond }: EngineFacts,
  efficiency: Efficiency = usualEfficiency,
): TimePart[] {
  const served = asEngines(task, engines);
  const { batch, model } = served;
  const prompts = batch.prompts / engines;
  const prefill =
    decoderFlops(model, { prompts, prefix: batch.promptTokens, group: 0, tokens: 0 }) +
    prompts * towerFlops(model, batch.media);
  const network = networkGigabytesPerSecond * 1e9 * efficiency.memory;
  const moved = sum(engineTraffic(task).map(({ bytes }) => bytes));
  return [
    productsOn(gpu, efficiency)(
      "prompts on engines",
      prefill,
      "every clip's towers again, and its prompt once for its completions",
    ),
    {
      name: "sampling on engines",
      flops: 0,
      seconds: (batch.newTokens * samplingBytes(served)) / (gpu.gigabytesPerSecond * 1e9 * efficiency.memory),
      assumption: `${batch.newTokens} tokens of ${prompts * batch.groupSize} completions on each of ${engines} engines, each moving weights and caches once`,
    },
    {
      name: "weights and clips to engines",
      flops: 0,
      seconds: moved / network,
      assumption: `one copy over ${networkGigabytesPerSecond} GB/s, not overlapped`,
    },
  ];
}

/** To the engines, all of them together reading one copy of the weights. */
export function engineTraffic(task: MemoryTask): Traffic[] {
  const { model, learner, batch } = task;
  const isAdapter = learner.trainable === "lora";
  const weights = isAdapter
    ? sum(trainedSizes(model, learner)) * 4
    : sum(model.parameters.map(({ shape }) => numElements(shape))) * typeBytes[learner.dtype];
  const { media } = batch;
  const clip = media === null ? 0 : media.frames * media.height * media.width * 3 + media.audioSeconds * 16_000 * 2;
  return [
    { name: isAdapter ? "the adapter to engines" : "all weights to engines, by way of a disk", bytes: weights },
    { name: "frames (uncompressed size) and sound to engines", bytes: batch.prompts * clip },
  ];
}

/** Of one rank in a step: gradients summed and spread, and of full weights the new ones gathered. */
export function rankTraffic(task: MemoryTask): Traffic[] {
  const { gpus } = task.place;
  if (gpus === 1) return [];
  const whole = gradientBytes({ ...task, place: { ...task.place, gpus: 1 } });
  return [{ name: "gradients and weights of a rank, one way", bytes: (2 * whole * (gpus - 1)) / gpus }];
}

function asEngines(task: MemoryTask, engines: number): MemoryTask {
  const { prompts, group } = spreadOver(task.batch.prompts, task.batch.groupSize, engines);
  return {
    ...task,
    batch: { ...task.batch, prompts: prompts * engines, groupSize: group, samples: true, shown: prompts },
    place: { ...task.place, gpus: engines },
  };
}
