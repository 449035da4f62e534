// The masked inputs' part of a step: J_omni on the views' tokens (Eq. 7 to 10) and our anchor on the others. Runs only for
// the rollouts that own tokens of a view, and only up to the last of them unless the anchor needs the rest. The trunk's
// backward follows at once, so one full and one pass's masked graph are alive at a time, whatever the number of views.
// N rollouts, C longest completion, n tokens of a chunk, D width, V vocabulary
import { OppoError } from "../error.ts";
import type { ModelPrompt, OmniModel, Trunk } from "../models/omni-model.ts";
import { noGrad, type Tensor } from "../tensor/index.ts";
import { rowsPerChunk } from "./chunk-size.ts";
import {
  backwardThroughTrunk,
  cutRows,
  cutTrunk,
  floatsLike,
  forEachChunk,
  indicesLike,
  logDistribution,
} from "./chunks.ts";
import type { FullBranch, StepContext } from "./full-branch.ts";
import { fullKl } from "./objectives/grpo.ts";
import { type ObjectiveParts, oppoLoss } from "./objectives/oppo.ts";
import { entropy, perceptionDivergence, perceptionObjective, pick, weightedSum } from "./objectives/perception.ts";
import type { PlannedGroup, PlannedRollout, PlannedView, PromptPair, TrainGroup } from "./plan.ts";
import { objectiveWeights, type StepOptions } from "./step-options.ts";
import type { ViewName } from "./types.ts";

interface Member {
  readonly rollout: PlannedRollout;
  readonly view: PlannedView;
  readonly completion: Int32Array;
}

interface MaskedBatch {
  readonly pairs: readonly PromptPair[];
  /** Whose masked inputs they are. */
  readonly groups: readonly PlannedGroup[];
  readonly members: readonly (readonly Member[])[];
}

/** Rows of hidden [N * C] that are scored, and what they are compared with. */
interface MaskedLayout {
  /** Rows of the view's tokens, then rows of the anchor's. */
  readonly flatRows: Int32Array;
  readonly numViewTokens: number;
  /** Per view token: its row in the full branch, its weight; per scored row its sampled id. */
  readonly fullRows: Int32Array;
  readonly weights: Float32Array;
  readonly ids: Int32Array;
  /** Per view token, how well its cue can be read; null: none of any. */
  readonly readable: Float32Array | null;
  /** Per view token: its view, the completion that it stands in, and where. */
  readonly names: readonly ViewName[];
  readonly owners: readonly Int32Array[];
  readonly positions: readonly number[];
  /** Per anchor token: its row in the full branch, its weight. */
  readonly anchorRows: Int32Array;
  readonly anchorWeights: Float32Array;
}

/** The input that a view of a group looks at; undefined: it has none. */
export type InputOf = (group: TrainGroup, name: ViewName) => PromptPair | undefined;

export function runMaskedBranch(
  context: StepContext,
  groups: readonly PlannedGroup[],
  names: readonly ViewName[],
  full: FullBranch,
  inputOf: InputOf = ({ masked }, name) => (name === "alike" ? undefined : masked[name]),
): void {
  const { policy, options, timed } = context;
  const batch = selectMembers(groups, names, inputOf, options.anchorWeight !== 0 && options.anchorUntil === "end");
  if (batch.members.length === 0) return;
  const layout = layOut(batch, full, options);
  const completions = batch.members.map((members) => members.map(({ completion }) => completion));
  const numbers = batch.groups.map((group) => full.promptOf.get(group)!);
  const rowsFrom = (model: OmniModel, prompts: readonly ModelPrompt[], trunk: Trunk | null, requiresGrad: boolean) => {
    const start = trunk && { trunk, prompts: numbers };
    const { recomputes } = options;
    if (requiresGrad) return cutTrunk(model.trunk(prompts, completions, { recomputes, start }), layout.flatRows);
    return noGrad(() => cutRows(model.trunk(prompts, completions, { start }).hidden, layout.flatRows, false));
  };
  const { perception, anchorWeight } = options;
  const learns = perception.gradient !== "full" || anchorWeight !== 0 || perception.maskedEntropyWeight !== 0;
  const cut = timed(`fwd_mask_${names.join("_")}`, () => {
    const prompts = batch.pairs.map((pair) => pair.policy);
    return rowsFrom(policy, prompts, full.cut.trunk ?? null, learns); // [rows, D]
  });
  const chunk = rowsPerChunk(options.tokensPerChunk, policy);
  timed("perception_loss", () => {
    forEachChunk(layout.numViewTokens, chunk, (start, count) => {
      perceptionChunk(context, full.cut.leaf, cut.leaf, layout, start, count);
    });
  });
  if (anchorWeight !== 0) {
    const target = anchorTarget(context, batch, layout, full, (model, prompts) => {
      return rowsFrom(model, prompts, full.referenceTrunk, false).rows;
    });
    timed("perception_loss", () => {
      forEachChunk(layout.anchorRows.length, chunk, (start, count) => {
        anchorChunk(context, cut.leaf, target, layout, start, count);
      });
    });
  }
  timed("bwd", () => backwardThroughTrunk(cut));
}

