// From a decoded clip or image to what the towers read: frame selection, resizing, patches, log-mel. Settings come from the
// checkpoint (pixel-ranges.ts), else from the rules of qwen-omni-utils.
import { z } from "zod";
import { OppoError } from "../../error.ts";
import type { MediaClip, ModalityMask } from "../../media/clip.ts";
import { zeroMel } from "../../media/degrade/zeroed-mel.ts";
import { fitPicture, fitVideo, type PixelRange, type VideoFit } from "../../media/fit.ts";
import { applyMask, maskedCells } from "../../media/mask.ts";
import { createMelExtractor, type MelExtractor, melSampleRateHz } from "../../media/mel.ts";
import { videoPixelLimits } from "../../media/sampling.ts";
import { CheckpointError } from "../../tensor/index.ts";
import type { VideoTime } from "../omni-model.ts";
import { audioFeatures, type ThinkerFeatures, videoFeatures } from "./clips.ts";
import { MIN_AUDIO_FRAMES } from "./layout.ts";
import { secondsPerGrid } from "./video-time.ts";

/** How a video is sampled and sized. */
export interface VideoSettings {
  readonly fps: number;
  readonly minFrames: number;
  readonly maxFrames: number;
  readonly minPixels: number;
  readonly maxPixels: number;
}

export const defaultVideoSettings: VideoSettings = {
  fps: 2,
  minFrames: 4,
  maxFrames: 768,
  ...videoPixelLimits,
};

const positive = z.number().positive();
const videoSchema = z.looseObject({
  fps: positive.nullish(),
  min_frames: positive.nullish(),
  max_frames: positive.nullish(),
  min_pixels: positive.nullish(),
  max_pixels: positive.nullish(),
  size: z.looseObject({ shortest_edge: positive.nullish(), longest_edge: positive.nullish() }).nullish(),
});

/** Reads the parsed settings of a video processor. @throws CheckpointError ERR_CHECKPOINT_CONFIG */
export function parseVideoSettings(json: unknown, path: string): VideoSettings {
  const parsed = videoSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const text = `${issue.path.join(".")}: ${issue.message}. Fix the file or remove it.`;
    throw new CheckpointError("ERR_CHECKPOINT_CONFIG", path, text);
  }
  const raw = parsed.data;
  return {
    fps: raw.fps ?? defaultVideoSettings.fps,
    minFrames: raw.min_frames ?? defaultVideoSettings.minFrames,
    maxFrames: raw.max_frames ?? defaultVideoSettings.maxFrames,
    minPixels: raw.min_pixels ?? raw.size?.shortest_edge ?? defaultVideoSettings.minPixels,
    maxPixels: raw.max_pixels ?? raw.size?.longest_edge ?? defaultVideoSettings.maxPixels,
  };
}

/** The same for a decoder. */
export function videoFit({ fps, minFrames, maxFrames, minPixels, maxPixels }: VideoSettings): VideoFit {
  return { fps, minFrames, maxFrames, pixels: { minPixels, maxPixels } };
}

/** The clip at the model's frame rate and size. @throws OppoError ERR_SAMPLE_RATE */
export function fitClip(clip: MediaClip, settings: VideoSettings): MediaClip {
  if (clip.waveform.length > 0 && clip.sampleRateHz !== melSampleRateHz) {
    throw new OppoError(
      "ERR_SAMPLE_RATE",
      `fitClip: expected a waveform at ${melSampleRateHz} Hz, got ${clip.sampleRateHz}. Decode the clip at that rate.`,
    );
  }
  return fitVideo(clip, videoFit(settings));
}

/** A picture in the model's range of pixels. */
export function fitImage(image: MediaClip, range: PixelRange): MediaClip {
  if (image.numFrames !== 1) {
    throw new OppoError(
      "ERR_PROMPT_MEDIA",
      `fitImage: expected a picture, one frame, got ${image.numFrames} frames. Fit a video with fitClip.`,
    );
  }
  return fitPicture(image, range);
}

/** Turns fitted clips, masked as they are to be shown, into features; keeps the mel tables. */
export function createFeatureExtractor(
  videoTime: VideoTime,
): (fitted: MediaClip, masks?: readonly ModalityMask[]) => ThinkerFeatures {
  let mel: MelExtractor | null = null;
  return (fitted, masks = []) => {
    mel ??= createMelExtractor();
    const { clip, blackCells } = masked(fitted, masks);
    const audio = clip.waveform.length > 0 ? mel(clip.waveform) : null;
    if (audio && audio.numFrames < MIN_AUDIO_FRAMES) {
      throw new OppoError(
        "ERR_AUDIO_TOO_SHORT",
        `features: expected at least ${MIN_AUDIO_FRAMES * 10} ms of audio, got ${clip.waveform.length} samples. ` +
          "Use a longer clip, or one without sound.",
      );
    }
    if (audio !== null) zeroMel(audio.values, clip);
    return {
      video: clip.numFrames > 0 ? videoFeatures({ ...clip, blackCells }, secondsPerGrid(clip.fps, videoTime)) : null,
      audio: audio && audioFeatures(audio.values, audio.numFrames),
    };
  };
}

/** Cells that masks make black stay for the device to blacken, where nothing else is done to the video. */
function masked(
  fitted: MediaClip,
  masks: readonly ModalityMask[],
): { clip: MediaClip; blackCells: Uint32Array | null } {
  const ofVideo = masks.filter(({ modality }) => modality === "video");
  const blackCells = fitted.numFrames > 0 && ofVideo.length > 0 ? maskedCells(fitted, ofVideo) : null;
  const onHost = blackCells === null ? masks : masks.filter(({ modality }) => modality !== "video");
  return { clip: onHost.reduce((view, mask) => applyMask(view, mask), fitted), blackCells };
}
