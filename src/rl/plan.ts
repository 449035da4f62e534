// What one optimiser step computes on which token, decided on the host before any tensor exists. All denominators are
// those of the whole step, so the gradient is the same however the step is cut into micro-batches (or spread over
// processes, once counts are summed over them).
import type { ModelPrompt } from "../models/omni-model.ts";
import { type Aggregation, tokenWeights } from "./objectives/grpo.ts";
import { evidenceWeight, type PerceptionReduction } from "./objectives/perception.ts";
import type { ScoredRollout, ViewName, ViewSelector } from "./types.ts";

/** One prompt as two models see it. */
export interface PromptPair {
  readonly policy: ModelPrompt;
  /** Needed only where the reference's towers differ from the policy's; the policy's prompt otherwise. */
  readonly reference?: ModelPrompt;
}

/**
 * One prompt of a step with its scored rollouts. `masked` holds the counterfactual inputs, made by the caller:
 * model.fitClip -> applyMask (drawMasks) -> model.features -> model.encode -> the same PromptTokens with other rows.
 * Only views that some rollout asks for have to be there (neededViews).
 *
 * Tensors in the prompts are borrowed. Rows that require grad collect it in `.grad`, which is how towers are trained:
 * pass detached rows, then run the towers' own backward from it.
 */
export interface TrainGroup {
  readonly prompt: PromptPair;
  readonly masked: Partial<Readonly<Record<ViewName, PromptPair>>>;
  readonly rollouts: readonly ScoredRollout[];
}

export interface PlannedView {
  readonly name: ViewName;
  /** Ascending completion positions compared with the full input. */
  readonly tokens: Int32Array;
  /** How well the cue of each can be read under the mask; null: none of them at all. */
  readonly readable: Float32Array | null;
  /** Weight of each of them in J_omni. */
  readonly weight: number;
  /** Of the view's anchored tokens: 1 over the probability that a draw keeps the view. */
  readonly anchorWeight: number;
}

export interface PlannedRollout {
  readonly ids: Int32Array;
  readonly samplerLogprobs: Float32Array;
  readonly advantage: number;
  /** Weight of each token in J_GRPO. */
  readonly weight: number;
  readonly views: readonly PlannedView[];
}

export interface PlannedGroup {
  readonly group: TrainGroup;
  /** Those that are scored: truncated ones may be left out. */
  readonly rollouts: readonly PlannedRollout[];
}

export interface StepCounts {
  /** All rollouts of the step, left-out ones included. */
  readonly numSequences: number;
  /** Completion tokens that are scored. */
  readonly numTokens: number;
}

export interface StepPlan {
  readonly groups: readonly PlannedGroup[];
  readonly counts: StepCounts;
}

export interface PlanOptions {
  readonly aggregation: Aggregation;
  /** Only read by the "constant" aggregation. */
  readonly maxCompletionTokens: number;
  /** "mask" leaves completions that the token limit ended out of the loss (DAPO's overlong filtering). */
  readonly truncated: "keep" | "mask";
  readonly views: ViewSelector;
  readonly reduction: PerceptionReduction;
}

export function planStep(groups: readonly TrainGroup[], options: PlanOptions): StepPlan {
  const isScored = ({ rollout }: ScoredRollout) =>
    rollout.ids.length > 0 && !(options.truncated === "mask" && rollout.truncated);
  const rollouts = groups.flatMap((group) => group.rollouts);
  const lengths = rollouts.map((scored) => (isScored(scored) ? scored.rollout.ids.length : 0));
  const weights = tokenWeights(lengths, options.aggregation, options.maxCompletionTokens);
  const counts = { numSequences: rollouts.length, numTokens: lengths.reduce((sum, length) => sum + length, 0) };
  const planned = rollouts.map((scored, i): PlannedRollout => {
    const views = options.views(scored);
    return {
      ids: scored.rollout.ids,
      samplerLogprobs: scored.rollout.logprobs,
      advantage: scored.advantage,
      weight: weights[i]!,
      views: views.map(({ name, tokens, readable = null, weight: drawn = 1 }) => ({
        name,
        tokens,
        readable,
        weight: drawn * evidenceWeight(options.reduction, tokens.length, counts),
        anchorWeight: drawn,
      })),
    };
  });
  const ofGroup = groups.map((group) => ({
    group,
    rollouts: planned.splice(0, group.rollouts.length).filter((_, i) => isScored(group.rollouts[i]!)),
  }));
  return { groups: ofGroup.filter((group) => group.rollouts.length > 0), counts };
}