/** A prompt for every group and view that some of its rollouts own. */
function selectMembers(
  groups: readonly PlannedGroup[],
  names: readonly ViewName[],
  inputOf: InputOf,
  wholeCompletions: boolean,
): MaskedBatch {
  const pairs: PromptPair[] = [];
  const owners: PlannedGroup[] = [];
  const members: Member[][] = [];
  for (const name of names) {
    for (const planned of groups) {
      const { group, rollouts } = planned;
      const own = membersOf(rollouts, name, wholeCompletions);
      if (own.length === 0) continue;
      const pair = inputOf(group, name);
      if (pair === undefined) {
        throw new OppoError(
          "ERR_MISSING_VIEW",
          `trainStep: expected a masked input for view "${name}", got none for a prompt whose rollouts need it. ` +
            "Prepare every view that neededViews names.",
        );
      }
      pairs.push(pair);
      owners.push(planned);
      members.push(own);
    }
  }
  return { pairs, groups: owners, members };
}

function membersOf(rollouts: readonly PlannedRollout[], name: ViewName, wholeCompletions: boolean): Member[] {
  return rollouts.flatMap((rollout): Member[] => {
    const view = rollout.views.find((candidate) => candidate.name === name);
    if (view === undefined) return [];
    const end = wholeCompletions ? rollout.ids.length : view.tokens[view.tokens.length - 1]! + 1;
    return [{ rollout, view, completion: rollout.ids.subarray(0, end) }];
  });
}

function layOut({ members }: MaskedBatch, full: FullBranch, options: StepOptions): MaskedLayout {
  const all = members.flat();
  const longest = Math.max(...all.map(({ completion }) => completion.length));
  const owners: Int32Array[] = [];
  const positions: number[] = [];
  const view = { ...emptyRows(), ids: [] as number[], names: [] as ViewName[], readable: [] as number[] };
  const anchor = emptyRows();
  for (const [n, { rollout, view: planned, completion }] of all.entries()) {
    const firstRow = full.firstRow.get(rollout)!;
    const decided = planned.tokens.filter((t) => full.choiceEntropy[firstRow + t]! >= options.minChoiceEntropy);
    const isInView = new Set(decided);
    const placeOf = planned.readable && new Map(Array.from(planned.tokens, (t, place) => [t, place]));
    const share = options.perception.reduction === "mean" ? planned.tokens.length / decided.length : 1;
    for (let t = 0; t < completion.length; t++) {
      const row = n * longest + t;
      if (isInView.has(t)) {
        view.rows.push(row);
        view.fullRows.push(firstRow + t);
        view.weights.push(planned.weight * share);
        view.ids.push(completion[t]!);
        view.names.push(planned.name);
        view.readable.push(placeOf === null ? 0 : planned.readable![placeOf.get(t)!]!);
        owners.push(rollout.ids);
        positions.push(t);
      } else if (options.anchorWeight !== 0) {
        anchor.rows.push(row);
        anchor.fullRows.push(firstRow + t);
        anchor.weights.push(planned.anchorWeight);
      }
    }
  }
  return {
    flatRows: Int32Array.from([...view.rows, ...anchor.rows]),
    numViewTokens: view.rows.length,
    fullRows: Int32Array.from(view.fullRows),
    weights: Float32Array.from(view.weights),
    ids: Int32Array.from(view.ids),
    names: view.names,
    readable: all.some(({ view: { readable } }) => readable !== null) ? Float32Array.from(view.readable) : null,
    owners,
    positions,
    anchorRows: Int32Array.from(anchor.fullRows),
    anchorWeights: Float32Array.from(anchor.weights),
  };
}

const emptyRows = (): { rows: number[]; fullRows: number[]; weights: number[] } => ({
  rows: [],
  fullRows: [],
  weights: [],
});

/** Log-distributions [n, V] that the anchor's tokens are held to, chunk by chunk. */
type AnchorTarget = (start: number, count: number) => Tensor;

function anchorTarget(
  { policy, reference, options, timed }: StepContext,
  batch: MaskedBatch,
  layout: MaskedLayout,
  full: FullBranch,
  referenceRows: (reference: OmniModel, prompts: readonly ModelPrompt[]) => Tensor,
): AnchorTarget {
  if (options.anchorTo === "full") {
    return (start, count) => {
      const rows = indicesLike(full.cut.leaf, layout.anchorRows.subarray(start, start + count));
      return logDistribution(policy.logits(full.cut.leaf.detach().indexSelect(0, rows)), options.temperature);
    };
  }
  const prompts = batch.pairs.map((pair) => pair.reference ?? pair.policy);
  const rows = timed("ref_logp", () => referenceRows(reference!, prompts));
  return (start, count) =>
    logDistribution(reference!.logits(rows.narrow(0, layout.numViewTokens + start, count)), options.temperature);
}

