// The parts of a step and what each has in memory beside what always stands. The parts follow train/grpo.ts and rl/gradients.ts:
// towers, sampling, the full branch, masked branches one view at a time, the update.
import type { Modality } from "../../media/clip.ts";
import { rowsPerChunk } from "../../rl/chunk-size.ts";

import { keptByLayer, passingLayer, passingPrefix, recomputedLayer, returningLayer } from "./layer.ts";
import {
  degradedPrompts,
  maskedPasses,
  promptsAtOnce,
  promptsOfGpu,
  type Sizes,
  sizesOf,
  sizesOfMasked,
} from "./sizes.ts";
import { gradientBytes, shardsOf, sum, trainedSizes, typeBytes } from "./standing.ts";
import { cuesRead, type MemoryLine, type MemoryPhase, type MemoryTask } from "./task.ts";
import { towerBytes } from "./towers.ts";

const floatBytes = 4;
/** Rows over the vocabulary in float32 that exist at once per token: measured. */
const chunkCopies = 10;
const choiceCopies = 5;
const maxJoined = 2 ** 19;

/** In the order of a step. */
export function phasesOf(task: MemoryTask): MemoryPhase[] {
  const { batch } = task;
  const phases = [phase("towers", towerLines(task))];
  if (batch.counterfactuals.reader === "reference") phases.push(phase("reading", readingLines(task)));
  if (batch.samples) phases.push(phase("sampling", samplingLines(task)));
  phases.push(phase("loss", lossLines(task)), phase("way back", backwardLines(task)));
  phases.push(phase("update", updateLines(task)));
  return phases;
}

function phase(name: string, lines: readonly MemoryLine[]): MemoryPhase {
  const present = lines.filter(({ bytes }) => bytes > 0);
  return { name, lines: present, bytes: sum(present.map(({ bytes }) => bytes)) };
}

function towerLines(task: MemoryTask): MemoryLine[] {
  return [
    { name: "rows of media", bytes: mediaBytes(task) },
    { name: "one layer of a tower", bytes: towerBytes(task) },
  ];
}

/** Tower rows of the step's clips and of their masked views. */
function mediaBytes(task: MemoryTask): number {
  const { model, batch } = task;
  if (batch.media === null || model.towers === null) return 0;
  const tokensOf = (modality: Modality) =>
    sum(model.towers!.map((tower) => (tower.modality === modality ? (tower.loadOf(batch.media!)?.tokens ?? 0) : 0)));
  const [video, audio] = [tokensOf("video"), tokensOf("audio")];
  const { width, bytes } = sizesOf(task, 1);
  const { mostAlike } = batch.counterfactuals;
  // A blank is one for all; what is compared with it, or is left of a clip, is a prompt's own.
  const degraded = Math.max(video * Math.max(1, mostAlike.video), audio * Math.max(1, mostAlike.audio));
  const clips = batch.shown * (video + audio) + degradedPrompts(task) * degraded;
  return (clips + promptsOfGpu(task) * (batch.views / 2) * (video + audio)) * width * bytes;
}

/** The reference over a clip as it is and a blank one, with cues as completions. */
function readingLines(task: MemoryTask): MemoryLine[] {
  const { cues, tokens } = cuesRead;
  const own = { ...task, batch: { ...task.batch, newTokens: tokens } };
  const sizes = sizesOf(own, 2, cues);
  const where = { vocabSize: task.model.decoder.vocabSize, device: task.place.kind };
  const rows = Math.min(sizes.branchRows, rowsPerChunk(task.learner.tokensPerChunk, where));
  const logits = rows * task.model.decoder.vocabSize * floatBytes * choiceCopies;
  const layer = passingLayer(own, sizes, false) + 2 * sizes.keys * sizes.bytes * sizes.layers * sizes.prefixRows;
  return [
    { name: "rows of media", bytes: mediaBytes(task) },
    layer > logits ? { name: "one layer of the reference", bytes: layer } : { name: "logits", bytes: logits },
  ];
}

function samplingLines(task: MemoryTask): MemoryLine[] {
  const sizes = sizesOf(task, promptsOfGpu(task));
  const { prefixRows, branchRows, group, keys, layers, bytes, prompts } = sizes;
  const { vocabSize, headDim } = task.model.decoder;
  const prefix = 2 * keys * bytes * layers * prefixRows;
  const rope = 2 * headDim * bytes * branchRows;
  const own = 2 * keys * bytes * layers * (group === 1 ? prefixRows + branchRows : branchRows);
  const choice = prompts * group * vocabSize * floatBytes * choiceCopies;
  // Keys of shared prefixes are turned for decoding; both exist until all are.
  const turned = group === 1 ? 0 : prefix / 2;
  const decoding = turned + own + rope + choice;
  const prefill = passingPrefix(task, sizes, false);
  return [
    { name: "rows of media", bytes: mediaBytes(task) },
    { name: "joined weights", bytes: joinedWeights(task) },
    { name: "cache of prompts", bytes: prefix + (decoding > prefill ? turned : 0) },
    { name: "cache of completions", bytes: decoding > prefill ? own + rope : 0 },
    { name: "choice of tokens", bytes: decoding > prefill ? choice : 0 },
    { name: "one layer", bytes: decoding > prefill ? 0 : prefill },
  ];
}

