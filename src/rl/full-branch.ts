// The full input's half of a step: trunk once over the shared prefixes, reference without grad, then J_GRPO chunk by
// chunk. Leaves the hidden rows cut from the graph, for the masked branches to add their gradients to.
// N rollouts, C longest completion, R scored tokens, n tokens of a chunk, D width, V vocabulary
import type { OmniModel, Trunk } from "../models/omni-model.ts";
import { noGrad, op, type Tensor, tensor } from "../tensor/index.ts";
import { rowsPerChunk } from "./chunk-size.ts";
import { type CutRows, cutRows, cutTrunk, floatsLike, forEachChunk, indicesLike, logDistribution } from "./chunks.ts";
import type { Metrics } from "./metrics.ts";
import { sequenceFactors, tokenFactors } from "./objectives/correction.ts";
import { clippedSurrogate, fullKl, importanceRatio, sampledKl, sequenceRatio, spreadRatio } from "./objectives/grpo.ts";
import { oppoLoss } from "./objectives/oppo.ts";
import { entropy, pick, weightedSum } from "./objectives/perception.ts";
import type { PlannedGroup, PlannedRollout, StepCounts } from "./plan.ts";
import { objectiveWeights, type StepOptions } from "./step-options.ts";
import type { ViewName } from "./types.ts";

/** What both branches of one step share. */
export interface StepContext {
  readonly policy: OmniModel;
  /** null when neither the reference KL nor the anchor is on. */
  readonly reference: OmniModel | null;
  readonly options: StepOptions;
  /** Whether masked inputs may begin with keys and values of the full ones. */
  readonly lends: boolean;
  readonly counts: StepCounts;
  readonly metrics: Metrics;
  /** Runs the body and adds its time under timing_s/NAME. */
  readonly timed: <T>(name: string, body: () => T) => T;
  /** Told of every token that a masked input, or the reference, is compared on. */
  readonly onDivergence?: TokenWatch | undefined;
}

/** What the full input's distribution is compared with: a masked input's, or the reference's. */
export type ComparedWith = ViewName | "reference";

/**
 * @param ids the completion's own array @param position of the token in it @param nats the divergence there, before any cap; of the
 *   reference what the estimator gives
 */
export type TokenWatch = (ids: Int32Array, view: ComparedWith, position: number, nats: number) => void;

export interface FullBranch {
  /** Per prompt of the pass its number, for masked inputs that begin like it. */
  readonly promptOf: ReadonlyMap<PlannedGroup, number>;
  /** The reference's; null where it was not asked. Nothing learns in it. */
  readonly referenceTrunk: Trunk | null;
  /** [R, D], rollouts one after the other, token t of a rollout at its first row + t. */
  readonly cut: CutRows;
  readonly firstRow: ReadonlyMap<PlannedRollout, number>;
  /** Per row, the entropy in nats of what could have been said: the reference's, or the policy's where there is none. */
  readonly choiceEntropy: Float32Array;
}

interface ScoredTokens {
  /** Per token the completion that it stands in, and its place there. */
  readonly owners: readonly Int32Array[];
  readonly positions: readonly number[];
  /** int64 [R] */
  readonly ids: Tensor;
  /** [R] each */
  readonly advantages: Tensor;
  readonly weights: Tensor;
  readonly samplerLogprobs: Float32Array;
  readonly oldLogprobs: Float32Array;
  /** Per token its sequence's ratio; null: every token has its own. */
  readonly sequenceRatios: Float64Array | null;
  /** Of the correction of whole rollouts, one per token; null: of every token by itself, or none. */
  readonly factors: Float32Array | null;
}

