// A clip or picture as a question about it shows it to a model: decoded, fitted, with parts masked; and the line spoken in it.
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { otherSeconds, timeNotice } from "../../corpus/clips/clip-time.ts";
import { decodeWithSound } from "../../corpus/clips/sample-clip.ts";
import type { MediaClip, Modality, ModalityMask } from "../../media/clip.ts";
import { isImage } from "../../media/decode/image-header.ts";
import { isOfUnits } from "../../media/degrade/degrade.ts";
import type { VideoFit } from "../../media/fit.ts";
import { decodeClip, decodeFrames, decodeImage } from "../../media/isolated/index.ts";
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

/** Of pictures in a folder, which have no rate; models that look at a fixed number of frames do not read it. */
const framesPerSecond = 2;
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
    : await fittedVideo(file, model.fitting, audio);
  const shown = masks.reduce((view, mask) => applyMask(view, mask), fitted);
  const seconds = picture ? null : otherSeconds(model, fitted);
  const notices = [...(fitted.notices ?? []), ...(seconds === null ? [] : [timeNotice(seconds)])];
  return { file, isImage: picture, fitted, shown, notices };
}

async function fittedVideo(file: string, fit: VideoFit, audio: string | undefined): Promise<MediaClip> {
  const frames = picturesIn(file);
  const seen = frames.length > 0 ? decodeFrames(frames, { fps: fit.fps ?? framesPerSecond, fit }) : null;
  if (audio === undefined) return (await seen) ?? decodeClip(file, { fit });
  if (seen === null) return decodeWithSound(file, audio, { fit });
  const { waveform, sampleRateHz } = await decodeClip(audio, { fit, soundOnly: true });
  return { ...(await seen), waveform, sampleRateHz };
}

/** The pictures of a folder in the order of their names: a video without sound. */
function picturesIn(folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder)
    .filter((name) => /\.(jpe?g|png|webp|bmp|gif)$/i.test(name))
    .sort()
    .map((name) => join(folder, name));
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
