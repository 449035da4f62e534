// Functions that need more than one operator to be right, or that only newer libtorch versions have fused.
import { customGrad } from "./autograd.ts";
import { OperatorError } from "./error.ts";
import { native } from "./native.ts";
import * as op from "./ops.gen.ts";
import { hasOperator, torchVersion } from "./runtime.ts";
import { noGrad, type Tensor, wrap } from "./tensor.ts";

const geluOperator = native.declare("aten::gelu", "");
const isFirstGeneration = torchVersion().startsWith("1.");

/**
 * x * Phi(x), the erf form. On libtorch 1.13 oneDNN's backward reads a non-contiguous gradient as if it were contiguous:
 * wrong gradients, no error. The backward of a slice always builds a fresh contiguous gradient, so the result is passed
 * through a slice of its whole length, which costs the forward pass nothing.
 */
export function gelu(x: Tensor): Tensor {
  return withSoundBackward(x, wrap(native.call(geluOperator, x.h)));
}

/** The same with a tanh in place of erf. */
export function geluTanh(x: Tensor): Tensor {
  return withSoundBackward(x, wrap(native.call(geluOperator, x.h, "tanh")));
}

function withSoundBackward(x: Tensor, y: Tensor): Tensor {
  if (!isFirstGeneration || x.ndim === 0) return y;
  return op.narrow(y, 0, 0, y.size(0));
}

let fusedRmsNorm: boolean | null = null;

/** x / sqrt(mean(x^2) + eps) * weight over the last dimension; half precision is computed in float32, as the reference models do. */
export function rmsNorm(x: Tensor, weight: Tensor, eps: number): Tensor {
  const dtype = x.dtype;
  if (dtype === "float32" || dtype === "float64") {
    fusedRmsNorm ??= hasOperator("rms_norm");
    if (fusedRmsNorm) return op.rmsNorm(x, weight.shape, { weight, eps });
    if (recordsGradient(x, weight)) return rmsNormWithGradient(x, weight, eps);
    return op.mul(op.mul(x, inverseRms(x, eps)), weight);
  }
  // Half precision rounds the normalized value before the weight multiplies it.
  const wide = op.to(x, "float32");
  return op.mul(op.to(op.mul(wide, inverseRms(wide, eps)), dtype), weight);
}

function inverseRms(x: Tensor, eps: number): Tensor {
  return op.rsqrt(op.add(op.mean(op.square(x), -1, { keepdim: true }), eps));
}

function isRecording(): boolean {
  const enabled = native.setGradMode(true);
  native.setGradMode(enabled);
  return enabled;
}

function recordsGradient(x: Tensor, weight: Tensor): boolean {
  return isRecording() && (x.requiresGrad || weight.requiresGrad);
}

/** The composed norm with its backward written out: a third of the time of autograd's chain. */
function rmsNormWithGradient(x: Tensor, weight: Tensor, eps: number): Tensor {
  const { y, normed, scale } = noGrad(() => {
    const scale = inverseRms(x, eps);
    const normed = op.mul(x, scale);
    return { y: op.mul(normed, weight), normed, scale };
  });
  return customGrad([x, weight], y, rmsNormBackward, [normed, scale, weight]);
}

/** d/dx of x_i / rms: (h_i - n_i mean(h n)) / rms with h the gradient times the weight, n the normalized values. */
function rmsNormBackward(gradient: Tensor, saved: readonly Tensor[]): Tensor[] {
  // The saved values carry no history, so a second derivative would silently miss terms.
  if (isRecording()) {
    throw new OperatorError(
      "ERR_NO_SECOND_DERIVATIVE",
      "rmsNorm: expected a plain backward, got createGraph.",
      "rmsNorm",
      "",
      "",
    );
  }
  const [normed, scale, weight] = saved as [Tensor, Tensor, Tensor];
  const width = weight.numel;
  const product = op.mul(gradient, normed);
  const mean = op.div(op.unsqueeze(op.matmul(product, weight), -1), width);
  const xGradient = op.mul_(op.addcmul_(op.mul(gradient, weight), normed, mean, { value: -1 }), scale);
  return [xGradient, op.sum(op.reshape(product, [-1, width]), 0)];
}
