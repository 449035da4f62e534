// The gradient of one step's loss (Eq. 11): micro-batches of prompts, each with its full branch, its masked branches and
// one backward per trunk. Denominators are the whole step's, so the micro-batch split does not change the result.
import { OppoError } from "../error.ts";
import type { OmniModel } from "../models/omni-model.ts";
import { scope } from "../tensor/index.ts";
import { backwardThroughTrunk } from "./chunks.ts";
import { type FullBranch, runFullBranch, type StepContext, type TokenWatch } from "./full-branch.ts";
import { runMaskedBranch } from "./masked-branch.ts";
import { Metrics } from "./metrics.ts";
import { type PlannedGroup, planStep, type TrainGroup } from "./plan.ts";
import { alikeOptions, objectiveWeights, type StepOptions } from "./step-options.ts";
import type { ScoredRollout } from "./types.ts";
import { viewNames } from "./views.ts";

export interface StepModels {
  readonly policy: OmniModel;
  /** Frozen. null when no term needs it. */
  readonly reference: OmniModel | null;
  /** Seconds, for the timing_s/ metrics; without it there are none. Only recipes read the clock. */
  readonly clock?: () => number;
  /** Told of every token that a masked input, or the reference, is compared on; changes no number. */
  readonly onDivergence?: TokenWatch;
}

/**
 * Adds the gradient of the step's loss to the parameters' `.grad`, without an update.
 *
 * @param whole the rollouts of the step, of which `groups` are one process' part; left out, they are all. Gradients of all
 *   processes add up to that of the step, and so do their metrics.
 * @throws OppoError ERR_MISSING_VIEW, ERR_MISSING_REFERENCE, ERR_REFERENCE_VOCABULARY, ERR_MISSING_LOGPROBS, ERR_EMPTY_STEP
 */
export function accumulateGradients(
  { policy, reference, clock, onDivergence }: StepModels,
  groups: readonly TrainGroup[],
  options: StepOptions,
  whole?: readonly ScoredRollout[],
): Metrics {
  const plan = planStep(groups, { ...options, reduction: options.perception.reduction }, whole);
  requireReference(reference, options);
  requireOneVocabulary(policy, reference);
  if (plan.counts.numTokens === 0) {
    throw new OppoError(
      "ERR_EMPTY_STEP",
      `trainStep: expected at least one completion token to score, got none in ${groups.length} groups. ` +
        "Check the sampler, or keep truncated completions.",
    );
  }
  const metrics = new Metrics();
  const timed = <T>(name: string, body: () => T): T => {
    if (clock === undefined) return body();
    const start = clock();
    const result = body();
    metrics.sum(`timing_s/${name}`, clock() - start);
    return result;
  };
  const hasViews =
    usesViews(options) && plan.groups.some(({ rollouts }) => rollouts.some(({ views }) => views.length > 0));
  const numTokens = plan.groups.flatMap(({ rollouts }) => rollouts).reduce((sum, { ids }) => sum + ids.length, 0);
  if (weighsViews(options)) declareViewMetrics(metrics, numTokens);
  const lends = hasViews && options.sharesPrefixes;
  const context: StepContext = { policy, reference, options, lends, counts: plan.counts, metrics, timed, onDivergence };
  const size = options.promptsPerMicroBatch ?? plan.groups.length;
  for (let start = 0; start < plan.groups.length; start += size) {
    const batch = plan.groups.slice(start, start + size);
    scope(() => {
      const full = runFullBranch(context, batch);
      if (hasViews) {
        const passes = options.viewPasses === "one" ? [viewNames] : viewNames.map((name) => [name]);
        for (const names of passes) scope(() => runMaskedBranch(context, batch, names, full));
        runAlike(context, batch, full);
      }
      timed("bwd", () => backwardThroughTrunk(full.cut));
    });
  }
  return metrics;
}

/** What is said of a blank is learnt for every other way in which the modality is gone: a pass for each. */
function runAlike(context: StepContext, batch: readonly PlannedGroup[], full: FullBranch): void {
  const { options } = context;
  const most = Math.max(0, ...batch.map(({ group }) => group.alike?.length ?? 0));
  if (options.alikeWeight === 0 || most === 0) return;
  const alike = { ...context, options: alikeOptions(options, most) };
  for (let i = 0; i < most; i++) {
    const own = batch.filter(({ group }) => group.alike?.[i] !== undefined);
    scope(() => runMaskedBranch(alike, own, ["alike"], full, (group) => group.alike?.[i]));
  }
}

/** Views cost a forward each; with all their weights at 0 they would change nothing. */
function usesViews(options: StepOptions): boolean {
  return options.alikeWeight !== 0 || weighsViews(options);
}

/** Whether views say how far the masked branch is; what is answered alike has a number of its own. */
function weighsViews(options: StepOptions): boolean {
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

/** Their distributions are compared number by number. */
function requireOneVocabulary(policy: OmniModel, reference: OmniModel | null): void {
  if (reference === null || reference.vocabSize === policy.vocabSize) return;
  throw new OppoError(
    "ERR_REFERENCE_VOCABULARY",
    `trainStep: expected a reference with the policy's vocabulary of ${policy.vocabSize}, got one of ${reference.vocabSize}. ` +
      "Take a frozen copy of the starting policy.",
  );
}

/** A step without evidence reads 0 everywhere; the anchor's KL is averaged over all completion tokens. */
function declareViewMetrics(metrics: Metrics, numTokens: number): void {
  for (const name of ["objective", "view_tokens"]) metrics.sum(`omni/${name}`, 0);
  const means = ["kl_video", "kl_audio", "kl_both", "frac_capped", "entropy_full", "entropy_masked", "logp_drop"];
  for (const name of [...means, "argmax_flip_rate"]) metrics.mean(`omni/${name}`, 0, 0);
  metrics.max("omni/kl_max", 0);
  metrics.mean("omni/anchor_kl", 0, numTokens);
}
