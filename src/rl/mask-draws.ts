// Which counterfactual a prompt gets in a step: a kind of the family, a dose, a seed, drawn once per prompt, view and step and
// shared by the prompt's G rollouts. Every draw is keyed by what it is for, so neither micro-batches nor processes change it.
import type { Modality, ModalityMask } from "../media/clip.ts";
import { isReplacement, leavesOwn, swapKind, unitsKind } from "../media/degrade/degrade.ts";
import { deriveSeed, deriveUniform } from "../seeds.ts";
import { maskedModalities } from "./types.ts";
import type { MaskedViewName } from "./views.ts";

/**
 * rho. The paper masks a fixed share (0.7). "mixed" is ours: half of the draws mask everything, half a share from
 * U(0.5, 0.95); a fixed 0.7 leaves the behaviour under a full mask nearly untouched.
 */
export type MaskRatio = number | "mixed";

const mixedDoses = { low: 0.5, high: 0.95, full: 0.5 };

/** Kinds by modality, each drawn as often: those of `media/degrade`, units (a share of the tokens blank) and swap. */
export type MaskFamily = Readonly<Record<Modality, readonly string[]>>;

/** Doses from U(low, high), and with probability `full` a dose of 1. */
export interface MaskDoses {
  readonly low: number;
  readonly high: number;
  readonly full: number;
}

export interface MaskDraws {
  readonly maskRatio: MaskRatio;
  readonly maskFamily: MaskFamily;
  /** null: as maskRatio says. */
  readonly maskDoses: MaskDoses | null;
}

/** What a mask is drawn for: one mask per prompt, view and step, shared by the prompt's G rollouts. */
export interface MaskKey {
  readonly seed: number;
  readonly step: number;
  readonly sampleId: string;
}

/** Whether nothing of the modality is left, and no other clip's in its place. */
export function takesAll({ ratio, kind = unitsKind }: Pick<ModalityMask, "ratio" | "kind">): boolean {
  return ratio === 1 && !leavesOwn(kind) && !isReplacement(kind);
}

/** Kinds beside a blank that leave nothing of a modality at full dose. */
export function goneKinds(maskFamily: MaskFamily, modality: Modality): string[] {
  return maskFamily[modality].filter((kind) => kind !== unitsKind && takesAll({ kind, ratio: 1 }));
}

/** How often a dose is the whole. */
export function wholeDoseShare({ maskRatio, maskDoses }: Omit<MaskDraws, "maskFamily">): number {
  if (maskDoses === null && maskRatio !== "mixed") return maskRatio === 1 ? 1 : 0;
  return (maskDoses ?? mixedDoses).full;
}

/** The share or dose of one draw. Both modalities of a joint view get the same. */
export function drawDose(
  { maskRatio, maskDoses }: Omit<MaskDraws, "maskFamily">,
  key: MaskKey,
  view: MaskedViewName,
): number {
  if (maskDoses === null && maskRatio !== "mixed") return maskRatio;
  const { low, high, full } = maskDoses ?? mixedDoses;
  const draw = (what: string) => deriveUniform(key.seed, what, key.step, key.sampleId, view);
  if (draw("mask-full") < full) return 1;
  return low + (high - low) * draw("mask-ratio");
}

/** The masks that make a prompt's clip the counterfactual clip of a view. A swap has no dose: it is whole. */
export function drawMasks(draws: MaskDraws, key: MaskKey, view: MaskedViewName): ModalityMask[] {
  return maskedModalities[view].map((modality) => {
    const kinds = draws.maskFamily[modality];
    const place = kinds.length === 1 ? 0 : deriveUniform(key.seed, "mask-kind", key.step, key.sampleId, view, modality);
    const kind = kinds[Math.floor(place * kinds.length)]!;
    const seed = deriveSeed(key.seed, "mask", key.step, key.sampleId, modality);
    const ratio = kind === swapKind ? 1 : drawDose(draws, key, view);
    return { modality, ratio, seed, ...(kind === unitsKind ? {} : { kind }) };
  });
}