export function runFullBranch(context: StepContext, groups: readonly PlannedGroup[]): FullBranch {
  const { policy, reference, options, lends, timed } = context;
  const rollouts = groups.flatMap((group) => group.rollouts);
  const completions = groups.map((group) => group.rollouts.map((rollout) => rollout.ids));
  const layout = packRollouts(rollouts);

  const cut = timed("fwd_full", () => {
    const prompts = groups.map(({ group }) => group.prompt.policy);
    const { recomputes } = options;
    return cutTrunk(policy.trunk(prompts, completions, { recomputes, lends }), layout.flatRows); // [R, D]
  });
  const usesReference = reference !== null && options.referenceKl.weight !== 0;
  const referenceTrunk = timed("ref_logp", () => {
    if (!usesReference) return null;
    const prompts = groups.map(({ group }) => group.prompt.reference ?? group.prompt.policy);
    return noGrad(() => reference.trunk(prompts, completions, { lends }));
  });
  const referenceRows = referenceTrunk && noGrad(() => cutRows(referenceTrunk.hidden, layout.flatRows, false).rows); // [R, D]

  const sequenceRatios = timed("old_logp", () => ratiosOfSequences(context, rollouts, cut.leaf));
  const factors = timed("old_logp", () => rolloutFactors(context, rollouts, cut.leaf));
  const tokens = { ...scoredTokens(rollouts, cut.leaf), sequenceRatios, factors };
  const choiceEntropy = new Float32Array(layout.flatRows.length);
  timed("policy_loss", () => {
    forEachChunk(layout.flatRows.length, rowsPerChunk(options.tokensPerChunk, policy), (start, count) => {
      choiceEntropy.set(policyChunk(context, cut.leaf, referenceRows, tokens, start, count), start);
    });
  });
  const promptOf = new Map(groups.map((group, i) => [group, i]));
  return { cut, firstRow: layout.firstRow, choiceEntropy, promptOf, referenceTrunk };
}

/** Where every completion token's row lies in hidden [N, C, D] seen as [N * C, D], and in the packed rows. */
function packRollouts(rollouts: readonly PlannedRollout[]): {
  flatRows: Int32Array;
  firstRow: Map<PlannedRollout, number>;
} {
  const longest = Math.max(...rollouts.map(({ ids }) => ids.length));
  const flatRows: number[] = [];
  const firstRow = new Map<PlannedRollout, number>();
  for (const [n, rollout] of rollouts.entries()) {
    firstRow.set(rollout, flatRows.length);
    for (let t = 0; t < rollout.ids.length; t++) flatRows.push(n * longest + t);
  }
  return { flatRows: Int32Array.from(flatRows), firstRow };
}

function scoredTokens(
  rollouts: readonly PlannedRollout[],
  like: Tensor,
): Omit<ScoredTokens, "sequenceRatios" | "factors"> {
  const numTokens = rollouts.reduce((sum, { ids }) => sum + ids.length, 0);
  const ids = new Int32Array(numTokens);
  const advantages = new Float32Array(numTokens);
  const weights = new Float32Array(numTokens);
  const samplerLogprobs = new Float32Array(numTokens);
  const oldLogprobs = new Float32Array(numTokens);
  let at = 0;
  for (const rollout of rollouts) {
    const end = at + rollout.ids.length;
    ids.set(rollout.ids, at);
    samplerLogprobs.set(rollout.samplerLogprobs, at);
    oldLogprobs.set(rollout.oldLogprobs, at);
    advantages.set(rollout.advantages, at);
    weights.fill(rollout.weight, at, end);
    at = end;
  }
  return {
    owners: rollouts.flatMap((rollout) => Array.from(rollout.ids, () => rollout.ids)),
    positions: rollouts.flatMap((rollout) => Array.from(rollout.ids, (_, t) => t)),
    ids: indicesLike(like, ids),
    advantages: floatsLike(like, advantages),
    weights: floatsLike(like, weights),
    samplerLogprobs,
    oldLogprobs,
  };
}

/** GSPO's ratios, which need a sequence's tokens all at once: their logits are made once more, without a graph. */
function ratiosOfSequences(
  { policy, options }: StepContext,
  rollouts: readonly PlannedRollout[],
  leaf: Tensor,
): Float64Array | null {
  if (options.ratioLevel === "token" || options.oldLogprobs === "current") return null;
  const ids = rollouts.flatMap((rollout) => [...rollout.ids]);
  const logprobs = rowLogprobs(policy, leaf, Int32Array.from(ids), options);
  const ratios = new Float64Array(ids.length);
  let at = 0;
  for (const rollout of rollouts) {
    const end = at + rollout.ids.length;
    ratios.fill(sequenceRatio(logprobs.slice(at, end), rollout.oldLogprobs), at, end);
    at = end;
  }
  return ratios;
}

