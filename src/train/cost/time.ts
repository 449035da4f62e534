// How long a step takes on a GPU, by a simple model: matrix products at a share of the peak, decoding by what it moves or by
// launching kernels, whichever is slower, the update and the exchange of gradients by what they move. Every part says what it
// assumes, and what it leaves out makes it an estimate of the right order, not a measurement.
// B prompts of one GPU, P prompt tokens, G completions, C tokens of each, V vocabulary
import { numElements } from "../../models/checkpoint/parameter-spec.ts";
import { usualShare } from "../memory/counterfactuals.ts";
import { promptsOfGpu } from "../memory/sizes.ts";
import { gradientBytes, sum, trainedSizes, typeBytes } from "../memory/standing.ts";
import type { MemoryTask } from "../memory/task.ts";
import { decoderFlops, headFlops, towerFlops } from "./flops.ts";
import type { GpuFacts } from "./gpus.ts";
import { type Efficiency, type Products, productsOn, type TimePart, usualEfficiency } from "./parts.ts";
import { partsBefore, readingParts } from "./reading.ts";

/** Kernels that one layer starts for one token of a batch, counted: with an adapter, and without. */
const kernelsPerLayer = { adapted: 92, plain: 42 } as const;

export interface TimeEstimate {
  readonly parts: readonly TimePart[];
  readonly seconds: number;
  readonly flops: number;
  /** Once, before the first step. */
  readonly before: readonly TimePart[];
}

/** Of a run of so many steps. */
export function runSeconds({ before, seconds }: Pick<TimeEstimate, "before" | "seconds">, steps: number): number {
  return sum(before.map((part) => part.seconds)) + seconds * steps;
}

export function estimateTime(task: MemoryTask, gpu: GpuFacts, efficiency: Efficiency = usualEfficiency): TimeEstimate {
  const products = productsOn(gpu, efficiency);
  const parts = [
    ...computedParts(task, products),
    ...readingParts(task, products, efficiency),
    ...(task.batch.samples ? [decoding(task, gpu, efficiency)] : []),
    update(task, gpu, efficiency),
    ...(task.place.gpus > 1 ? [exchange(task, gpu, efficiency)] : []),
  ].filter(({ seconds }) => seconds > 0);
  return {
    parts,
    seconds: sum(parts.map((part) => part.seconds)),
    flops: sum(parts.map((part) => part.flops)),
    before: partsBefore(task, products, efficiency),
  };
}

/** Everything that is a matrix product over many rows. */
function computedParts(task: MemoryTask, products: Products): TimePart[] {
  const { batch, learner, model } = task;
  const prompts = promptsOfGpu(task);
  const { groupSize, newTokens, promptTokens, maskedShare, counterfactuals } = batch;
  const tokens = prompts * groupSize * newTokens;
  const through = (group: number) => decoderFlops(model, { prompts, prefix: promptTokens, group, tokens: newTokens });
  const full = through(groupSize);
  const { degradedShare, degraded, views } = counterfactuals;
  const compared = usualShare(counterfactuals) * views.inputs;
  const alike = degradedShare * degraded.alike;
  const ofViews = compared * through(groupSize * maskedShare);
  const masked = ofViews + alike * full;
  // Back: as much again for what goes down to the rows, and for weights that learn once more.
  const back = (learner.trainable === "lora" ? 1 : 2) + (learner.recomputes ? 1 : 0);
  const backText = `${learner.recomputes ? "layers computed again, then " : ""}${learner.trainable === "lora" ? "one pass's work for the rows" : "two passes' work for rows and weights"}`;
  const head = headFlops(model, tokens);
  const anchors = batch.anchor === "reference" ? ofViews : 0;
  return [
    products("towers", towersOfStep(task), "every clip once, and again what a mask changes of it"),
    ...(batch.samples
      ? [
          products(
            "prompts before sampling",
            decoderFlops(model, { prompts, prefix: promptTokens, group: 0, tokens: 0 }),
            "once for the completions of a prompt",
          ),
        ]
      : []),
    products(
      "forward",
      full + masked,
      `policy on the full input and, of a prompt, ${shortNumber(compared + alike)} masked ones, prefixes shared by its completions`,
    ),
    products("backward", back * (full + masked), backText),
    products(
      "reference",
      (batch.usesReference ? full : 0) + anchors,
      "forward only, on the full input, and on the masked ones where they are anchored to it",
    ),
    products(
      "vocabulary",
      head * (3 + (compared * maskedShare + alike) * 4 + (batch.usesReference ? 1 : 0)),
      "the head over every completion token, there and back, again for each masked input",
    ),
  ];
}

