// Rotary positions of the decoder (one position per token, or several axes that share the angles, as in TMRoPE) and of
// towers (row and column). Tables are made once per call on the model's device, where only the positions go; angles, cos and
// sin in float32, then cast to the model's dtype.
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

/** Table of `count` steps of decoding from step `first` on, [count * R, 1, K]; `start` has every row's position at step 0. */
export function stepRope(
  start: readonly number[],
  first: number,
  count: number,
  config: Pick<DecoderConfig, "headDim" | "ropeTheta">,
  target: RopeTarget,
): RopeTable {
  const { device } = target;
  const steps = op.arange(first, first + count, { dtype: "float32", device }).unsqueeze(1);
  const positions = steps.add(tensor(Float32Array.from(start), [start.length], { device })).view([-1, 1]);
  const inverse = inverseFrequencies(config.headDim, config.ropeTheta);
  return tableOf(positions.mul(tensor(inverse, [inverse.length], { device })), target);
}

/**
 * Table whose first perAxis[0].length angles follow axis 0, the next axis 1, ...
 * @param positions row-major [A, R]
 */
export function ropeTable(positions: Float32Array, perAxis: readonly Float32Array[], target: RopeTarget): RopeTable {
  const { device } = target;
  const rows = positions.length / perAxis.length;
  const byAxis = tensor(positions, [perAxis.length, rows, 1], { device });
  // Products of single numbers, not a matrix product: those may round their operands on a GPU (TF32).
  const angles = perAxis.map((inverse, axis) =>
    byAxis.select(0, axis).mul(tensor(inverse, [inverse.length], { device })),
  );
  return tableOf(angles.length === 1 ? angles[0]! : op.cat(angles, { dim: 1 }), target);
}

/** @param angles [R, K / 2] */
function tableOf(angles: Tensor, { dtype }: RopeTarget): RopeTable {
  const [rows, half] = angles.shape as [number, number];
  const cos = angles.cos();
  const sin = angles.sin();
  const doubled = (left: Tensor, right: Tensor) =>
    op
      .cat([left, right], { dim: 1 })
      .view([rows, 1, 2 * half])
      .to(dtype);
  return { cos: doubled(cos, cos), sin: doubled(sin.neg(), sin) };
}

/** Rotates x [R, H, K]: x cos + rotateHalf(x) sin. */
export function applyRope(x: Tensor, table: RopeTable): Tensor {
  const half = x.size(2) / 2;
  return op.addcmul(x.mul(table.cos), op.roll(x, [half], { dims: [2] }), table.sin);
}