/** J_omni of n view tokens and its gradients into both leaves and the head. */
function perceptionChunk(
  context: StepContext,
  fullLeaf: Tensor,
  maskedLeaf: Tensor,
  layout: MaskedLayout,
  start: number,
  count: number,
): void {
  const { policy, options, metrics } = context;
  const { perception } = options;
  const ids = indicesLike(fullLeaf, layout.ids.subarray(start, start + count));
  const weights = floatsLike(fullLeaf, layout.weights.subarray(start, start + count));
  const fullRows = indicesLike(fullLeaf, layout.fullRows.subarray(start, start + count));
  const fullLogits = () => logDistribution(policy.logits(fullLeaf.indexSelect(0, fullRows)), options.temperature);
  const fullLearns = perception.gradient !== "masked" || perception.fullEntropyWeight !== 0;
  const fullLogp = fullLearns ? fullLogits() : noGrad(fullLogits); // [n, V]
  const maskedLogits = () => logDistribution(policy.logits(maskedLeaf.narrow(0, start, count)), options.temperature);
  const maskedLearns = maskedLeaf.requiresGrad;
  const maskedLogp = maskedLearns ? maskedLogits() : noGrad(maskedLogits); // [n, V]

  const divergence = perceptionDivergence(fullLogp, maskedLogp, ids, perception); // [n]
  const held = () => perceptionDivergence(fullLogp.detach(), maskedLogp, ids, perception); // [n]
  const share = layout.readable?.subarray(start, start + count) ?? null;
  const readable = share && floatsLike(fullLeaf, share); // [n]
  const parts: ObjectiveParts = {
    perception: weightedSum(perceptionObjective(divergence, held, readable, perception), weights),
    ...(perception.fullEntropyWeight === 0 ? {} : { fullEntropy: weightedSum(entropy(fullLogp), weights) }),
    ...(perception.maskedEntropyWeight === 0 ? {} : { maskedEntropy: weightedSum(entropy(maskedLogp), weights) }),
  };
  const loss = oppoLoss(parts, objectiveWeights(options));
  loss.backward();

  metrics.sum("loss", loss.item());
  const names = layout.names.slice(start, start + count);
  if (names[0] === "alike") {
    for (const value of divergence.toFloat32Array()) metrics.mean("omni/kl_alike", value, 1);
    return;
  }
  noGrad(() => {
    const flips = fullLogp.argmax({ dim: -1 }).ne(maskedLogp.argmax({ dim: -1 }));
    metrics.sum("omni/objective", parts.perception!.item());
    metrics.mean("omni/entropy_full", entropy(fullLogp).sum().item(), count);
    metrics.mean("omni/entropy_masked", entropy(maskedLogp).sum().item(), count);
    metrics.mean("omni/logp_drop", pick(fullLogp, ids).sub(pick(maskedLogp, ids)).sum().item(), count);
    metrics.mean("omni/argmax_flip_rate", flips.sum().item(), count);
  });
  for (const value of share ?? []) metrics.mean("omni/readable", value, 1);

  const values = divergence.toFloat32Array();
  recordDivergence(context, names, values);
  for (const [i, nats] of values.entries()) {
    const at = start + i;
    context.onDivergence?.(layout.owners[at]!, layout.names[at]!, layout.positions[at]!, nats);
  }
}

function recordDivergence({ metrics, options }: StepContext, names: readonly ViewName[], values: Float32Array): void {
  const { cap } = options.perception;
  let numCapped = 0;
  for (const [i, value] of values.entries()) {
    metrics.mean(`omni/kl_${names[i]!}`, value, 1);
    metrics.max("omni/kl_max", value);
    if (cap !== null && value > cap) numCapped++;
  }
  metrics.sum("omni/view_tokens", values.length);
  metrics.mean("omni/frac_capped", numCapped, values.length);
}

/** KL(p^m || anchor) of n tokens outside the view, averaged over all completion tokens of the step. */
function anchorChunk(
  { policy, options, counts, metrics }: StepContext,
  maskedLeaf: Tensor,
  target: AnchorTarget,
  layout: MaskedLayout,
  start: number,
  count: number,
): void {
  const maskedLogp = logDistribution(
    policy.logits(maskedLeaf.narrow(0, layout.numViewTokens + start, count)),
    options.temperature,
  ); // [n, V]
  const divergence = fullKl(
    maskedLogp,
    noGrad(() => target(start, count)),
  ); // [n]
  const kl = weightedSum(divergence, floatsLike(divergence, layout.anchorWeights.subarray(start, start + count)));
  const loss = oppoLoss({ anchor: kl.mul(1 / counts.numTokens) }, objectiveWeights(options));
  loss.backward();
  metrics.sum("loss", loss.item());
  metrics.mean("omni/anchor_kl", kl.item(), 0);
}
