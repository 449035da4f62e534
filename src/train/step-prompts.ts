// What the prompts of a step are asked about: the clip as it is, or, for a drawn share of them, a clip of the mask family, whose
// completions are scored by what can still be read of it; and the masked inputs that the others' completions are compared on.
import type { Sample } from "../data/sample.ts";
import type { Readability } from "../evidence/route.ts";
import type { ModalityMask } from "../media/clip.ts";
import { drawMasks, goneKinds, type MaskDraws, type MaskKey, takesAll } from "../rl/mask-draws.ts";
import type { PromptPair, TrainGroup } from "../rl/plan.ts";
import type { RolloutPrompt } from "../rl/rollout.ts";
import type { MaskedView, ScoredGroup, ScoredRollout, ViewName, ViewSelector } from "../rl/types.ts";
import { alikeView, type MaskedViewName, neededViews } from "../rl/views.ts";
import { deriveUniform } from "../seeds.ts";
import type { MaskedInput, MaskedInputs } from "./masked-inputs.ts";

export interface StepDraws extends MaskDraws {
  /** Share of a step's prompts that are about a clip of the family. */
  readonly rolloutShare: number;
  /** Above 0: where the clip's modality is gone, completions are about a blank, and the clip is to be answered alike. */
  readonly alikeWeight: number;
  /** Kinds that are answered alike, of those that the family has. */
  readonly alikeKinds: number;
}

/** A prompt of the step. `sample` has the cues of what is shown. */
export interface ShownPrompt extends RolloutPrompt {
  readonly pair: PromptPair;
  /** Of a degraded clip; null: it is shown as it is. */
  readonly readable: Readability | null;
  /** Other clips that are to be answered alike. */
  readonly alike: readonly PromptPair[];
}

/** @param whole the prompts about the clips as they are */
export function showPrompts(
  whole: readonly { readonly sample: Sample; readonly pair: PromptPair }[],
  draws: StepDraws,
  key: Omit<MaskKey, "sampleId">,
  inputs: MaskedInputs,
): ShownPrompt[] {
  const rank = ({ id }: Sample) => deriveUniform(key.seed, "rollout-mask", key.step, id);
  const ranked = whole.map(({ sample }, i) => ({ i, rank: rank(sample) })).sort((a, b) => a.rank - b.rank || a.i - b.i);
  const degraded = new Set(ranked.slice(0, Math.round(draws.rolloutShare * whole.length)).map(({ i }) => i));
  return whole.map((prompt, i) => showPrompt(prompt, degraded.has(i), draws, key, inputs));
}

/** One of them. @param isDegraded whether it is about a clip of the family */
export function showPrompt(
  { sample, pair }: { readonly sample: Sample; readonly pair: PromptPair },
  isDegraded: boolean,
  draws: StepDraws,
  key: Omit<MaskKey, "sampleId">,
  inputs: MaskedInputs,
): ShownPrompt {
  if (!isDegraded) return { sample, pair, prompt: pair.policy, readable: null, alike: [] };
  const own = { ...key, sampleId: sample.id };
  const view = deriveUniform(key.seed, "rollout-modality", key.step, sample.id) < 0.5 ? "video" : "audio";
  const masks = drawMasks(draws, own, view);
  const isGone = draws.alikeWeight > 0 && masks.every(takesAll);
  const blank = masks.map(({ modality, seed }): ModalityMask => ({ modality, ratio: 1, seed }));
  const input = inputs.make(sample, isGone ? blank : masks, own);
  const alike = isGone
    ? goneInOtherWays(draws, blank[0]!, own).map((mask) => inputs.make(sample, [mask], own).pair)
    : [];
  return { ...shownCues(sample, input), pair: input.pair, prompt: input.pair.policy, alike };
}

