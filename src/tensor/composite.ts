// Functions that need more than one operator to be right, or that only newer libtorch versions have fused.
import { native } from "./native.ts";
import * as op from "./ops.gen.ts";
import { hasOperator, torchVersion } from "./runtime.ts";
import { type Tensor, wrap } from "./tensor.ts";

const geluOperator = native.declare("aten::gelu", "");
const isFirstGeneration = torchVersion().startsWith("1.");

/**
 * x * Phi(x), the erf form. libtorch 1.13 hands contiguous inputs to oneDNN, whose backward reads a non-contiguous
 * gradient as if it were contiguous: wrong gradients, no error. A transposed input takes libtorch's own kernel, which is
 * right and as fast; where no transposed view of the same numbers exists, the formula is written out.
 */
export function gelu(x: Tensor): Tensor {
  if (!isFirstGeneration) return wrap(native.call(geluOperator, x.h));
  const shape = x.shape;
  const numColumns = shape.at(-1) ?? 1;
  const numRows = numColumns === 0 ? 0 : x.numel / numColumns;
  if (numColumns < 2 || numRows < 2) return op.mul(op.add(op.erf(op.mul(x, Math.SQRT1_2)), 1), op.mul(x, 0.5));
  const columns = op.t(op.reshape(x, [numRows, numColumns]));
  return op.reshape(op.t(wrap(native.call(geluOperator, columns.h))), shape);
}

let fusedRmsNorm: boolean | null = null;

/** x / sqrt(mean(x^2) + eps) * weight over the last dimension; half precision is computed in float32, as the reference models do. */
export function rmsNorm(x: Tensor, weight: Tensor, eps: number): Tensor {
  const dtype = x.dtype;
  if (dtype === "float32" || dtype === "float64") {
    fusedRmsNorm ??= hasOperator("rms_norm");
    if (fusedRmsNorm) return op.rmsNorm(x, weight.shape, { weight, eps });
    return op.mul(op.mul(x, inverseRms(x, eps)), weight);
  }
  // Half precision rounds the normalized value before the weight multiplies it.
  const wide = op.to(x, "float32");
  return op.mul(op.to(op.mul(wide, inverseRms(wide, eps)), dtype), weight);
}

function inverseRms(x: Tensor, eps: number): Tensor {
  return op.rsqrt(op.add(op.mean(op.square(x), -1, { keepdim: true }), eps));
}
