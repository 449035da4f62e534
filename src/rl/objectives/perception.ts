// The perception objective J_omni (Eq. 7 to 10), token by token: how much the distribution over the next token changes
// when a modality is masked, L_t = KL(p_t || p_t^m) over the full vocabulary. It is MAXIMISED on evidence tokens: J_omni
// is a proxy for I(T_m; m | X^m~), which bounds what the reward can recover of the cues (the paper's appendix A).
//
// Gradients of the exact KL, p = softmax(z) of the full input, q of the masked one:
//   dKL/dz_p = p (log p - log q - KL),  dKL/dz_q = q - p.
// Ascent through q has no upper bound ("forget under mask"), hence the cap. The paper leaves open the estimator, the
// gradient's route, the cap and the reduction; each is an option here.
// n tokens, V vocabulary
import { op, type Tensor } from "../../tensor/index.ts";
import { fullKl, maxLogRatio } from "./grpo.ts";

/**
 * "full-vocab" is Eq. 7 as written. The others use the sampled token only, with d = log q - log p: k1 = -d, k2 = d^2 / 2,
 * k3 = e^d - d - 1. Through the full branch k1 has no gradient on average and k3 ascends KL(q || p); "k2-k1" (k2 through
 * the full branch, k1 through the masked one) is the sampled form whose gradient is the exact one's on average.
 */
export type PerceptionEstimator = "full-vocab" | "k1" | "k2" | "k3" | "k2-k1";

/** Which branch learns: both (the literal reading), the full input's or the masked input's. */
export type GradientRoute = "both" | "full" | "masked";

/**
 * "sum" is Eq. 10 as printed: evidence tokens add up within a response, responses are averaged. "mean" divides by the
 * response's number of evidence tokens of that view; "response-mean" by the completion tokens of the whole step (PAPO).
 */
export type PerceptionReduction = "sum" | "mean" | "response-mean";

/**
 * What is wanted of an evidence token whose cue can be read, under its mask, to the share r (0: gone, 1: as well as ever).
 * "farthest" (Eq. 10): the larger the divergence up to the cap, the better, weighed by 1 - r. "calibrated" (ours): a divergence of
 * tau = (1 - r) cap and no more, so that what is gone is retracted and what is left is held: -(tau - KL) below tau,
 * -gamma (KL - tau) above it.
 */
export type PerceptionTarget = "farthest" | "calibrated";

export interface PerceptionOptions {
  /** beta: 8e-3 of the sum in the paper; 0.05 of the mean in our preset. 0 switches the objective off. */
  readonly weight: number;
  readonly estimator: PerceptionEstimator;
  readonly gradient: GradientRoute;
  readonly reduction: PerceptionReduction;
  /** Nats per token; a token beyond it counts as the cap and has no gradient. null: none (the paper). */
  readonly cap: number | null;
  readonly target: PerceptionTarget;
  /** gamma of the calibrated target. */
  readonly holdWeight: number;
  /** Weights of PAPO's double entropy: lowers the entropy of the full and of the masked branch on the same tokens. */
  readonly fullEntropyWeight: number;
  readonly maskedEntropyWeight: number;
}

export const defaultPerceptionOptions: PerceptionOptions = {
  weight: 0.05,
  estimator: "full-vocab",
  gradient: "both",
  reduction: "mean",
  cap: 2,
  target: "farthest",
  holdWeight: 1,
  fullEntropyWeight: 0,
  maskedEntropyWeight: 0,
};

/**
 * L_t per token before the cap, [n], float32.
 *
 * @param fullLogp @param maskedLogp log-distributions [n, V] of the same tokens under the two inputs.
 * @param ids the sampled tokens, int64 [n].
 */
export function perceptionDivergence(
  fullLogp: Tensor,
  maskedLogp: Tensor,
  ids: Tensor,
  options: Pick<PerceptionOptions, "estimator" | "gradient">,
): Tensor {
  const p = options.gradient === "masked" ? fullLogp.detach() : fullLogp;
  const q = options.gradient === "full" ? maskedLogp.detach() : maskedLogp;
  if (options.estimator === "full-vocab") return fullKl(p, q);
  const d = pick(q, ids).sub(pick(p, ids)).clamp({ min: -maxLogRatio, max: maxLogRatio });
  if (options.estimator === "k1") return d.neg();
  if (options.estimator === "k2") return d.mul(d).mul(0.5);
  if (options.estimator === "k3") return d.exp().sub(d).sub(1);
  return k2ThroughFullK1ThroughMasked(pick(p, ids), pick(q, ids));
}

/** The value is k1's; the gradient is k2's through p and k1's through q. */
function k2ThroughFullK1ThroughMasked(p: Tensor, q: Tensor): Tensor {
  const difference = p.detach().sub(q.detach());
  const throughFull = difference.mul(p.sub(p.detach()));
  return difference.add(throughFull).sub(q.sub(q.detach()));
}

/** Beyond the cap a token counts as the cap and has gradient zero. */
function capped(divergence: Tensor, cap: number | null): Tensor {
  return cap === null ? divergence : divergence.clamp({ max: cap });
}

/**
 * What every token adds to J_omni, [n].
 *
 * @param divergence L_t, [n]
 * @param held the same numbers with no gradient through the full branch, [n]: where a token is to be held, the masked branch learns
 *   from the full one, which would otherwise grow unsure of what it sees
 * @param readable r of every token, [n]; null: 0 for all
 */
export function perceptionObjective(
  divergence: Tensor,
  held: () => Tensor,
  readable: Tensor | null,
  { cap, target, holdWeight }: Pick<PerceptionOptions, "cap" | "target" | "holdWeight">,
): Tensor {
  const gone = readable === null ? null : readable.mul(-1).add(1);
  if (target === "farthest") {
    const reached = capped(divergence, cap);
    return gone === null ? reached : reached.mul(gone);
  }
  // A calibrated target without a cap is refused with the settings.
  const goal = gone === null ? op.fullLike(divergence.detach(), cap!) : gone.mul(cap!);
  const missing = goal.sub(divergence).clamp({ min: 0 });
  const excess = held().sub(goal).clamp({ min: 0 });
  return missing.neg().sub(excess.mul(holdWeight));
}

/** Entropy per row, [n], of log-distributions [n, V]. */
export function entropy(logp: Tensor): Tensor {
  return logp.exp().mul(logp).sum(-1).neg();
}

/** Log-probabilities of the sampled tokens: logp [n, V], ids int64 [n] -> [n]. */
export function pick(logp: Tensor, ids: Tensor): Tensor {
  return logp.gather(-1, ids.view([-1, 1])).view([-1]);
}

/** Weight of every evidence token of one response and view, given the step's counts. */
export function evidenceWeight(
  reduction: PerceptionReduction,
  numTokensInView: number,
  step: { readonly numSequences: number; readonly numTokens: number },
): number {
  if (numTokensInView === 0) return 0;
  if (reduction === "sum") return 1 / step.numSequences;
  return reduction === "mean" ? 1 / (step.numSequences * numTokensInView) : 1 / step.numTokens;
}

/** Sum of weight * value over tokens, a scalar. */
export function weightedSum(values: Tensor, weights: Tensor): Tensor {
  return op.sum(values.mul(weights));
}
