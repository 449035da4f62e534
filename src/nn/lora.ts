// Low-rank adaptation (Hu et al. 2021): a linear layer's output plus scale * B A dropout(x), with A [r, inputs] and
// B [outputs, r]. A starts random, B at zero, so that a fresh adapter changes nothing. It is computed in the layer's type; the
// float32 numbers of an adapter over a layer in half precision are its masters (`lowRankIn`).
import { type DType, Generator, op, type Tensor } from "../tensor/index.ts";

/** The adapter of one linear layer. */
export interface LowRank {
  /** A, [r, inputs]. */
  readonly down: Tensor;
  /** B, [outputs, r]. */
  readonly up: Tensor;
  readonly scale: number;
  /** While training: the share of inputs left out, and what the draw depends on: the same seed leaves out the same. */
  readonly dropout: { readonly rate: number; readonly seed: number } | null;
}

/** alpha / r, or alpha / sqrt(r) for rank-stabilised adapters. */
export function lowRankScale(alpha: number, rank: number, isRankStabilised = false): number {
  return alpha / (isRankStabilised ? Math.sqrt(rank) : rank);
}

/** The adapter in a layer's type; gradients reach the adapter in its own. */
export function lowRankIn(dtype: DType, adapter: LowRank): LowRank {
  return { ...adapter, down: adapter.down.to({ dtype }), up: adapter.up.to({ dtype }) };
}

/** y [R, outputs] of a layer with inputs x [R, inputs], plus what the adapter, in their type, adds. */
export function addLowRank(y: Tensor, x: Tensor, { down, up, scale, dropout }: LowRank): Tensor {
  const inputs = dropout === null ? x : droppedOut(x, dropout);
  return op.addmm(y, op.linear(inputs, down), up.t(), { alpha: scale });
}

/** Zeroes a share of the elements and scales the others up, so that the expectation stays. */
function droppedOut(x: Tensor, { rate, seed }: NonNullable<LowRank["dropout"]>): Tensor {
  if (rate === 0) return x;
  using generator = new Generator(seed, x.device);
  const kept = op.rand(x.shape, { generator, device: x.device }).ge(rate).to(x.dtype);
  return x.mul(kept).mul(1 / (1 - rate));
}

/** What a layer's weight becomes when the adapter is merged into it: W + scale * B A. */
export function mergedDelta({ down, up, scale }: LowRank): Tensor {
  return up.matmul(down).mul(scale);
}

/**
 * The adapters of layers that read the same rows as one, for their outputs beside one another: all A below each other, all B
 * along a diagonal. What decoding wants: two products in place of two per layer. Without dropout.
 */
export function joinLowRank(adapters: readonly (LowRank | null)[], outputs: readonly number[]): LowRank {
  const given = adapters.filter((adapter) => adapter !== null);
  const down = op.cat(
    given.map((adapter) => adapter.down),
    { dim: 0 },
  );
  const up = op.zeros([outputs.reduce((sum, count) => sum + count, 0), down.size(0)], {
    dtype: down.dtype,
    device: down.device,
  });
  let row = 0;
  let column = 0;
  adapters.forEach((adapter, i) => {
    if (adapter !== null) {
      const rank = adapter.down.size(0);
      up.narrow(0, row, outputs[i]!).narrow(1, column, rank).copy_(adapter.up.mul(adapter.scale));
      column += rank;
    }
    row += outputs[i]!;
  });
  return { down, up, scale: 1, dropout: null };
}
