// Two things that must hold before the first update, and whose silent failure ruins runs: the policy still equals its
// reference, and the trainer computes the log-probabilities that the sampler reported.
import { OppoError } from "../error.ts";
import type { DType } from "../tensor/index.ts";
import type { StepMetrics } from "./metrics.ts";

export interface InvariantTolerances {
  /** Mean KL to the reference per token, nats. */
  readonly referenceKl: number;
  /** Difference of a token's log-probability between sampler and trainer: the largest, and the mean of absolute ones. */
  readonly samplingDifference: number;
  readonly meanSamplingDifference: number;
}

const singlePrecision: InvariantTolerances = {
  referenceKl: 1e-5,
  samplingDifference: 1e-3,
  meanSamplingDifference: 1e-3,
};

/**
 * A bfloat16 has 8 bits: logits of 16 to 32 are rounded to steps of 1/8, so that single unlikely tokens differ by tenths. What is
 * wrong in prompts, positions, masks or weights moves the mean.
 */
const halfPrecision: InvariantTolerances = { referenceKl: 1e-3, samplingDifference: 1, meanSamplingDifference: 0.05 };

/** For a model that computes in this type. @param isForeign another engine than ours samples, in a type that it does not tell */
export function tolerancesOf(dtype: DType, isForeign = false): InvariantTolerances {
  const own = dtype === "bfloat16" || dtype === "float16" ? halfPrecision : singlePrecision;
  return isForeign ? { ...halfPrecision, referenceKl: own.referenceKl } : own;
}

/**
 * Checks the metrics of the first step (before any update of a policy that starts from its reference).
 *
 * @throws OppoError ERR_REFERENCE_KL, ERR_SAMPLING_DIFFERENCE
 */
export function checkInvariants(metrics: StepMetrics, tolerances: InvariantTolerances = singlePrecision): void {
  const kl = metrics.kl;
  if (kl !== undefined && !(Math.abs(kl) <= tolerances.referenceKl)) {
    throw new OppoError(
      "ERR_REFERENCE_KL",
      `step 0: expected a KL to the reference of 0 (within ${tolerances.referenceKl}), got ${kl}. ` +
        "Policy and reference do not start from the same weights, or see different inputs.",
    );
  }
  const difference = metrics["sampling/sampling_logp_difference/max"];
  const mean = metrics["sampling/sampling_logp_difference/mean"] ?? 0;
  const isNear = difference !== undefined && difference <= tolerances.samplingDifference;
  if (!isNear || !(mean <= tolerances.meanSamplingDifference)) {
    throw new OppoError(
      "ERR_SAMPLING_DIFFERENCE",
      "step 0: expected sampler and trainer to agree on the log-probabilities of sampled tokens " +
        `(within ${tolerances.samplingDifference}, in the mean ${tolerances.meanSamplingDifference}), got a largest difference of ${difference}, in the mean ${mean}. ` +
        "Prompts, positions, masks or weights differ between sampling and training.",
    );
  }
}