/** Clips of the step by every process, which degrades them too; masked inputs of its own prompts. */
function towersOfStep(task: MemoryTask): number {
  const { model, batch } = task;
  const { degradedShare, degraded, views } = batch.counterfactuals;
  return sum(
    (["video", "audio"] as const).map((modality) => {
      const clips = batch.shown * (1 + degradedShare * degraded.encoded[modality]);
      const masked = promptsOfGpu(task) * usualShare(batch.counterfactuals) * views.encoded[modality];
      return (clips + masked) * towerFlops(model, batch.media, modality);
    }),
  );
}

const shortNumber = (count: number) => String(Number(count.toPrecision(2)));

/** What one token of all completions of a GPU moves: the decoder's weights and the caches. */
export function samplingBytes(task: MemoryTask): number {
  const { model, batch, learner } = task;
  const { decoder } = model;
  const bytes = typeBytes[learner.dtype];
  const inDecoder = model.parameters.filter(({ name }) => !model.partOf(name).endsWith(" tower"));
  const weights = sum(inDecoder.map(({ shape }) => numElements(shape))) * bytes;
  const perToken = 2 * decoder.numLayers * decoder.numKvHeads * decoder.headDim * bytes;
  return weights + perToken * promptsOfGpu(task) * (batch.promptTokens + (batch.groupSize * batch.newTokens) / 2);
}

/** One token of all completions after another. */
function decoding(task: MemoryTask, gpu: GpuFacts, { memory, launchSeconds }: Efficiency): TimePart {
  const { model, batch, learner } = task;
  const moved = samplingBytes(task) / (gpu.gigabytesPerSecond * 1e9 * memory);
  const kernels = learner.trainable === "lora" ? kernelsPerLayer.adapted : kernelsPerLayer.plain;
  const launched = model.decoder.numLayers * kernels * launchSeconds;
  return {
    name: "sampling",
    seconds: batch.newTokens * Math.max(moved, launched),
    flops: 0,
    assumption:
      moved > launched
        ? `${batch.newTokens} tokens, each moving the decoder's weights and the caches once`
        : `${batch.newTokens} tokens, each starting ${kernels} kernels per layer at ${(launchSeconds * 1e6).toFixed(0)} us`,
  };
}

function update(task: MemoryTask, gpu: GpuFacts, { memory }: Efficiency): TimePart {
  // Read: gradient, weight, both moments; written: the last three.
  const moves = 7 * 4;
  const shards = task.learner.trainable === "lora" ? 1 : task.place.gpus;
  const bytes = (sum(trainedSizes(task.model, task.learner)) * moves) / shards;
  return {
    name: "update",
    seconds: bytes / (gpu.gigabytesPerSecond * 1e9 * memory),
    flops: 0,
    assumption: "AdamW moves seven float32 numbers per parameter",
  };
}

function exchange(task: MemoryTask, gpu: GpuFacts, { memory }: Efficiency): TimePart {
  const { gpus } = task.place;
  const bytes = 2 * gradientBytes({ ...task, place: { ...task.place, gpus: 1 } }) * ((gpus - 1) / gpus);
  return {
    name: "exchange of gradients",
    seconds: bytes / (gpu.linkGigabytesPerSecond * 1e9 * memory),
    flops: 0,
    assumption: `reduced and gathered over ${gpus} GPUs once a step, at ${gpu.linkGigabytesPerSecond} GB/s one way`,
  };
}