/** log pi of the id of every row [R, D], without a graph. */
export function rowLogprobs(
  policy: OmniModel,
  rows: Tensor,
  ids: Int32Array,
  { temperature, tokensPerChunk }: Pick<StepOptions, "temperature" | "tokensPerChunk">,
): number[] {
  const logprobs: number[] = [];
  noGrad(() =>
    forEachChunk(ids.length, rowsPerChunk(tokensPerChunk, policy), (start, count) => {
      const logp = logDistribution(policy.logits(rows.narrow(0, start, count)), temperature);
      logprobs.push(...pick(logp, indicesLike(rows, ids.subarray(start, start + count))).toNumbers());
    }),
  );
  return logprobs;
}

/** A whole rollout's factor needs all of its tokens before the first one is differentiated. */
function rolloutFactors(
  { policy, options }: StepContext,
  rollouts: readonly PlannedRollout[],
  leaf: Tensor,
): Float32Array | null {
  const { form, cap } = options.correction;
  if (form !== "sequence") return null;
  const join = (of: (rollout: PlannedRollout) => ArrayLike<number>) =>
    Float32Array.from(rollouts.flatMap((rollout) => Array.from(of(rollout))));
  const ids = Int32Array.from(rollouts.flatMap((rollout) => Array.from(rollout.ids)));
  const old =
    options.oldLogprobs === "current"
      ? Float32Array.from(rowLogprobs(policy, leaf, ids, options))
      : join((rollout) => rollout.oldLogprobs);
  const lengths = rollouts.map((rollout) => rollout.ids.length);
  const engine = join((rollout) => rollout.samplerLogprobs);
  return sequenceFactors(lengths, old, engine, cap);
}

/** J_GRPO of n tokens and its gradient into the leaf and the head. @returns their choice entropies. */
function policyChunk(
  { policy, reference, options, metrics, onDivergence }: StepContext,
  leaf: Tensor,
  referenceRows: Tensor | null,
  tokens: ScoredTokens,
  start: number,
  count: number,
): Float32Array {
  const ids = tokens.ids.narrow(0, start, count);
  const advantages = tokens.advantages.narrow(0, start, count);
  const weights = tokens.weights.narrow(0, start, count);
  const sampler = tokens.samplerLogprobs.subarray(start, start + count);

  const logp = logDistribution(policy.logits(leaf.narrow(0, start, count)), options.temperature); // [n, V]
  const logprobs = pick(logp, ids); // [n]
  const ratio = ratioOf(logprobs, tokens, start, options); // [n]
  const plain = clippedSurrogate(ratio, advantages, options.clip);
  const factors = factorsOf(logprobs, tokens, start, options);
  const surrogate = factors === null ? plain : plain.mul(floatsLike(leaf, factors));
  let objective = surrogate;
  let chooser = logp;
  if (referenceRows !== null && reference !== null) {
    const { estimator, weight } = options.referenceKl;
    const referenceLogp = noGrad(() =>
      logDistribution(reference.logits(referenceRows.narrow(0, start, count)), options.temperature),
    );
    const kl =
      estimator === "full-vocab"
        ? fullKl(logp, referenceLogp)
        : sampledKl(estimator, logprobs, pick(referenceLogp, ids));
    objective = surrogate.sub(kl.mul(weight)); // the bracket of J_GRPO in Eq. 11
    chooser = referenceLogp;
    metrics.mean("kl", kl.sum().item(), count);
    if (onDivergence !== undefined) tellReference(onDivergence, kl.toFloat32Array(), tokens, start);
  }
  if (options.entropyWeight !== 0) objective = objective.add(entropy(logp).mul(options.entropyWeight));
  const loss = oppoLoss({ policy: weightedSum(objective, weights) }, objectiveWeights(options));
  loss.backward();

  metrics.sum("loss", loss.item());
  noGrad(() => {
    metrics.sum("policy_loss", -weightedSum(surrogate, weights).item());
    metrics.mean("entropy", op.sum(entropy(logp)).item(), count);
  });
  recordRatios(metrics, options, ratio.toFloat32Array(), advantages.toFloat32Array());
  recordSampling(metrics, logprobs.toFloat32Array(), sampler);
  if (factors !== null) recordCorrection(metrics, factors, options.correction.cap);
  return noGrad(() => entropy(chooser).toFloat32Array());
}