/** Of projections small enough to be multiplied as one while decoding (decoder/projection.ts). */
function joinedWeights(task: MemoryTask): number {
  const { width, feedForward, queries, keys, layers, bytes } = sizesOf(task, 1);
  const joined = [(queries + 2 * keys) * width, 2 * feedForward * width].filter((numbers) => numbers <= maxJoined);
  return layers * sum(joined) * bytes;
}

/** The graph of a trunk, or what is kept in its place. */
function keptByTrunk(task: MemoryTask, sizes: Sizes): number {
  const { layers, prefixRows, branchRows, width, keys, bytes } = sizes;
  const ends = branchRows * width * (floatBytes + 5 * bytes);
  if (task.learner.recomputes) {
    return bytes * (width * (layers * prefixRows + (layers + 1) * branchRows) + 2 * keys * layers * prefixRows) + ends;
  }
  const layer = keptByLayer(task, sizes);
  return (layers - 1) * layer.prefix + layer.lastPrefix + layers * layer.branches + ends;
}

function lossLines(task: MemoryTask): MemoryLine[] {
  const { batch, learner, model } = task;
  const sizes = sizesOf(task, promptsAtOnce(task));
  const kept = keptByTrunk(task, sizes);
  const beside = sizesOfMasked(task);
  const masked = beside === null ? 0 : keptByTrunk(task, beside);
  const where = { vocabSize: model.decoder.vocabSize, device: task.place.kind };
  const rows = Math.min(sizes.branchRows, rowsPerChunk(learner.tokensPerChunk, where));
  const passing = passingLayer(task, beside ?? sizes, false);
  const caches = 2 * sizes.keys * sizes.bytes * sizes.layers * sizes.prefixRows;
  const reference = batch.usesReference || batch.anchor === "reference" ? passing + caches : 0;
  const logits = rows * model.decoder.vocabSize * floatBytes * chunkCopies + headGradient(task);
  return [
    { name: "rows of media", bytes: mediaBytes(task) },
    { name: "kept graph", bytes: kept },
    { name: "kept graph, masked", bytes: masked },
    reference > logits ? { name: "one layer of the reference", bytes: reference } : { name: "logits", bytes: logits },
    { name: "gradients", bytes: isFirstWayBack(task) ? headGradient(task) : gradientBytes(task) },
  ];
}

/** There are gradients of no trunk yet: neither of another view nor of another micro-batch. */
function isFirstWayBack(task: MemoryTask): boolean {
  return maskedPasses(task) < 2 && promptsAtOnce(task) >= promptsOfGpu(task);
}

/** Every chunk makes the head's gradient anew and adds it. */
function headGradient({ model, learner }: MemoryTask): number {
  if (learner.trainable === "lora") return 0;
  return model.decoder.vocabSize * model.decoder.hiddenSize * typeBytes[learner.dtype];
}

function backwardLines(task: MemoryTask): MemoryLine[] {
  const { learner } = task;
  const sizes = sizesOf(task, promptsAtOnce(task));
  const kept = keptByTrunk(task, sizes);
  const beside = sizesOfMasked(task);
  const largest = beside === null || beside.prompts < sizes.prompts ? sizes : beside;
  const layer = learner.recomputes ? recomputedLayer(task, largest) : returningLayer(task, largest);
  const gradients = gradientBytes(task);
  // A graph goes as its gradients come.
  const going = (bytes: number) => (isFirstWayBack(task) ? Math.max(bytes, gradients) - gradients : bytes);
  const [full, masked] = beside === null ? [going(kept), 0] : [kept, going(keptByTrunk(task, beside))];
  return [
    { name: "rows of media", bytes: mediaBytes(task) },
    { name: "kept graph", bytes: full },
    { name: "kept graph, masked", bytes: masked },
    { name: learner.recomputes ? "one layer in flight" : "gradients of one layer", bytes: layer },
    { name: "gradients", bytes: gradients },
    { name: "one gradient before it is added", bytes: largestGradient(task) },
  ];
}

/** Of a weight, beside the sum that it goes to. */
function largestGradient({ model, learner }: MemoryTask): number {
  const sizes = trainedSizes(model, learner);
  const bytes = learner.trainable === "lora" || learner.dtype === "float32" ? floatBytes : 2;
  return Math.max(0, ...sizes) * bytes;
}

/** The square root of a second moment; in half precision the gradient in float32 beside it. */
function updateLines(task: MemoryTask): MemoryLine[] {
  const { model, learner } = task;
  const shards = shardsOf(task);
  const largest = Math.max(0, ...trainedSizes(model, learner)) / shards;
  const copies = learner.trainable !== "lora" && learner.dtype !== "float32" ? 2 : 1;
  return [
    { name: "gradients", bytes: gradientBytes(task) },
    { name: "of one parameter", bytes: largest * floatBytes * copies },
  ];
}
