// GRPO's objective, token by token: the clipped surrogate minus the weighted KL to the reference (J_GRPO of Eq. 11).
// Everything here is maximised; the one minus sign is in oppo.ts. Values are per token, [n]; how tokens add up to a
// step is a matter of weights (tokenWeights), so any chunk of tokens can be differentiated by itself.
// n tokens, V vocabulary
import { op, type Tensor } from "../../tensor/index.ts";

/** Log-ratios beyond this are cut (no gradient there), so that exp cannot overflow. */
export const maxLogRatio = 20;

export interface ClipOptions {
  /** The ratio is not rewarded below 1 - clipLow. */
  readonly clipLow: number;
  /** The ratio is not rewarded above 1 + clipHigh; DAPO's "clip higher" is 0.28. */
  readonly clipHigh: number;
  /** Dual clip: with a negative advantage the objective never falls below dualClip * advantage. null: off. */
  readonly dualClip: number | null;
}

export const defaultClipOptions: ClipOptions = { clipLow: 0.2, clipHigh: 0.2, dualClip: null };

/** pi / pi_old, [n]. With old = the current log-probabilities detached it is 1, and its gradient is theirs. */
export function importanceRatio(logprobs: Tensor, oldLogprobs: Tensor): Tensor {
  return logprobs.sub(oldLogprobs).clamp({ min: -maxLogRatio, max: maxLogRatio }).exp();
}

/**
 * Whose ratio a token has: its own (GRPO), or its sequence's, exp(mean of log pi - log pi_old), the same for all its tokens
 * (GSPO, Zheng et al. 2025, which clips at 3e-4 and 4e-4). The sequence's ratio is in a token's objective with the gradient of
 * that token alone; summed over the sequence that is the gradient of the sequence's ratio, whatever weight its tokens share.
 */
export type RatioLevel = "token" | "sequence";

/** A sequence's ratio from what its tokens have now and had before, n numbers each. */
export function sequenceRatio(logprobs: readonly number[], oldLogprobs: ArrayLike<number>): number {
  const sum = logprobs.reduce((total, logprob, t) => total + logprob - oldLogprobs[t]!, 0);
  return Math.exp(Math.min(maxLogRatio, Math.max(-maxLogRatio, sum / logprobs.length)));
}

/** [n] of the value of the sequences' ratios [n], whose gradient is that of `logprobs`. */
export function spreadRatio(sequenceRatios: Tensor, logprobs: Tensor): Tensor {
  return logprobs.sub(logprobs.detach()).exp().mul(sequenceRatios);
}

/** min(ratio A, clip(ratio, 1 - low, 1 + high) A), [n]. */
export function clippedSurrogate(ratio: Tensor, advantages: Tensor, options: ClipOptions): Tensor {
  const clipped = ratio.clamp({ min: 1 - options.clipLow, max: 1 + options.clipHigh });
  const surrogate = op.minimum(ratio.mul(advantages), clipped.mul(advantages));
  if (options.dualClip === null) return surrogate;
  const floored = op.maximum(surrogate, advantages.mul(options.dualClip));
  return op.where(advantages.lt(0), floored, surrogate);
}

/**
 * How KL(pi || reference) is estimated on the sampled token, d = log reference - log pi.
 * k1: -d, whose gradient has zero mean; k2: d^2 / 2, whose gradient is the KL's; k3: e^d - d - 1 (the paper family's
 * choice, never negative), whose gradient is that of KL(reference || pi). "full-vocab" is exact and needs whole rows.
 */
export type KlEstimator = "k1" | "k2" | "k3" | "full-vocab";

/** KL to the reference per token from the log-probabilities of the sampled tokens, [n]. */
export function sampledKl(estimator: Exclude<KlEstimator, "full-vocab">, logprobs: Tensor, reference: Tensor): Tensor {
  const d = reference.sub(logprobs).clamp({ min: -maxLogRatio, max: maxLogRatio });
  if (estimator === "k1") return d.neg();
  if (estimator === "k2") return d.mul(d).mul(0.5);
  return d.exp().sub(d).sub(1);
}

/** Exact KL(p || q) per row, [n], from log-distributions [n, V]. */
export function fullKl(logP: Tensor, logQ: Tensor): Tensor {
  return logP.exp().mul(logP.sub(logQ)).sum(-1);
}

/**
 * How token objectives become one number. "seq-mean": mean over a sequence's tokens, then over sequences (GRPO as
 * published); "token-mean": over all tokens of the step (DAPO); "constant": over sequences x maxCompletionTokens
 * (Dr.GRPO, no length bias). Denominators are those of the whole step, so micro-batches do not change the result.
 */
export type Aggregation = "seq-mean" | "token-mean" | "constant";

/**
 * Weight of every token of each sequence.
 *
 * @param lengths number of scored tokens per sequence; 0 for one that is masked out (it still counts as a sequence).
 */
export function tokenWeights(
  lengths: readonly number[],
  aggregation: Aggregation,
  maxCompletionTokens: number,
): number[] {
  const numTokens = lengths.reduce((sum, length) => sum + length, 0);
  return lengths.map((length) => {
    if (length === 0) return 0;
    if (aggregation === "seq-mean") return 1 / (lengths.length * length);
    return aggregation === "token-mean" ? 1 / numTokens : 1 / (lengths.length * maxCompletionTokens);
  });
}