function tellReference(
  tell: TokenWatch,
  nats: Float32Array,
  { owners, positions }: Pick<ScoredTokens, "owners" | "positions">,
  start: number,
): void {
  for (const [i, value] of nats.entries()) tell(owners[start + i]!, "reference", positions[start + i]!, value);
}

/** pi / pi_old of n tokens, or of their sequences. */
function ratioOf(logprobs: Tensor, tokens: ScoredTokens, start: number, { oldLogprobs }: StepOptions): Tensor {
  if (oldLogprobs === "current") return importanceRatio(logprobs, logprobs.detach());
  const end = start + logprobs.numel;
  const { sequenceRatios } = tokens;
  if (sequenceRatios === null)
    return importanceRatio(logprobs, floatsLike(logprobs, tokens.oldLogprobs.subarray(start, end)));
  const { device, dtype } = logprobs;
  return spreadRatio(tensor(sequenceRatios.slice(start, end), [logprobs.numel]).to({ device, dtype }), logprobs);
}

/** What the policy's term of n tokens is weighed by; null: nothing. */
function factorsOf(
  logprobs: Tensor,
  { factors, oldLogprobs, samplerLogprobs }: ScoredTokens,
  start: number,
  { correction, oldLogprobs: kind }: StepOptions,
): Float32Array | null {
  if (correction.form === "none") return null;
  const end = start + logprobs.numel;
  if (factors !== null) return factors.subarray(start, end);
  const old = kind === "current" ? logprobs.toFloat32Array() : oldLogprobs.subarray(start, end);
  return tokenFactors(old, samplerLogprobs.subarray(start, end), correction.cap);
}

function recordCorrection(metrics: Metrics, factors: Float32Array, cap: number): void {
  const capped = factors.reduce((sum, factor) => sum + (factor >= cap ? 1 : 0), 0);
  metrics.mean(
    "sampling/correction/mean",
    factors.reduce((sum, factor) => sum + factor, 0),
    factors.length,
  );
  metrics.min("sampling/correction/min", Math.min(...factors));
  metrics.max("sampling/correction/max", Math.max(...factors));
  metrics.mean("sampling/correction/capped", capped, factors.length);
}

/** Tokens whose ratio the clip holds back: low with a negative advantage, high with a positive one. */
function recordRatios(metrics: Metrics, { clip }: StepOptions, ratios: Float32Array, advantages: Float32Array): void {
  let numLow = 0;
  let numHigh = 0;
  for (let i = 0; i < ratios.length; i++) {
    if (ratios[i]! < 1 - clip.clipLow && advantages[i]! < 0) numLow++;
    if (ratios[i]! > 1 + clip.clipHigh && advantages[i]! > 0) numHigh++;
  }
  metrics.mean("clip_ratio/low_mean", numLow, ratios.length);
  metrics.mean("clip_ratio/high_mean", numHigh, ratios.length);
  metrics.mean("clip_ratio/region_mean", numLow + numHigh, ratios.length);
}

function recordSampling(metrics: Metrics, logprobs: Float32Array, sampler: Float32Array): void {
  let total = 0;
  let largest = 0;
  let ratios = 0;
  for (let i = 0; i < logprobs.length; i++) {
    const difference = Math.abs(logprobs[i]! - sampler[i]!);
    total += difference;
    // a NaN must not pass for a small difference
    if (!(difference <= largest)) largest = difference;
    ratios += Math.exp(logprobs[i]! - sampler[i]!);
  }
  metrics.mean("sampling/sampling_logp_difference/mean", total, logprobs.length);
  metrics.max("sampling/sampling_logp_difference/max", largest);
  metrics.mean("sampling/importance_sampling_ratio/mean", ratios, logprobs.length);
}
