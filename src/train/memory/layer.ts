// What one layer of the decoder takes: what its graph keeps for the way back, and what exists besides while it is computed. Read
// off models/decoder (layers.ts, attention.ts, fused-attention.ts, trunk.ts), where every product here has its line.

import type { Sizes } from "./sizes.ts";
import { adaptedLayers } from "./standing.ts";
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
function adapterPerRow({ model, learner }: MemoryTask, { layers, bytes }: Sizes): number {
  if (learner.trainable !== "lora") return 0;
  const inDecoder = adaptedLayers(model, learner).filter(
    ({ name }) => model.partOf(`${name}.weight`) === "language model",
  );
  return (inDecoder.length / layers) * learner.lora.rank * bytes;
}

/** What exists while a layer is computed and nothing of it is kept, without attention scores, per row. */
function passingPerRow({ width, feedForward, queries, keys, bytes }: Sizes): number {
  const isHalf = bytes < probabilityBytes;
  const norm = isHalf ? 3 * width * probabilityBytes + 2 * width * bytes : 3 * width * bytes;
  const heads = queries + 2 * keys + 3 * (queries + keys) + 2 * keys + 4 * queries;
  return 2 * norm + bytes * (heads + 2 * width + 4 * feedForward);
}

/** One layer on the way there: the larger of prefixes and branches. */
export function passingLayer(task: MemoryTask, sizes: Sizes, recomputes: boolean): number {
  const most = recomputes ? maxRecomputedScores : maxScores;
  const perScore = 2 * probabilityBytes;
  const scores = (count: number) => (task.place.fusesAttention ? 0 : Math.min(count, most) * perScore);
  const { prefixRows, branchRows, prefixScores, branchScores } = sizes;
  const row = passingPerRow(sizes);
  return Math.max(prefixRows * row + scores(prefixScores), branchRows * row + scores(branchScores));
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
  const perScore = 4 * probabilityBytes;
  const scores = (count: number) => (task.place.fusesAttention ? 0 : Math.min(count, maxRecomputedScores) * perScore);
  return Math.max(prefixRows * row + scores(prefixScores), branchRows * row + scores(branchScores));
}
