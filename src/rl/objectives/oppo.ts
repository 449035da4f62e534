// The total objective and its loss. J_total = J_GRPO + beta * J_omni (Eq. 11), plus our anchor, which keeps the masked
// branch speaking the reference's language on the tokens that are no evidence: without it, gibberish under a mask is the
// cheapest way to a large divergence. Objectives are maximised, the loss is minimised, and the only minus sign between
// the two is here.
import type { Tensor } from "../../tensor/index.ts";

/** Additive parts of the step's objective, scalars; a part that a chunk of tokens does not have is left out. */
export interface ObjectiveParts {
  /** J_GRPO, reference KL included. */
  readonly policy?: Tensor;
  /** J_omni, capped and reduced. */
  readonly perception?: Tensor;
  /** KL(p^m || reference^m) on the masked branch's other tokens. */
  readonly anchor?: Tensor;
  /** Mean entropies on the view's tokens (PAPO's double entropy). */
  readonly fullEntropy?: Tensor;
  readonly maskedEntropy?: Tensor;
}

export interface ObjectiveWeights {
  /** beta */
  readonly perception: number;
  readonly anchor: number;
  readonly fullEntropy: number;
  readonly maskedEntropy: number;
}

/**
 * -(J_GRPO + beta J_omni - anchorWeight KL_anchor - entropy terms), a scalar. Linear in its parts, so the losses of the
 * chunks of a step add up to the loss of the step.
 */
export function oppoLoss(parts: ObjectiveParts, weights: ObjectiveWeights): Tensor {
  const terms: Tensor[] = [];
  if (parts.policy) terms.push(parts.policy);
  if (parts.perception) terms.push(parts.perception.mul(weights.perception));
  if (parts.anchor) terms.push(parts.anchor.mul(-weights.anchor));
  if (parts.fullEntropy) terms.push(parts.fullEntropy.mul(-weights.fullEntropy));
  if (parts.maskedEntropy) terms.push(parts.maskedEntropy.mul(-weights.maskedEntropy));
  const objective = terms.reduce((sum, term) => sum.add(term));
  return objective.neg();
}
