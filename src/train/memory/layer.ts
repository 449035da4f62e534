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
    const ownBranch =
      bytes * (2 * queries + 2 * queries * seenPerRow(sizes)) + probabilityBytes * task.model.decoder.numHeads;
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

/** Keys of a branch, its prompt's among them, to each of its rows. */
function seenPerRow({ prefix, tokens }: Sizes): number {
  return (prefix + tokens) / tokens;
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
function passingPerRow(sizes: Sizes): number {
  const { queries, keys, bytes } = sizes;
  const heads = queries + 2 * keys + 3 * (queries + keys) + 2 * keys + 4 * queries;
  return passingNorm(sizes) + bytes * heads + passingFeedForward(sizes);
}

function passingNorm({ width, bytes }: Sizes): number {
  return bytes < probabilityBytes ? 3 * width * probabilityBytes + 2 * width * bytes : 3 * width * bytes;
}

function passingFeedForward(sizes: Sizes): number {
  return passingNorm(sizes) + sizes.bytes * (2 * sizes.width + 4 * sizes.feedForward);
}

/** Gradients of what a layer computed after its attention. */
function returningPerRow({ width, feedForward, bytes }: Sizes): number {
  return bytes * (2 * width + 3 * feedForward);
}

/**
 * By how much a branch's row takes more in fused attention than in the feed-forward: keys and values once per branch and query
 * head, and as they were before; on the way back the gradients of both. The two parts are not in memory together.
 */
function fusedBeyondFeedForward({ place }: MemoryTask, sizes: Sizes, returns: boolean): number {
  if (!place.fusesAttention) return 0;
  const { queries, keys, bytes } = sizes;
  const joined = 2 * bytes * (queries + 2 * keys) * seenPerRow(sizes);
  const attention = returns ? 2 * joined + 2 * bytes * queries : joined;
  return Math.max(0, attention - passingFeedForward(sizes) - (returns ? returningPerRow(sizes) : 0));
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
  const beyond = fusedBeyondFeedForward(task, sizes, false);
  const row = passingPerRow(sizes) + bytes * (5 * width + 2 * queries) + beyond;
  const branches = branchRows * row + passingScores(task, branchScores, recomputes);
  return Math.max(passingPrefix(task, sizes, recomputes), branches);
}

/** One layer on the way back, beside what its graph keeps: gradients of what it computed. */
export function returningLayer(task: MemoryTask, sizes: Sizes): number {
  const { prefixRows, branchRows, prefixScores, branchScores } = sizes;
  const row = returningPerRow(sizes);
  const scores = (count: number) => (task.place.fusesAttention ? 0 : 2 * probabilityBytes * count);
  return Math.max(prefixRows * row + scores(prefixScores), branchRows * row + scores(branchScores));
}

/** One layer that is computed again and goes back: its graph, its gradients, one slice of scores. */
export function recomputedLayer(task: MemoryTask, sizes: Sizes): number {
  const { prefixRows, branchRows, bytes, prefixScores, branchScores } = sizes;
  const row = passingPerRow(sizes) + returningPerRow(sizes);
  const branchRow = row + fusedBeyondFeedForward(task, sizes, true);
  // Scores, probabilities and the gradients of both; in half precision each has a copy in the other type.
  const perScore = bytes < probabilityBytes ? 6 * probabilityBytes : 4 * probabilityBytes;
  const scores = (count: number) => (task.place.fusesAttention ? 0 : Math.min(count, maxRecomputedScores) * perScore);
  return Math.max(prefixRows * row + scores(prefixScores), branchRows * branchRow + scores(branchScores));
}
