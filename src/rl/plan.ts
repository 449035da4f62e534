// What one optimiser step computes on which token, decided on the host before any tensor exists. All denominators are
// those of the whole step, so the gradient is the same however the step is cut into micro-batches (or spread over
// processes, which all know the rollouts of the whole step).

import { OppoError } from "../error.ts";
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
  readonly masked: Partial<Readonly<Record<Exclude<ViewName, "alike">, PromptPair>>>;
  /** Of completions about a blank: clips whose modality is as gone in other ways. Left out: none. */
  readonly alike?: readonly PromptPair[];
  readonly rollouts: readonly ScoredRollout[];
  /** Of every rollout, what the trainer said of its tokens before the first update on it (tokenLogprobs). */
  readonly startLogprobs?: readonly Float32Array[];
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
  /** What the ratio is taken against, where that is not the present policy. */
  readonly oldLogprobs: Float32Array;
  /** Per token. */
  readonly advantages: Float32Array;
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
  readonly oldLogprobs: "current" | "sampler" | "start";
  readonly views: ViewSelector;
  readonly reduction: PerceptionReduction;
}

/**
 * @param whole the rollouts of the whole step where `groups` have a part of them: weights are those of the whole
 * @throws OppoError ERR_MISSING_LOGPROBS
 */
export function planStep(
  groups: readonly TrainGroup[],
  options: PlanOptions,
  whole: readonly ScoredRollout[] = groups.flatMap((group) => group.rollouts),
): StepPlan {
  const isScored = ({ rollout }: ScoredRollout) =>
    rollout.ids.length > 0 && !(options.truncated === "mask" && rollout.truncated);
  const lengths = whole.map((scored) => (isScored(scored) ? scored.rollout.ids.length : 0));
  const ofWhole = tokenWeights(lengths, options.aggregation, options.maxCompletionTokens);
  const weights = new Map(whole.map((scored, i) => [scored, ofWhole[i]!]));
  const counts = { numSequences: whole.length, numTokens: lengths.reduce((sum, length) => sum + length, 0) };
  const planOf = (scored: ScoredRollout, old: Float32Array): PlannedRollout => ({
    ids: scored.rollout.ids,
    samplerLogprobs: scored.rollout.logprobs,
    oldLogprobs: old,
    advantages: tokenAdvantages(scored),
    weight: weights.get(scored)!,
    views: options.views(scored).map(({ name, tokens, readable = null, weight: drawn = 1 }) => ({
      name,
      tokens,
      readable,
      weight: drawn * evidenceWeight(options.reduction, tokens.length, counts),
      anchorWeight: drawn,
    })),
  });
  const ofGroup = groups.map((group) => {
    const old = oldLogprobsOf(group, options.oldLogprobs);
    return {
      group,
      rollouts: group.rollouts.flatMap((scored, i) => (isScored(scored) ? [planOf(scored, old[i]!)] : [])),
    };
  });
  return { groups: ofGroup.filter((group) => group.rollouts.length > 0), counts };
}

function oldLogprobsOf(
  { rollouts, startLogprobs }: TrainGroup,
  kind: PlanOptions["oldLogprobs"],
): readonly Float32Array[] {
  if (kind !== "start") return rollouts.map(({ rollout }) => rollout.logprobs);
  if (startLogprobs !== undefined) return startLogprobs;
  throw new OppoError(
    "ERR_MISSING_LOGPROBS",
    'trainStep: expected startLogprobs of every group for oldLogprobs "start", got a group without them. Compute them with tokenLogprobs before the first update.',
  );
}

function tokenAdvantages({ rollout, advantage, spans = [] }: ScoredRollout): Float32Array {
  const advantages = new Float32Array(rollout.ids.length).fill(advantage);
  for (const span of spans)
    for (let t = 0; t < Math.min(span.end, advantages.length); t++) advantages[t]! += span.advantage;
  return advantages;
}
