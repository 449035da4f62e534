// Rotary positions of the decoder (one position per token, or several axes that share the angles, as in TMRoPE) and of
// towers (row and column). Tables are made once per call; angles, cos and sin in float32, then cast to the model's dtype.
// R rows, H heads, K head dimension, A position axes
import type { DType } from "../../tensor/index.ts";
import { op, type Tensor, tensor } from "../../tensor/index.ts";
import type { DecoderConfig } from "./config.ts";

export interface RopeTarget {
  readonly dtype: DType;
  readonly device: string;
}

/** cos and sin for every row, [R, 1, K]. The first half of sin is negated: rotating is then one roll. */
export interface RopeTable {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** Inverse frequencies theta^(-2i / dim), float32 as the reference computes them. */
export function inverseFrequencies(dim: number, theta: number): Float32Array {
  return Float32Array.from({ length: dim / 2 }, (_, i) => 1 / Math.fround(theta ** Math.fround((2 * i) / dim)));
}

/** Table of prompt tokens; positions row-major [A, R], one axis per section of the configuration. */
export function promptRope(
  positions: Int32Array,
  config: Pick<DecoderConfig, "headDim" | "ropeTheta" | "ropeSections">,
  target: RopeTarget,
): RopeTable {
  const inverse = inverseFrequencies(config.headDim, config.ropeTheta);
  let start = 0;
  const perAxis = config.ropeSections.map((count) => {
    start += count;
    return inverse.subarray(start - count, start);
  });
  return ropeTable(Float32Array.from(positions), perAxis, target);
}

/** Table of generated tokens, positions [R]: all axes agree on them, so that one serves all angles. */
export function lineRope(
  positions: Int32Array,
  config: Pick<DecoderConfig, "headDim" | "ropeTheta">,
  target: RopeTarget,
): RopeTable {
  return ropeTable(Float32Array.from(positions), [inverseFrequencies(config.headDim, config.ropeTheta)], target);
}

/**
 * Table whose first perAxis[0].length angles follow axis 0, the next axis 1, ...
 * @param positions row-major [A, R]
 */
export function ropeTable(
  positions: Float32Array,
  perAxis: readonly Float32Array[],
  { dtype, device }: RopeTarget,
): RopeTable {
  const numAxes = perAxis.length;
  const rows = positions.length / numAxes;
  const half = perAxis.reduce((sum, inverse) => sum + inverse.length, 0);
  // One product picks each angle's axis and scales it; the other axes add exact zeros.
  const spread = new Float32Array(numAxes * half);
  let start = 0;
  perAxis.forEach((inverse, axis) => {
    spread.set(inverse, axis * half + start);
    start += inverse.length;
  });
  const angles = tensor(positions, [numAxes, rows])
    .transpose(0, 1)
    .matmul(tensor(spread, [numAxes, half])); // [R, K / 2]
  const cos = angles.cos();
  const sin = angles.sin();
  return {
    cos: op
      .cat([cos, cos], { dim: 1 })
      .view([rows, 1, 2 * half])
      .to({ dtype, device }),
    sin: op
      .cat([sin.neg(), sin], { dim: 1 })
      .view([rows, 1, 2 * half])
      .to({ dtype, device }),
  };
}

/** Rotates x [R, H, K]: x cos + rotateHalf(x) sin. */
export function applyRope(x: Tensor, table: RopeTable): Tensor {
  const half = x.size(2) / 2;
  return op.addcmul(x.mul(table.cos), op.roll(x, [half], { dims: [2] }), table.sin);
}
