// The family of counterfactuals beside a random share of units: a kind by its name, a dose, a seed.
import { OppoError } from "../../error.ts";
import { createRandom } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import type { MediaClip, Modality, ModalityMask } from "../clip.ts";
import { audioKernels } from "./audio.ts";
import { videoKernels } from "./video.ts";

/** The kind that masks take where none is named: a random share of cells black, of pieces of sound silent. */
export const unitsKind = "units";

/** Every kind by its modality, the units first. */
export const maskKinds: Readonly<Record<Modality, readonly string[]>> = {
  video: [unitsKind, ...Object.keys(videoKernels)],
  audio: [unitsKind, ...Object.keys(audioKernels)],
};

export function isOfUnits({ kind }: ModalityMask): boolean {
  return kind === undefined || kind === unitsKind;
}

/** The clip with one modality degraded; everything else is shared with `clip`. @throws OppoError ERR_MASK_KIND */
export function degrade(clip: MediaClip, { modality, kind, ratio, seed }: ModalityMask): MediaClip {
  const random = createRandom(deriveSeed(seed, modality, kind ?? unitsKind));
  if (modality === "video" && isKeyOf(videoKernels, kind)) {
    return { ...clip, frames: videoKernels[kind](clip, ratio, random) };
  }
  if (modality === "audio" && isKeyOf(audioKernels, kind)) {
    return { ...clip, waveform: audioKernels[kind](clip, ratio, random) };
  }
  throw new OppoError(
    "ERR_MASK_KIND",
    `applyMask: expected a kind of ${modality} mask (${maskKinds[modality].join(", ")}), got ${kind}. Change the mask.`,
  );
}

function isKeyOf<T extends object>(table: T, key: string | undefined): key is keyof T & string {
  return key !== undefined && Object.hasOwn(table, key);
}
