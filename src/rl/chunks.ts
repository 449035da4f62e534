// Vocabulary-sized rows exist only for a chunk of tokens at a time. The trunk's hidden states are cut from the graph
// ("leaf"); every chunk runs the head, adds its part of the loss and goes backward at once, which leaves a gradient in
// the leaf; one backward through the trunk finishes. Memory is bounded by the chunk, and nothing is computed twice.
// R scored rows, D width
import type { Trunk } from "../models/omni-model.ts";
import { indices, op, scope, type Tensor, tensor } from "../tensor/index.ts";

/** Hidden rows that are scored, cut from the trunk's graph. */
export interface CutRows {
  /** [R, D], in the trunk's graph (or not, when nothing there learns). */
  readonly rows: Tensor;
  /** [R, D], detached; collects the gradient. */
  readonly leaf: Tensor;
  /** What the rows go back through; left out, their graph is all. */
  readonly trunk?: Trunk;
}

/** int64 on the device of `like`. */
export function indicesLike(like: Tensor, values: Int32Array): Tensor {
  return indices(values).to({ device: like.device });
}

/** float32 on the device of `like`. */
export function floatsLike(like: Tensor, values: Float32Array): Tensor {
  return tensor(values, [values.length], { device: like.device });
}

/** @param hidden [N, C, D] @param flatRows indices n * C + c of the rows to keep. */
export function cutRows(hidden: Tensor, flatRows: Int32Array, requiresGrad: boolean): CutRows {
  const width = hidden.shape[2]!;
  const rows = hidden.reshape([-1, width]).indexSelect(0, indicesLike(hidden, flatRows));
  const leaf = rows.detach();
  if (requiresGrad) leaf.requiresGrad = true;
  return { rows, leaf };
}

/** The same of a trunk that is learned from. */
export function cutTrunk(trunk: Trunk, flatRows: Int32Array): CutRows {
  return { ...cutRows(trunk.hidden, flatRows, true), trunk };
}

/** Sends the gradient that the chunks left in the leaf through the trunk. */
export function backwardThroughTrunk({ rows, leaf, trunk }: CutRows): void {
  const gradient = leaf.grad;
  if (gradient === null || !rows.requiresGrad) return;
  rows.backward(gradient);
  trunk?.backward();
}

/** Runs the body on [start, end) ranges of at most `chunk` rows, each in its own scope. */
export function forEachChunk(numRows: number, chunk: number, body: (start: number, count: number) => void): void {
  for (let start = 0; start < numRows; start += chunk) {
    scope(() => body(start, Math.min(chunk, numRows - start)));
  }
}

/** Row-wise log-distribution at a temperature, float32: [n, V] -> [n, V]. */
export function logDistribution(logits: Tensor, temperature: number): Tensor {
  return op.logSoftmax(temperature === 1 ? logits : logits.div(temperature), -1);
}
