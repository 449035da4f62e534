// The gradient of one step's loss (Eq. 11): micro-batches of prompts, each with its full branch, its masked branches and
// one backward per trunk. Denominators are the whole step's, so the micro-batch split does not change the result.
import { OppoError } from "../error.ts";
import type { OmniModel } from "../models/omni-model.ts";
import { scope } from "../tensor/index.ts";
import { backwardThroughTrunk } from "./chunks.ts";
import { runFullBranch, type StepContext } from "./full-branch.ts";
import { runMaskedBranch } from "./masked-branch.ts";
import { MetricSums, type StepMetrics } from "./metrics.ts";
import { planStep, type TrainGroup } from "./plan.ts";
import { objectiveWeights, type StepOptions } from "./step-options.ts";

export interface StepModels {
  readonly policy: OmniModel;
  /** Frozen. null when no term needs it. */
  readonly reference: OmniModel | null;
  /** Seconds, for the timing_s/ metrics; without it there are none. Only recipes read the clock. */
  readonly clock?: () => number;
}

/**
 * Adds the gradient of the step's loss to the parameters' `.grad`, without an update.
 *
 * @throws OppoError ERR_MISSING_VIEW, ERR_MISSING_REFERENCE, ERR_EMPTY_STEP
 */
export function accumulateGradients(
  { policy, reference, clock }: StepModels,
  groups: readonly TrainGroup[],
  options: StepOptions,
): StepMetrics {
  const plan = planStep(groups, { ...options, reduction: options.perception.reduction });
  requireReference(reference, options);
  if (plan.counts.numTokens === 0) {
    throw new OppoError(
      "ERR_EMPTY_STEP",
      `trainStep: expected at least one completion token to score, got none in ${groups.length} groups. ` +
        "Check the sampler, or keep truncated completions.",
    );
  }
  const sums = new MetricSums();
  const timed = <T>(name: string, body: () => T): T => {
    if (clock === undefined) return body();
    const start = clock();
    const result = body();
    sums.add(`timing_s/${name}`, clock() - start);
    return result;
  };
  const context: StepContext = { policy, reference, options, counts: plan.counts, sums, timed };
  const size = options.promptsPerMicroBatch ?? plan.groups.length;
  for (let start = 0; start < plan.groups.length; start += size) {
    const batch = plan.groups.slice(start, start + size);
    scope(() => {
      const full = runFullBranch(context, batch);
      if (usesViews(options)) {
        for (const name of ["video", "audio", "both"] as const) {
          scope(() => runMaskedBranch(context, batch, name, full));
        }
      }
      timed("bwd", () => backwardThroughTrunk(full.cut));
    });
  }
  return stepMetrics(context);
}

/** Views cost a forward each; with all their weights at 0 they would change nothing. */
function usesViews(options: StepOptions): boolean {
  return Object.values(objectiveWeights(options)).some((weight) => weight !== 0);
}

function requireReference(reference: OmniModel | null, options: StepOptions): void {
  const anchorNeedsIt = options.anchorWeight !== 0 && options.anchorTo === "reference";
  if (reference !== null || (options.referenceKl.weight === 0 && !anchorNeedsIt)) return;
  throw new OppoError(
    "ERR_MISSING_REFERENCE",
    `trainStep: expected a reference model for referenceKl.weight ${options.referenceKl.weight} and anchorWeight ` +
      `${options.anchorWeight}, got none. Pass a frozen copy of the starting policy, or set both to 0.`,
  );
}

function stepMetrics({ sums, options, counts }: StepContext): StepMetrics {
  const perToken = (name: string) => sums.sum(name) / counts.numTokens;
  const metrics: StepMetrics = {
    loss: sums.sum("loss"),
    policy_loss: sums.sum("policy_loss"),
    entropy: perToken("entropy"),
    "clip_ratio/low_mean": perToken("clip_low"),
    "clip_ratio/high_mean": perToken("clip_high"),
    "clip_ratio/region_mean": perToken("clip_low") + perToken("clip_high"),
    "sampling/sampling_logp_difference/mean": perToken("logp_difference"),
    "sampling/sampling_logp_difference/max": sums.maximum("logp_difference"),
    "sampling/importance_sampling_ratio/mean": perToken("sampling_ratio"),
    ...sums.withPrefix("timing_s/"),
  };
  if (options.referenceKl.weight !== 0) metrics.kl = perToken("kl");
  return usesViews(options) ? { ...metrics, ...viewMetrics(sums, perToken("anchor_kl")) } : metrics;
}

/** Means over the tokens of the views; entropies and drops over all views together. */
function viewMetrics(sums: MetricSums, anchor: number): StepMetrics {
  return {
    "omni/objective": sums.sum("perception"),
    "omni/view_tokens": sums.sum("view_tokens"),
    "omni/kl_video": sums.ratio("kl_video", "view_tokens_video"),
    "omni/kl_audio": sums.ratio("kl_audio", "view_tokens_audio"),
    "omni/kl_both": sums.ratio("kl_both", "view_tokens_both"),
    "omni/kl_max": sums.maximum("kl_view"),
    "omni/frac_capped": sums.ratio("num_capped", "view_tokens"),
    "omni/entropy_full": sums.ratio("entropy_full", "view_tokens"),
    "omni/entropy_masked": sums.ratio("entropy_masked", "view_tokens"),
    "omni/logp_drop": sums.ratio("logp_drop", "view_tokens"),
    "omni/argmax_flip_rate": sums.ratio("argmax_flips", "view_tokens"),
    "omni/anchor_kl": anchor,
  };
}
