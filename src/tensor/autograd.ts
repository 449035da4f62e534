// Gradients as values, and graph nodes whose backward is written in TypeScript.
import { native } from "./native.ts";
import { handlesOf, scope, type Tensor, wrap, wrapOptional } from "./tensor.ts";

export interface GradOptions {
  readonly gradOutputs?: readonly Tensor[];
  readonly retainGraph?: boolean;
  /** Makes the gradients differentiable. */
  readonly createGraph?: boolean;
}

/** Gradients of the outputs' sum with respect to the inputs; null for an input that was not used. */
export function grad(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradOptions = {},
): (Tensor | null)[] {
  const create = options.createGraph ?? false;
  const upstream = options.gradOutputs ? handlesOf(options.gradOutputs) : null;
  const retain = options.retainGraph ?? create;
  return native.gradOf(handlesOf(outputs), handlesOf(inputs), upstream, retain, create).map(wrapOptional);
}

/**
 * Gives `forwardOutput` (whatever its history) a backward of its own: it gets the gradient of the output and `saved`, and
 * returns one gradient or null per input. The graph owns the saved tensors, so they live exactly as long as it; anything
 * else that `backward` captures must live until it has run. On a device `backward` must not start a backward pass itself:
 * the device's thread waits for it.
 */
export function customGrad(
  inputs: readonly Tensor[],
  forwardOutput: Tensor,
  backward: (gradOutput: Tensor, saved: readonly Tensor[]) => readonly (Tensor | null)[],
  saved: readonly Tensor[] = [],
): Tensor {
  const node = (upstream: number, handles: readonly number[]): void => {
    scope(() => {
      const gradients = backward(wrap(upstream), handles.map(wrap));
      native.deliver(gradients.map((gradient) => gradient?.h ?? 0));
    });
  };
  return wrap(native.customGrad(handlesOf(inputs), forwardOutput.h, node, handlesOf(saved)));
}