/** Some kinds of the family, each once, that leave nothing of the blank's modality. */
function goneInOtherWays({ maskFamily, alikeKinds }: StepDraws, blank: ModalityMask, key: MaskKey): ModalityMask[] {
  const masks = goneKinds(maskFamily, blank.modality).map((kind): ModalityMask => ({ ...blank, kind }));
  const rank = ({ kind }: ModalityMask) =>
    deriveUniform(key.seed, "alike", key.step, key.sampleId, blank.modality, kind!);
  return masks
    .map((mask) => ({ mask, rank: rank(mask) }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, alikeKinds)
    .map(({ mask }) => mask);
}

/**
 * The cues that a degraded clip has. A partner's modality brings the partner's; what the mixed clip makes one feel nobody has
 * annotated, so it has no emotion cue and no label, and every answer is worth the same.
 */
function shownCues(sample: Sample, { partners, readable }: MaskedInput): Pick<ShownPrompt, "sample" | "readable"> {
  if (partners.video === undefined && partners.audio === undefined) return { sample, readable };
  const own = sample.cues.flatMap((cue, c) =>
    cue.kind === "emotion" || partners[cue.kind] !== undefined ? [] : [{ cue, share: readable[c]! }],
  );
  const theirs = (["video", "audio"] as const).flatMap((modality) =>
    (partners[modality]?.cues ?? []).filter(({ kind }) => kind === modality).map((cue) => ({ cue, share: 1 })),
  );
  const all = [...own, ...theirs];
  return {
    sample: { ...sample, labels: [], cues: all.map(({ cue }) => cue) },
    readable: Float32Array.from(all, ({ share }) => share),
  };
}

/** What the gradient is made of: groups with their masked inputs, and the views with what can be read in each. */
export interface StepGroups {
  readonly groups: readonly TrainGroup[];
  readonly views: ViewSelector;
}

/** Completions about a degraded clip are compared with no masked one. */
export function withoutDegraded(selector: ViewSelector, groups: readonly ScoredGroup[]): ViewSelector {
  const degraded = new Set(groups.flatMap(({ readable, rollouts }) => (readable === undefined ? [] : rollouts)));
  return degraded.size === 0 ? selector : (rollout) => (degraded.has(rollout) ? [] : selector(rollout));
}

/** One mask per prompt, view and step, shared by the prompt's rollouts. @param readsCues whether views say what can be read */
export function trainGroups(
  prompts: readonly { readonly shown: ShownPrompt; readonly inputs: MaskedInputs }[],
  scored: readonly ScoredGroup[],
  draws: MaskDraws,
  key: Omit<MaskKey, "sampleId">,
  { views, readsCues }: { views: ViewSelector; readsCues: boolean },
): StepGroups {
  const readable = new Map<ScoredRollout, Partial<Record<ViewName, Readability>>>();
  const ofBlanks = new Set<ScoredRollout>();
  const groups = prompts.map(({ shown: { sample, pair, alike }, inputs }, g): TrainGroup => {
    const { rollouts } = scored[g]!;
    const masked: Partial<Record<MaskedViewName, PromptPair>> = {};
    if (alike.length > 0) for (const rollout of rollouts) ofBlanks.add(rollout);
    const shares: Partial<Record<ViewName, Readability>> = {};
    for (const view of neededViews(rollouts, views)) {
      const own = { ...key, sampleId: sample.id };
      const input = inputs.make(sample, drawMasks(draws, own, view), own);
      masked[view] = input.pair;
      shares[view] = input.readable;
    }
    for (const rollout of rollouts) readable.set(rollout, shares);
    return { prompt: pair, masked, alike, rollouts };
  });
  if (!readsCues && ofBlanks.size === 0) return { groups, views };
  const withShares = (rollout: ScoredRollout): readonly MaskedView[] => {
    if (ofBlanks.has(rollout)) return alikeView(rollout);
    if (!readsCues) return views(rollout);
    return views(rollout).map((view) => ({
      ...view,
      readable: ofTokens(rollout, view, readable.get(rollout)![view.name]!),
    }));
  };
  return { groups, views: withShares };
}

/** Of every token of a view, what its clause's cue reads; 0 for a token that speaks of none. */
function ofTokens({ clauses, evidence }: ScoredRollout, { tokens }: MaskedView, readable: Readability): Float32Array {
  const shares = new Map<number, number>();
  clauses.forEach((clause, k) => {
    const cue = evidence.clauseCues[k]!;
    if (cue < 0) return;
    for (let t = clause.tokens.start; t < clause.tokens.end; t++) shares.set(t, readable[cue]!);
  });
  return Float32Array.from(tokens, (t) => shares.get(t) ?? 0);
}
