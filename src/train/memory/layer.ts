// What one layer of the decoder takes: what its graph keeps for the way back, and what exists besides while it is computed. Read
// off models/decoder (layers.ts, attention.ts, fused-attention.ts, trunk.ts), where every product here has its line.

import type { Sizes } from "./sizes.ts";
import { adaptedLayers, sum } from "./standing.ts";
import type { MemoryTask } from "./task.ts";

/** Of softmax, which is taken in float32. */
const probabilityBytes = 4;
/** Attention scores that exist at once, where nothing is kept (attention.ts) and where layers are computed again (trunk.ts). */
const maxScores = 2 ** 26;
const maxRecomputedScores = 2 ** 23;

export interface LayerBytes {
  /** Of the graph, prefixes and branches. */
  readonly prefix: number;
  readonly branches: number;
  /** Of the last layer, of whose prefix only keys and values are read. */
  readonly lastPrefix: number;
}

/** What autograd keeps of a layer where its graph is kept. */
export function keptByLayer(task: MemoryTask, sizes: Sizes): LayerBytes {
  const { prefixRows, branchRows, prefixScores, branchScores, prefix, tokens, keys, queries, bytes } = sizes;
  const row = keptPerRow(task, sizes);
  const isHalf = bytes < probabilityBytes;
  if (task.place.fusesAttention) {
    // Queries, what they saw, their sums; keys and values of every query head, a prefix again for every branch.
    const ownPrefix = bytes * (4 * queries + 2 * keys) + probabilityBytes * task.model.decoder.numHeads;
    const seen = (prefix + tokens) / tokens;
    const ownBranch = bytes * (2 * queries + 2 * queries * seen) + probabilityBytes * task.model.decoder.numHeads;
    return {
      prefix: prefixRows * (row + ownPrefix),
      branches: branchRows * (row + ownBranch),
      lastPrefix: prefixRows * lastPrefixRow(task, sizes),
    };
  }
  const ownRow = bytes * (2 * queries + 2 * keys);
  const perScore = isHalf ? probabilityBytes + bytes : probabilityBytes;
  const onPrefix = isHalf ? bytes * (prefix / (prefix + tokens)) : 0;
  return {
    prefix: prefixRows * (row + ownRow) + prefixScores * perScore,
    branches: branchRows * (row + ownRow) + branchScores * (perScore + onPrefix),
    lastPrefix: prefixRows * lastPrefixRow(task, sizes),
  };
}

/** Without attention: both norms, what the projections read, the feed-forward. */
function keptPerRow(task: MemoryTask, sizes: Sizes): number {
  const { width, feedForward, bytes } = sizes;
  return 2 * normPerRow(task, sizes) + bytes * (2 * width + 4 * feedForward) + adapterPerRow(task, sizes);
}

function lastPrefixRow(task: MemoryTask, sizes: Sizes): number {
  return normPerRow(task, sizes) + sizes.bytes * (sizes.width + 2 * sizes.keys);
}

/** The normalised row in float32; in half precision it is rounded before a weight that learns. */
function normPerRow({ learner }: MemoryTask, { width, bytes }: Sizes): number {
  const isHalf = bytes < probabilityBytes;
  return width * probabilityBytes + (isHalf && learner.trainable !== "lora" ? width * bytes : 0);
}

/** A x of every adapted layer of one decoder layer. */
function adapterPerRow(task: MemoryTask, { layers, bytes }: Sizes): number {
  return (adaptedInDecoder(task).length / layers) * task.learner.lora.rank * bytes;
}

/** Outputs of adapted layers before their adapters are added. */
function adaptedOutputsPerRow(task: MemoryTask, { layers, bytes }: Sizes): number {
  return (sum(adaptedInDecoder(task).map(({ outputs }) => outputs)) / layers) * bytes;
}

function adaptedInDecoder({ model, learner }: MemoryTask): ReturnType<typeof adaptedLayers> {
  if (learner.trainable !== "lora") return [];
  return adaptedLayers(model, learner).filter(({ name }) => model.partOf(`${name}.weight`) === "language model");
}

/** What exists while a layer is computed, without attention scores, per row: every result lives until the layer is done. */
function passingPerRow({ width, feedForward, queries, keys, bytes }: Sizes): number {
  const isHalf = bytes < probabilityBytes;
  const norm = isHalf ? 3 * width * probabilityBytes + 2 * width * bytes : 3 * width * bytes;
  const heads = queries + 2 * keys + 3 * (queries + keys) + 2 * keys + 4 * queries;
  return 2 * norm + bytes * (heads + 2 * width + 4 * feedForward);
}

/** Of attention without a way back. */
function passingScores(task: MemoryTask, count: number, recomputes: boolean): number {
  if (task.place.fusesAttention) return 0;
  return Math.min(count, recomputes ? maxRecomputedScores : maxScores) * 2 * probabilityBytes;
}

/** One layer of prefixes, as sampling begins with them. */
export function passingPrefix(task: MemoryTask, sizes: Sizes, recomputes: boolean): number {
  const { prefixRows, prefixScores, width, queries, bytes } = sizes;
  const row = passingPerRow(sizes) + 2 * bytes * (width + queries) + adaptedOutputsPerRow(task, sizes);
  return prefixRows * row + passingScores(task, prefixScores, recomputes);
}

/** One layer on the way there: the larger of prefixes and branches, which end in hidden states. */
export function passingLayer(task: MemoryTask, sizes: Sizes, recomputes: boolean): number {
  const { branchRows, branchScores, width, queries, bytes } = sizes;
  const row = passingPerRow(sizes) + bytes * (5 * width + 2 * queries);
  const branches = branchRows * row + passingScores(task, branchScores, recomputes);
  return Math.max(passingPrefix(task, sizes, recomputes), branches);
}

/** One layer on the way back, beside what its graph keeps: gradients of what it computed. */
export function returningLayer(task: MemoryTask, sizes: Sizes): number {
  const { prefixRows, branchRows, prefixScores, branchScores, width, feedForward, bytes } = sizes;
  const row = bytes * (2 * width + 3 * feedForward);
  const scores = (count: number) => (task.place.fusesAttention ? 0 : 2 * probabilityBytes * count);
  return Math.max(prefixRows * row + scores(prefixScores), branchRows * row + scores(branchScores));
}

/** One layer that is computed again and goes back: its graph, its gradients, one slice of scores. */
export function recomputedLayer(task: MemoryTask, sizes: Sizes): number {
  const { prefixRows, branchRows, width, feedForward, bytes, prefixScores, branchScores } = sizes;
  const row = passingPerRow(sizes) + bytes * (2 * width + 3 * feedForward);
  // Scores, probabilities and the gradients of both; in half precision each has a copy in the other type.
  const perScore = bytes < probabilityBytes ? 6 * probabilityBytes : 4 * probabilityBytes;
  const scores = (count: number) => (task.place.fusesAttention ? 0 : Math.min(count, maxRecomputedScores) * perScore);
  return Math.max(prefixRows * row + scores(prefixScores), branchRows * row + scores(branchScores));
}
