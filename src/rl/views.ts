// A perception loss is a choice of views: which masked input, compared on which tokens. OPPO compares on the evidence
// tokens of the masked modality (Eq. 7 to 10), PAPO on all tokens with both modalities masked at once, PAPO-dual on all
// tokens with one modality masked at a time.
import type { Modality, ModalityMask } from "../media/clip.ts";
import { deriveSeed, deriveUniform } from "../seeds.ts";
import { type MaskedView, maskedModalities, type ScoredRollout, type ViewName, type ViewSelector } from "./types.ts";

function allTokens(rollout: ScoredRollout): Int32Array {
  return Int32Array.from({ length: rollout.rollout.ids.length }, (_, position) => position);
}

function nonEmpty(...views: readonly MaskedView[]): MaskedView[] {
  return views.filter((view) => view.tokens.length > 0);
}

export const viewSelectors = {
  /** GRPO alone. */
  none: () => [],
  /** Two unimodal views on the evidence tokens of that modality. */
  oppo: ({ evidence }) =>
    nonEmpty({ name: "video", tokens: evidence.video }, { name: "audio", tokens: evidence.audio }),
  /** One joint view on every token. */
  papo: (rollout) => nonEmpty({ name: "both", tokens: allTokens(rollout) }),
  /** Two unimodal views on every token. */
  papoDual: (rollout) =>
    nonEmpty({ name: "video", tokens: allTokens(rollout) }, { name: "audio", tokens: allTokens(rollout) }),
} satisfies Record<string, ViewSelector>;

/**
 * rho. The paper masks a fixed share (0.7). "mixed" is ours: half of the draws mask everything, half a share from
 * U(0.5, 0.95); a fixed 0.7 leaves the behaviour under a full mask nearly untouched.
 */
export type MaskRatio = number | "mixed";

const mixedLow = 0.5;
const mixedHigh = 0.95;

/** What a mask is drawn for: one mask per prompt, view and step, shared by the prompt's G rollouts. */
export interface MaskKey {
  readonly seed: number;
  readonly step: number;
  readonly sampleId: string;
}

/** The share rho of one draw. Both modalities of a joint view get the same. */
export function drawRatio(ratio: MaskRatio, key: MaskKey, view: ViewName): number {
  if (ratio !== "mixed") return ratio;
  const draw = (what: string) => deriveUniform(key.seed, what, key.step, key.sampleId, view);
  if (draw("mask-full") < 0.5) return 1;
  return mixedLow + (mixedHigh - mixedLow) * draw("mask-ratio");
}

/** The masks that make a prompt's clip the counterfactual clip of a view. */
export function drawMasks(ratio: MaskRatio, key: MaskKey, view: ViewName): ModalityMask[] {
  return maskedModalities[view].map((modality: Modality) => ({
    modality,
    ratio: drawRatio(ratio, key, view),
    seed: deriveSeed(key.seed, "mask", key.step, key.sampleId, modality),
  }));
}

export const viewNames = ["video", "audio", "both"] as const satisfies readonly ViewName[];

/** The views that at least one of the rollouts asks for: those whose masked input the caller has to prepare. */
export function neededViews(rollouts: readonly ScoredRollout[], selector: ViewSelector): ViewName[] {
  const names = new Set(rollouts.flatMap((rollout) => selector(rollout).map((view) => view.name)));
  return viewNames.filter((name) => names.has(name));
}
