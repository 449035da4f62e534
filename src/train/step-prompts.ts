// What the prompts of a step are asked: the task's question about the clip as it is, or, for a drawn share of them, about a clip of the mask
// family, whose completions are scored by what can still be read of it, or, for another share, whether the clip has one cue; and the
// masked inputs that the completions about clips as they are are compared on.
import type { Sample } from "../data/sample.ts";
import type { Readability } from "../evidence/route.ts";
import type { ModalityMask } from "../media/clip.ts";
import { drawMasks, goneKinds, type MaskDraws, type MaskKey, takesAll } from "../rl/mask-draws.ts";
import type { PromptPair, TrainGroup } from "../rl/plan.ts";
import type { RolloutPrompt } from "../rl/rollout.ts";
import {
  type AskedProbe,
  isUsual,
  type MaskedView,
  type ScoredGroup,
  type ScoredRollout,
  type ViewName,
  type ViewSelector,
} from "../rl/types.ts";
import { alikeView, type MaskedViewName, neededViews } from "../rl/views.ts";
import { deriveUniform } from "../seeds.ts";
import type { MaskedInput, MaskedInputs } from "./masked-inputs.ts";

export interface StepDraws extends MaskDraws {
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
  /** null: the task's question. */
  readonly asked: AskedProbe | null;
  /** Other clips that are to be answered alike. */
  readonly alike: readonly PromptPair[];
}

/** Which prompts of a step are about degraded clips and which are probes, by their places; each is one thing. */
export interface StepRoles {
  readonly degraded: ReadonlySet<number>;
  readonly probes: readonly number[];
}

/** Drawn by what a clip is called, so that neither its place nor the other clips of a process change it. */
export function stepRoles(
  samples: readonly Sample[],
  { rolloutShare, probeShare }: { readonly rolloutShare: number; readonly probeShare: number },
  key: Omit<MaskKey, "sampleId">,
): StepRoles {
  const rank = ({ id }: Sample) => deriveUniform(key.seed, "rollout-mask", key.step, id);
  const ranked = samples.map((sample, i) => ({ i, rank: rank(sample) })).sort((a, b) => a.rank - b.rank || a.i - b.i);
  const places = ranked.map(({ i }) => i);
  const numDegraded = Math.round(rolloutShare * samples.length);
  const numProbes = Math.round(probeShare * samples.length);
  return {
    degraded: new Set(places.slice(0, numDegraded)),
    probes: places.slice(numDegraded, numDegraded + numProbes),
  };
}

/** What a prompt shows and asks. */
export interface Showing {
  /** Whether it is about a clip of the family. */
  readonly isDegraded: boolean;
  readonly asked: AskedProbe | null;
}

/** @param whole the prompt about the clip as it is; of a probe with its question */
export function showPrompt(
  { sample, pair }: { readonly sample: Sample; readonly pair: PromptPair },
  { isDegraded, asked }: Showing,
  draws: StepDraws,
  key: Omit<MaskKey, "sampleId">,
  inputs: MaskedInputs,
): ShownPrompt {
  if (asked !== null || !isDegraded) {
    // Of a probe nothing is to be recalled, and no emotion to be named.
    const own = asked === null ? sample : { ...sample, labels: [], reasoning: "", cues: [] };
    return { sample: own, pair, prompt: pair.policy, readable: null, asked, alike: [] };
  }
  const own = { ...key, sampleId: sample.id };
  const view = deriveUniform(key.seed, "rollout-modality", key.step, sample.id) < 0.5 ? "video" : "audio";
  const masks = drawMasks(draws, own, view);
  const isGone = draws.alikeWeight > 0 && masks.every(takesAll);
  const blank = masks.map(({ modality, seed }): ModalityMask => ({ modality, ratio: 1, seed }));
  const input = inputs.make(sample, isGone ? blank : masks, own);
  const alike = isGone
    ? goneInOtherWays(draws, blank[0]!, own).map((mask) => inputs.make(sample, [mask], own).pair)
    : [];
  return { ...shownCues(sample, input), pair: input.pair, prompt: input.pair.policy, asked, alike };
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

/** Completions about a degraded clip, and answers to probes, are compared with no masked one. */
export function ofUsualPrompts(selector: ViewSelector, groups: readonly ScoredGroup[]): ViewSelector {
  const others = new Set(groups.flatMap((group) => (isUsual(group) ? [] : group.rollouts)));
  return others.size === 0 ? selector : (rollout) => (others.has(rollout) ? [] : selector(rollout));
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
