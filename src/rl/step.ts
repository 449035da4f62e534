// One optimiser step, synchronous from the first forward to the changed parameters: gradients, clipping, update. Owns no
// model: the caller brings policy, reference and optimizer, and logs what comes back.
import { type AdamW, clipGradNorm } from "../nn/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { accumulateGradients, type StepModels } from "./gradients.ts";
import type { StepMetrics } from "./metrics.ts";
import type { TrainGroup } from "./plan.ts";
import type { StepOptions } from "./step-options.ts";

export interface Trainer extends StepModels {
  readonly optimizer: AdamW;
  /** The parameters whose gradients are clipped: those that the optimizer updates. */
  readonly trainable: readonly Tensor[];
}

/**
 * Zeroes gradients, accumulates them over the micro-batches, clips their norm and updates the parameters at `lr`. A step
 * whose gradient is not finite leaves the parameters alone and reports optim/skipped_steps 1.
 *
 * @throws OppoError ERR_MISSING_VIEW, ERR_MISSING_REFERENCE, ERR_EMPTY_STEP
 */
export function trainStep(
  trainer: Trainer,
  groups: readonly TrainGroup[],
  options: StepOptions,
  lr: number,
): StepMetrics {
  trainer.optimizer.zeroGrad();
  const metrics = accumulateGradients(trainer, groups, options);
  const before = trainer.clock?.();
  const gradNorm = clipGradNorm(trainer.trainable, options.maxGradNorm);
  const isUsable = Number.isFinite(gradNorm);
  if (isUsable) trainer.optimizer.step(lr);
  if (before !== undefined) metrics["timing_s/optim"] = trainer.clock!() - before;
  return { ...metrics, grad_norm: gradNorm, learning_rate: lr, "optim/skipped_steps": isUsable ? 0 : 1 };
}
