// What is in memory from the first step to the last, to the byte: weights, a second copy of them as the reference, an adapter,
// float32 masters, AdamW's two moments. As policy.ts, nn/adamw.ts and autograd make them.
import { numElements } from "../../models/checkpoint/parameter-spec.ts";
import { defaultLora } from "../../models/lora/config.ts";
import { targetModules } from "../../models/lora/targets.ts";
import type { ModelShape } from "../../models/model-shape.ts";
import { learnerPart } from "../learner-part.ts";
import { targetsOf } from "../learner-settings.ts";
import type { Learner, MemoryLine, MemoryTask } from "./task.ts";

export const typeBytes = { float32: 4, bfloat16: 2 } as const;
const floatBytes = 4;

/** Numbers of every parameter that learns; of an adapter, its A and B. */
export function trainedSizes(model: ModelShape, learner: Learner): number[] {
  if (learner.trainable === "lora") {
    return adaptedLayers(model, learner).flatMap(({ inputs, outputs }) => [
      learner.lora.rank * inputs,
      learner.lora.rank * outputs,
    ]);
  }
  const wanted: readonly string[] = learner.trainable === "decoder" ? ["decoder"] : learner.parts;
  return model.parameters
    .filter(({ name }) => wanted.includes(learnerPart(model, name)))
    .map(({ shape }) => numElements(shape));
}

/** The layers with an adapter. @throws CheckpointError ERR_ADAPTER_TARGETS */
export function adaptedLayers({ linearLayers }: ModelShape, { lora }: Learner): ModelShape["linearLayers"] {
  const targets = lora.targets === null ? defaultLora.targets : targetsOf(lora.targets);
  const chosen = new Set(
    targetModules(
      { ...defaultLora, targets },
      linearLayers.map(({ name }) => name),
      "lora.targets",
    ),
  );
  return linearLayers.filter(({ name }) => chosen.has(name));
}

/** Of one GPU. */
export function standingLines({ model, learner, batch, place }: MemoryTask): MemoryLine[] {
  const numWeights = sum(model.parameters.map(({ shape }) => numElements(shape)));
  const trained = trainedSizes(model, learner);
  const numTrained = sum(trained);
  const isAdapter = learner.trainable === "lora";
  const isHalf = learner.dtype !== "float32";
  const weights = numWeights * typeBytes[learner.dtype];
  const shards = shardsOf({ learner, place });
  return [
    { name: "weights", bytes: weights },
    { name: "reference", bytes: !isAdapter && batch.hasReference ? weights : 0 },
    { name: "adapter", bytes: isAdapter ? numTrained * floatBytes : 0 },
    { name: "masters", bytes: !isAdapter && isHalf ? (numTrained * floatBytes) / shards : 0 },
    // And a step count for every parameter.
    { name: "moments", bytes: (2 * numTrained * floatBytes) / shards + trained.length * floatBytes },
  ].filter(({ bytes }) => bytes > 0);
}

/** Over how many GPUs gradients, masters and moments are parted. Adapters are small: every GPU has all of theirs. */
export function shardsOf({ learner, place }: Pick<MemoryTask, "learner" | "place">): number {
  return learner.trainable === "lora" ? 1 : (place.shards ?? place.gpus);
}

/** Of one GPU, all of them together; they exist from the first way back of a step to the next step. */
export function gradientBytes({ model, learner, place }: MemoryTask): number {
  const isAdapter = learner.trainable === "lora";
  const numTrained = sum(trainedSizes(model, learner));
  return (numTrained * (isAdapter ? floatBytes : typeBytes[learner.dtype])) / shardsOf({ learner, place });
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
