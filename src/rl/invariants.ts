// Two things that must hold before the first update, and whose silent failure ruins runs: the policy still equals its
// reference, and the trainer computes the log-probabilities that the sampler reported.
import { OppoError } from "../error.ts";
import type { StepMetrics } from "./metrics.ts";

export interface InvariantTolerances {
  /** Mean KL to the reference per token, nats. */
  readonly referenceKl: number;
  /** Largest absolute difference of a token's log-probability between sampler and trainer. */
  readonly samplingDifference: number;
}

export const defaultInvariantTolerances: InvariantTolerances = { referenceKl: 1e-5, samplingDifference: 1e-3 };

/**
 * Checks the metrics of the first step (before any update of a policy that starts from its reference).
 *
 * @throws OppoError ERR_REFERENCE_KL, ERR_SAMPLING_DIFFERENCE
 */
export function checkInvariants(
  metrics: StepMetrics,
  tolerances: InvariantTolerances = defaultInvariantTolerances,
): void {
  const kl = metrics.kl;
  if (kl !== undefined && !(Math.abs(kl) <= tolerances.referenceKl)) {
    throw new OppoError(
      "ERR_REFERENCE_KL",
      `step 0: expected a KL to the reference of 0 (within ${tolerances.referenceKl}), got ${kl}. ` +
        "Policy and reference do not start from the same weights, or see different inputs.",
    );
  }
  const difference = metrics["sampling/sampling_logp_difference/max"];
  if (difference === undefined || !(difference <= tolerances.samplingDifference)) {
    throw new OppoError(
      "ERR_SAMPLING_DIFFERENCE",
      "step 0: expected sampler and trainer to agree on the log-probabilities of sampled tokens " +
        `(within ${tolerances.samplingDifference}), got a largest difference of ${difference}. ` +
        "Prompts, positions, masks or weights differ between sampling and training.",
    );
  }
}
