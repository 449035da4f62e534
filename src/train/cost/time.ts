// How long a step takes on a GPU, by a simple model: matrix products at a share of the peak, decoding by what it moves or by
// launching kernels, whichever is slower, the update and the exchange of gradients by what they move. Every part says what it
// assumes, and what it leaves out makes it an estimate of the right order, not a measurement.
// B prompts of one GPU, P prompt tokens, G completions, C tokens of each, V vocabulary
import { numElements } from "../../models/checkpoint/parameter-spec.ts";
import { promptsOfGpu } from "../memory/sizes.ts";
import { gradientBytes, sum, trainedSizes, typeBytes } from "../memory/standing.ts";
import type { MemoryTask } from "../memory/task.ts";
import { decoderFlops, headFlops, towerFlops } from "./flops.ts";
import type { GpuFacts } from "./gpus.ts";

/** What of the data sheets' figures is reached. */
export interface Efficiency {
  /** Of the peak, in matrix products over many rows. */
  readonly compute: number;
  /** Of the memory's speed. */
  readonly memory: number;
  /** Seconds to start one kernel from this program. */
  readonly launchSeconds: number;
}

export const usualEfficiency: Efficiency = { compute: 0.4, memory: 0.6, launchSeconds: 5e-6 };

/** Kernels that one layer starts for one token of a batch, counted: with an adapter, and without. */
const kernelsPerLayer = { adapted: 92, plain: 42 } as const;

export interface TimePart {
  readonly name: string;
  readonly seconds: number;
  /** Floating-point operations; 0 where bytes decide. */
  readonly flops: number;
  readonly assumption: string;
}

export interface TimeEstimate {
  readonly parts: readonly TimePart[];
  readonly seconds: number;
  readonly flops: number;
}

export function estimateTime(task: MemoryTask, gpu: GpuFacts, efficiency: Efficiency = usualEfficiency): TimeEstimate {
  const products = (name: string, flops: number, assumption: string): TimePart => ({
    name,
    flops,
    seconds: flops / (gpu.teraflops * 1e12 * efficiency.compute),
    assumption,
  });
  const parts = [
    ...computedParts(task, products),
    ...(task.batch.samples ? [decoding(task, gpu, efficiency)] : []),
    update(task, gpu, efficiency),
    ...(task.place.gpus > 1 ? [exchange(task, gpu, efficiency)] : []),
  ].filter(({ seconds }) => seconds > 0);
  return { parts, seconds: sum(parts.map((part) => part.seconds)), flops: sum(parts.map((part) => part.flops)) };
}

type Products = (name: string, flops: number, assumption: string) => TimePart;

/** Everything that is a matrix product over many rows. */
function computedParts(task: MemoryTask, products: Products): TimePart[] {
  const { batch, learner, model } = task;
  const prompts = promptsOfGpu(task);
  const { groupSize, newTokens, promptTokens, views, maskedShare } = batch;
  const tokens = prompts * groupSize * newTokens;
  const through = (group: number) => decoderFlops(model, { prompts, prefix: promptTokens, group, tokens: newTokens });
  const full = through(groupSize);
  const masked = views * through(groupSize * maskedShare);
  // Back: as much again for what goes down to the rows, and for weights that learn once more.
  const back = (learner.trainable === "lora" ? 1 : 2) + (learner.recomputes ? 1 : 0);
  const backText = `${learner.recomputes ? "layers computed again, then " : ""}${learner.trainable === "lora" ? "one pass's work for the rows" : "two passes' work for rows and weights"}`;
  const head = headFlops(model, tokens);
  const anchors = batch.anchor === "reference" ? masked : 0;
  return [
    products(
      "towers",
      prompts * (1 + Math.min(views, 1)) * towerFlops(model, batch.media),
      "every clip once, and once more with the modality that is masked",
    ),
    ...(batch.samples
      ? [
          products(
            "prompts before sampling",
            decoderFlops(model, { prompts, prefix: promptTokens, group: 0, tokens: 0 }),
            "once for the completions of a prompt",
          ),
        ]
      : []),
    products("forward", full + masked, `policy on the full input and ${views} masked ones, prefixes shared`),
    products("backward", back * (full + masked), backText),
    products(
      "reference",
      (batch.usesReference ? full : 0) + anchors,
      "forward only, on the full input, and on the masked ones where they are anchored to it",
    ),
    products(
      "vocabulary",
      head * (3 + views * maskedShare * 4 + (batch.usesReference ? 1 : 0)),
      "the head over every completion token, there and back, again for each view",
    ),
  ];
}

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
