// A clip or picture as a question about it shows it to a model: decoded, fitted, with parts masked; and the line spoken in it.
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { otherSeconds, timeNotice } from "../../corpus/clips/clip-time.ts";
import { decodeWithSound } from "../../corpus/clips/sample-clip.ts";
import type { MediaClip, Modality, ModalityMask } from "../../media/clip.ts";
import { isImage } from "../../media/decode/image-header.ts";
import { isOfUnits } from "../../media/degrade/degrade.ts";
import { decodeClip, decodeImage } from "../../media/isolated/index.ts";
import { applyMask, countMaskUnits, maskedUnits } from "../../media/mask.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import { readSubtitles } from "../../text/subtitles.ts";

export interface View {
  readonly file: string;
  readonly isImage: boolean;
  /** At the model's size and rate. */
  readonly fitted: MediaClip;
  /** The same with its masks. */
  readonly shown: MediaClip;
  /** Where the file gave less than it states. */
  readonly notices: readonly string[];
}

export interface MaskReport extends ModalityMask {
  readonly clip: string;
  /** Of the units; null where the mask is of another kind. */
  readonly numMasked: number | null;
  /** Video cells and 40 ms pieces of sound; 0 when the clip has none. */
  readonly numUnits: number;
}

/** Bytes that tell a picture from anything else. */
const headBytes = 16;

/** @param audio a sound file in place of the clip's own track @throws MediaError ERR_MEDIA_* */
export async function readView(
  model: Pick<OmniModel, "fitting" | "imageRange" | "videoTime">,
  file: string,
  masks: readonly ModalityMask[],
  audio?: string,
): Promise<View> {
  const picture = isPicture(file);
  const fitted = picture
    ? await decodeImage(file, { range: model.imageRange })
    : audio === undefined
      ? await decodeClip(file, { fit: model.fitting })
      : await decodeWithSound(file, audio, { fit: model.fitting });
  const shown = masks.reduce((view, mask) => applyMask(view, mask), fitted);
  const seconds = picture ? null : otherSeconds(model, fitted);
  const notices = [...(fitted.notices ?? []), ...(seconds === null ? [] : [timeNotice(seconds)])];
  return { file, isImage: picture, fitted, shown, notices };
}

function isPicture(file: string): boolean {
  if (!existsSync(file)) return false;
  const head = Buffer.alloc(headBytes);
  const descriptor = openSync(file, "r");
  try {
    return isImage(head.subarray(0, readSync(descriptor, head)));
  } catch (error) {
    // A directory opens but does not read; the decoder says so.
    if ((error as NodeJS.ErrnoException).code === "EISDIR") return false;
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** In the order video, audio. */
export function modalitiesOf(views: readonly View[]): Modality[] {
  const modalities: Modality[] = [];
  if (views.some(({ fitted }) => fitted.numFrames > 0)) modalities.push("video");
  if (views.some(({ fitted }) => fitted.waveform.length > 0)) modalities.push("audio");
  return modalities;
}

export function maskReports(views: readonly View[], masks: readonly ModalityMask[]): MaskReport[] {
  return views.flatMap(({ file, fitted }) =>
    masks.map((mask) => {
      const numUnits = countMaskUnits(fitted, mask.modality);
      return {
        clip: file,
        ...mask,
        numUnits,
        numMasked: isOfUnits(mask) ? maskedUnits(numUnits, mask).length : null,
      };
    }),
  );
}

/** The spoken line in the file beside a clip (CLIP.vtt or CLIP.srt, in any letter case); empty without one. @throws OppoError ERR_SUBTITLES */
export function subtitleBeside(clip: string): string {
  const stem = clip.replace(/\.[^./]*$/, "");
  const file = [".vtt", ".srt"].map((ending) => `${stem}${ending}`).find(existsSync) ?? inAnyCase(stem);
  return file === undefined ? "" : readSubtitles(readFileSync(file), file);
}

function inAnyCase(stem: string): string | undefined {
  const folder = dirname(stem);
  if (!existsSync(folder)) return undefined;
  const start = `${basename(stem)}.`;
  const endings = readdirSync(folder)
    .filter((name) => name.startsWith(start))
    .map((name) => name.slice(start.length));
  const ending = ["vtt", "srt"].flatMap((wanted) => endings.filter((one) => one.toLowerCase() === wanted))[0];
  return ending && join(folder, start + ending);
}
