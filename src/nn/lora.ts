// Low-rank adaptation (Hu et al. 2021): a linear layer's output plus scale * B A dropout(x), with A [r, inputs] and
// B [outputs, r]. A starts random, B at zero, so that a fresh adapter changes nothing. The sum is taken in the adapter's
// type and given back in the layer's, as PEFT does.
import { type Generator, op, type Tensor } from "../tensor/index.ts";

/** The adapter of one linear layer. */
export interface LowRank {
  /** A, [r, inputs]. */
  readonly down: Tensor;
  /** B, [outputs, r]. */
  readonly up: Tensor;
  readonly scale: number;
  /** While training: the share of inputs left out, and where the draws come from. */
  readonly dropout: { readonly rate: number; readonly generator: Generator } | null;
}

/** alpha / r, or alpha / sqrt(r) for rank-stabilised adapters. */
export function lowRankScale(alpha: number, rank: number, isRankStabilised = false): number {
  return alpha / (isRankStabilised ? Math.sqrt(rank) : rank);
}

/** y [R, outputs] of a layer with inputs x [R, inputs], plus what the adapter adds. */
export function addLowRank(y: Tensor, x: Tensor, { down, up, scale, dropout }: LowRank): Tensor {
  const inputs = dropout === null ? x.to(down.dtype) : droppedOut(x.to(down.dtype), dropout);
  return y.add(op.linear(op.linear(inputs, down), up).mul(scale)).to(y.dtype);
}

/** Zeroes a share of the elements and scales the others up, so that the expectation stays. */
function droppedOut(x: Tensor, { rate, generator }: NonNullable<LowRank["dropout"]>): Tensor {
  if (rate === 0) return x;
  const kept = op.rand(x.shape, { generator, device: x.device }).ge(rate).to(x.dtype);
  return x.mul(kept).mul(1 / (1 - rate));
}

/** What a layer's weight becomes when the adapter is merged into it: W + scale * B A. */
export function mergedDelta({ down, up, scale }: LowRank): Tensor {
  return up.matmul(down).mul(scale);
}
