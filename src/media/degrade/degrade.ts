// The family of counterfactuals beside a random share of units: a kind by its name, a dose, a seed.
import { OppoError } from "../../error.ts";
import { createRandom } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import type { MediaClip, Modality, ModalityMask } from "../clip.ts";
import { audioKernels, mixed } from "./audio.ts";
import { crossFaded, mixedVoices, syntheticBabble } from "./partners.ts";
import { videoKernels } from "./video.ts";

/** The kind that masks take where none is named: a random share of cells black, of pieces of sound silent. */
export const unitsKind = "units";

/** A random share of what a processor makes of the modality, element by element: mean colour, the middle of log-mel. */
const featuresKind = "features";
/** Other voices behind the clip's own; of clips where there are some, else synthetic ones. */
const babbleKind = "babble";
/** Another clip's picture in the place of the clip's own. Training calls another clip's sound so, too, and shows its rows. */
export const swapKind = "swap";
/** Another clip's picture, and another clip's sound: they need a partner. */
const replacements: Readonly<Record<Modality, string>> = { video: swapKind, audio: "voice" };

/** Every kind by its modality, the units first. The list that settings offer. */
export const maskKinds: Readonly<Record<Modality, readonly string[]>> = {
  video: [unitsKind, ...Object.keys(videoKernels), replacements.video],
  audio: [unitsKind, ...Object.keys(audioKernels), featuresKind, babbleKind, replacements.audio],
};

/** Whether the kind shows another clip in the place of the clip's own, so that what is true is true of the other. */
export function isReplacement(kind: string | undefined): boolean {
  return kind === replacements.video || kind === replacements.audio;
}

/** The kinds that need nothing but the clip itself. */
export const ownKinds: Readonly<Record<Modality, readonly string[]>> = {
  video: maskKinds.video.filter((kind) => !isReplacement(kind)),
  audio: maskKinds.audio.filter((kind) => !isReplacement(kind)),
};

/** How many partners a kind asks for where it can get them. */
export function numPartners(kind: string): number {
  const voices = 4;
  if (kind === babbleKind) return voices;
  return isReplacement(kind) ? 1 : 0;
}

/** Whether something of the clip's own can be seen at full dose: a frozen picture shows one moment. */
export function leavesOwn(kind: string): boolean {
  return kind === "freeze";
}

export function isOfUnits({ kind }: ModalityMask): boolean {
  return kind === undefined || kind === unitsKind;
}

/**
 * The clip with one modality degraded; everything else is shared with `clip`.
 * @throws OppoError ERR_MASK_KIND, ERR_MASK_PARTNER
 */
export function degrade(clip: MediaClip, mask: ModalityMask): MediaClip {
  const { modality, kind = unitsKind, ratio, seed, others = [] } = mask;
  const random = createRandom(deriveSeed(seed, modality, kind));
  if (kind === replacements[modality]) return crossFaded(clip, requirePartner(mask), modality, ratio);
  if (modality === "video" && isKeyOf(videoKernels, kind)) {
    return { ...clip, frames: videoKernels[kind](clip, ratio, random) };
  }
  if (modality === "audio" && isKeyOf(audioKernels, kind)) {
    return { ...clip, waveform: audioKernels[kind](clip, ratio, random) };
  }
  if (modality === "audio" && kind === featuresKind) {
    return { ...clip, zeroedMel: [...(clip.zeroedMel ?? []), ...(ratio === 0 ? [] : [{ share: ratio, seed }])] };
  }
  if (modality === "audio" && kind === babbleKind) {
    const babble = others.length > 0 ? mixedVoices(clip, others) : syntheticBabble(clip, random);
    return { ...clip, waveform: mixed(clip, ratio, babble) };
  }
  throw new OppoError(
    "ERR_MASK_KIND",
    `applyMask: expected a kind of ${modality} mask (${maskKinds[modality].join(", ")}), got ${kind}. Change the mask.`,
  );
}

function requirePartner({ modality, kind, others = [] }: ModalityMask): MediaClip {
  const [partner] = others;
  const has = modality === "video" ? partner !== undefined && partner.numFrames > 0 : partner?.waveform.length;
  if (partner !== undefined && has) return partner;
  throw new OppoError(
    "ERR_MASK_PARTNER",
    `applyMask: expected another clip with ${modality} for a mask of kind ${kind}, got ${partner === undefined ? "none" : "one without"}. Use another kind, or give it a corpus to take clips from.`,
  );
}

function isKeyOf<T extends object>(table: T, key: string | undefined): key is keyof T & string {
  return key !== undefined && Object.hasOwn(table, key);
}
