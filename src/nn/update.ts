// What every update does with the gradients that are there: clip their norm, change the parameters, count what was skipped.
import type { Tensor } from "../tensor/index.ts";
import type { AdamW } from "./adamw.ts";
import { clipGradNorm } from "./grad-norm.ts";

export interface Update {
  /** Before clipping. */
  readonly gradNorm: number;
  /** A gradient that is not finite leaves the parameters alone. */
  readonly isSkipped: boolean;
}

/** One update at `lr` from the gradients of the parameters that the optimizer updates. */
export function updateParameters(
  optimizer: AdamW,
  trainable: readonly Tensor[],
  lr: number,
  maxGradNorm: number,
): Update {
  const gradNorm = clipGradNorm(trainable, maxGradNorm);
  const isSkipped = !Number.isFinite(gradNorm);
  if (!isSkipped) optimizer.step(lr);
  return { gradNorm, isSkipped };
}
