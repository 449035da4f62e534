// What one update can be told. Every option that the papers leave open says so; presets are spreads over the default.
import { type CorrectionOptions, defaultCorrection } from "./objectives/correction.ts";
import type { ClipOptions, KlEstimator, RatioLevel } from "./objectives/grpo.ts";
import { defaultClipOptions } from "./objectives/grpo.ts";
import type { ObjectiveWeights } from "./objectives/oppo.ts";
import { defaultPerceptionOptions, type PerceptionOptions } from "./objectives/perception.ts";
import type { PlanOptions } from "./plan.ts";
import { viewSelectors } from "./views.ts";

export interface StepOptions extends Omit<PlanOptions, "reduction"> {
  /**
   * Of the distributions that are trained and compared: logits are divided by it, in the policy, the reference and the masked
   * branch alike, as they were when the completions were sampled.
   */
  readonly temperature: number;
  readonly clip: ClipOptions;
  /**
   * What the ratio is taken against: "current" (exactly 1, right for one update per batch of rollouts), or for more updates the
   * log-probs that the sampler reported, or those that the trainer computed before the first of them (TrainGroup).
   */
  readonly oldLogprobs: "current" | "sampler" | "start";
  readonly ratioLevel: RatioLevel;
  /** Of the policy's entropy on the tokens of J_GRPO, with their weights: above 0 a bonus. */
  readonly entropyWeight: number;
  /** Of what another engine sampled; on the policy's term alone. */
  readonly correction: CorrectionOptions;
  /** 0.04 and k3 in the paper's family (the paper gives the weight only). Weight 0 runs without a reference. */
  readonly referenceKl: { readonly weight: number; readonly estimator: KlEstimator };
  readonly perception: PerceptionOptions;
  /** Ours: weight of KL(p^m || anchor) on the masked branch's tokens outside the view. The paper has none. */
  readonly anchorWeight: number;
  /**
   * What those tokens are held to: the reference under the same mask, or the policy's own full branch without gradient
   * ("full": a token that no modality decides should not care about the mask; saves the reference's masked forward).
   */
  readonly anchorTo: "reference" | "full";
  /**
   * How far a masked branch is read and anchored: to the end of the completion, or to the view's last token, beyond which
   * nothing is compared.
   */
  readonly anchorUntil: "end" | "last-token";
  /**
   * Ours: a view keeps the tokens where something was decided, whose choice entropy (FullBranch) exceeds this many nats;
   * the others go to the anchor. On a forced token ("voice" after "a loud") the divergence can only grow by breaking the
   * sentence. 0 is the paper: every token of the view.
   */
  readonly minChoiceEntropy: number;
  /**
   * Ours: of KL(p || p^m) over every token of an "alike" view, with p held still: a modality that is gone is gone, in whatever way, so
   * what is said of one blank is learnt for all. Reduced as J_omni is, and averaged over a group's inputs.
   */
  readonly alikeWeight: number;
  /** Masked inputs of different views as prompts of one pass, or a pass for each; the result does not depend on it. */
  readonly viewPasses: "one" | "each";
  /** Masked inputs borrow keys and values up to what the mask changes from the full ones; the result does not depend on it. */
  readonly sharesPrefixes: boolean;
  /** Prompts whose graphs are alive at once; the result does not depend on it. null: all. */
  readonly promptsPerMicroBatch: number | null;
  /** Whether layers are computed again on the way back, in place of keeping their graph; the result does not depend on it. */
  readonly recomputes: boolean;
  /** Tokens whose vocabulary-sized rows exist at once; the result does not depend on it. null: what is fast. */
  readonly tokensPerChunk: number | null;
}

export const defaultStepOptions: StepOptions = {
  temperature: 1,
  clip: defaultClipOptions,
  oldLogprobs: "current",
  ratioLevel: "token",
  entropyWeight: 0,
  correction: defaultCorrection,
  aggregation: "seq-mean",
  maxCompletionTokens: 1024,
  truncated: "keep",
  referenceKl: { weight: 0.04, estimator: "k3" },
  views: viewSelectors.none,
  perception: defaultPerceptionOptions,
  anchorWeight: 0,
  anchorTo: "reference",
  anchorUntil: "end",
  minChoiceEntropy: 0,
  alikeWeight: 0,
  viewPasses: "each",
  sharesPrefixes: false,
  promptsPerMicroBatch: null,
  recomputes: false,
  tokensPerChunk: null,
};

/** The options of the pass over "alike" views: every token is readable, so its target is a divergence of 0. */
export function alikeOptions(options: StepOptions, numInputs: number): StepOptions {
  return {
    ...options,
    anchorWeight: 0,
    minChoiceEntropy: 0,
    perception: {
      ...defaultPerceptionOptions,
      reduction: options.perception.reduction,
      weight: options.alikeWeight / numInputs,
      gradient: "masked",
      target: "calibrated",
      holdWeight: 1,
    },
  };
}

export function objectiveWeights({ perception, anchorWeight }: StepOptions): ObjectiveWeights {
  return {
    perception: perception.weight,
    anchor: anchorWeight,
    fullEntropy: perception.fullEntropyWeight,
    maskedEntropy: perception.maskedEntropyWeight,
  };
}
