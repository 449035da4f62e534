// A mask as a person writes it: `video=0.7`, `audio=noise:0.5`; of one modality alone `blur`, `blur:0.5`.
import type { Modality, ModalityMask } from "../clip.ts";
import { maskKinds, ownKinds, unitsKind } from "./degrade.ts";

/** For messages. */
export const maskForm = "video=RATIO, video=KIND:DOSE, audio=RATIO or audio=KIND:DOSE with numbers from 0 to 1";

const form = /^(video|audio)=(?:([a-z-]+):)?(0(?:\.\d+)?|1(?:\.0+)?|\.\d+)$/;

/** null for anything else, an unknown kind too. */
export function parseMask(text: string, seed: number): ModalityMask | null {
  const [, modality, kind = unitsKind, ratio] = form.exec(text) ?? [];
  if (modality !== "video" && modality !== "audio") return null;
  if (!maskKinds[modality].includes(kind)) return null;
  return { modality, ratio: Number(ratio), seed, ...(kind === unitsKind ? {} : { kind }) };
}

/** A way of masking one modality. */
export interface KindAndDose {
  readonly kind: string;
  /** From 0 to 1. */
  readonly dose: number;
}

const kindForm = /^([a-z-]+)(?::(0(?:\.\d+)?|1(?:\.0+)?|\.\d+))?$/;

/** KIND or KIND:DOSE, of those that need no other clip; without a dose all of it. null for anything else. */
export function parseKind(text: string, modality: Modality): KindAndDose | null {
  const [, kind, dose = "1"] = kindForm.exec(text) ?? [];
  return kind !== undefined && ownKinds[modality].includes(kind) ? { kind, dose: Number(dose) } : null;
}
