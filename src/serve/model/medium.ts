// One medium of a prompt, decoded with the very code that `oppo infer` and the benchmarks use: the same file gives the same
// frames and samples. Sound inside a video is left out unless it is asked for. What a medium may cost is known before it is
// paid: seconds, pixels to decode, and pixels that become tokens.
import type { MediaClip } from "../../media/clip.ts";
import { decodeClip, decodeFrames, decodeImage } from "../../media/isolated/index.ts";
import { applyLocalMask } from "../../media/local-mask.ts";
import { cellSize, framesPerPatch } from "../../media/sampling.ts";
import type { ClipFeatures, OmniModel } from "../../models/omni-model.ts";
import { HttpError } from "../http/http-error.ts";
import type { DecodedClips } from "./media/decoded-clips.ts";
import type { ClipChange, MediaFile } from "./protocol.ts";

/** What a server decodes at most: ten minutes of 1080p at 30 frames per second. An hour of 8K is for other tools. */
export const mediumLimits = {
  maxDurationSeconds: 600,
  maxPixels: 4096 * 2304,
  maxDecodedPixels: 600 * 30 * 1920 * 1080,
};
/** Of frames that nobody gave a rate. */
const defaultFps = 2;
const silence = new Float32Array(0);

export interface MediumBounds {
  /** Of the whole prompt; a video that alone has more is refused before it is decoded. */
  readonly maxTokens: number;
  /** Aborted once nobody waits any more: decoding ends at once. */
  readonly signal?: AbortSignal;
  /** Where clips of files with a change, and of those that changes will be asked of, are kept. */
  readonly clips: DecodedClips;
  /** Told where a file gave less than it states. */
  readonly onNotices?: (kind: MediaFile["kind"], notices: readonly string[]) => void;
}

type LookingModel = Pick<OmniModel, "fitKey" | "fitting" | "imageRange" | "features">;

/** @throws MediaError, HttpError ERR_REQUEST_MEDIA, those of the model's features; the signal's reason */
export async function featuresOf(model: LookingModel, file: MediaFile, bounds: MediumBounds): Promise<ClipFeatures> {
  const clip = await fittedClip(model, file, bounds);
  if (clip.notices !== undefined) bounds.onNotices?.(file.kind, clip.notices);
  return model.features(clip);
}

/** The clip with what a change asks for. @throws MediaError of the other sound, OppoError ERR_MASK_RATIO, ERR_MASK_KIND */
export async function changedClip(
  clip: MediaClip,
  { sound: other, masks }: ClipChange,
  { clips, signal }: Pick<MediumBounds, "clips" | "signal">,
): Promise<MediaClip> {
  let shown = clip;
  if (other !== null) {
    const decode = () => decodeClip(other.path, { ...mediumLimits, soundOnly: true }, signal);
    const { waveform } = await clips.get(`sound ${other.key}`, decode);
    const length =
      clip.waveform.length === 0 ? Math.round(clip.durationSeconds * clip.sampleRateHz) : clip.waveform.length;
    const sound = new Float32Array(length);
    sound.set(waveform.subarray(0, length));
    shown = { ...clip, waveform: sound };
  }
  return masks.reduce(applyLocalMask, shown);
}

export async function fittedClip(
  { fitting, fitKey, imageRange }: LookingModel,
  file: MediaFile,
  { maxTokens, signal, clips }: MediumBounds,
): Promise<MediaClip> {
  // A token stands for a cell of a pair of frames.
  const options = { ...mediumLimits, maxClipPixels: maxTokens * cellSize ** 2 * framesPerPatch };
  switch (file.kind) {
    case "image":
      return await decodeImage(file.path, { ...options, range: imageRange }, signal);
    case "frames":
      return await decodeFrames(
        file.paths,
        {
          ...options,
          fps: file.fps ?? fitting.fps ?? defaultFps,
          fit: file.areAll ? { ...fitting, numFrames: file.paths.length } : fitting,
        },
        signal,
      );
    case "audio": {
      const clip = await decodeClip(file.path, { ...options, soundOnly: true }, signal);
      if (clip.waveform.length === 0) throw mediaError("a sound in the audio part", "a file without one");
      return clip;
    }
    case "video": {
      const decode = () => decodeClip(file.path, { ...options, fit: fitting }, signal);
      const clip = await (file.keptAs === undefined ? decode() : clips.get(`${fitKey} ${file.keptAs}`, decode));
      if (clip.numFrames === 0) throw mediaError("a picture in the video part", "a file without one");
      const own = file.withSound ? clip : { ...clip, waveform: silence };
      return file.change === undefined
        ? own
        : await changedClip(own, file.change, { clips, ...(signal && { signal }) });
    }
  }
}

function mediaError(expected: string, got: string): HttpError {
  return new HttpError(
    400,
    "ERR_REQUEST_MEDIA",
    `messages: expected ${expected}, got ${got}. Send media of that kind.`,
  );
}
