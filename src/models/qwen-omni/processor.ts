// From a decoded clip to what the towers read: frame selection, resizing, patches, log-mel, and the chat prompt around the
// clip's placeholders. Settings come from the checkpoint's video_preprocessor_config.json, else from the rules of
// qwen-omni-utils.
import { z } from "zod";
import { OppoError } from "../../error.ts";
import type { MediaClip } from "../../media/clip.ts";
import { createMelExtractor, type MelExtractor, melSampleRateHz } from "../../media/mel.ts";
import { patchify } from "../../media/patches.ts";
import { resizeClip } from "../../media/resize.ts";
import { maxPixelsPerFrame, sampleFrames, smartResize, videoPixelLimits } from "../../media/sampling.ts";
import { CheckpointError } from "../../tensor/index.ts";
import type { ChatTemplate, Message, MessagePart } from "../../text/chat-template.ts";
import type { TextTokenizer } from "../../text/tokenizer.ts";
import type { ClipFeatures, ClipShape, PromptTokens } from "../omni-model.ts";
import type { ThinkerConfig } from "./config.ts";
import { type MediaLayout, MIN_AUDIO_FRAMES } from "./layout.ts";
import { ropePositions } from "./positions.ts";
import { expandPlaceholders } from "./prompt.ts";

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

/** Reads a parsed video_preprocessor_config.json. @throws CheckpointError ERR_CHECKPOINT_CONFIG */
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

/** The clip at the model's frame rate and size. Fitting twice changes nothing. */
export function fitClip(clip: MediaClip, settings: VideoSettings): MediaClip {
  if (clip.waveform.length > 0 && clip.sampleRateHz !== melSampleRateHz) {
    throw new OppoError(
      "ERR_SAMPLE_RATE",
      `fitClip: expected a waveform at ${melSampleRateHz} Hz, got ${clip.sampleRateHz}. Decode the clip at that rate.`,
    );
  }
  if (clip.numFrames === 0) return clip;
  const chosen = chooseFrames(clip, settings);
  const { minPixels } = settings;
  const maxPixels = maxPixelsPerFrame(chosen.numFrames, { minPixels, maxPixels: settings.maxPixels });
  return resizeClip(chosen, smartResize(chosen, { minPixels, maxPixels }));
}

function chooseFrames(clip: MediaClip, { fps, minFrames, maxFrames }: VideoSettings): MediaClip {
  const selection = sampleFrames(clip.numFrames, clip.fps, { fps, minFrames, maxFrames });
  if (selection === null || selection.indices.length === clip.numFrames) return clip;
  const frameBytes = clip.height * clip.width * 3;
  const frames = new Uint8Array(selection.indices.length * frameBytes);
  selection.indices.forEach((index, i) => {
    frames.set(clip.frames.subarray(index * frameBytes, (index + 1) * frameBytes), i * frameBytes);
  });
  return { ...clip, frames, numFrames: selection.indices.length, fps: selection.fps };
}

/** Turns fitted clips into features; keeps the mel tables. */
export function createFeatureExtractor(): (fitted: MediaClip) => ClipFeatures {
  let mel: MelExtractor | null = null;
  return (fitted) => {
    mel ??= createMelExtractor();
    const video = fitted.numFrames > 0 ? patchify(fitted) : null;
    const audio = fitted.waveform.length > 0 ? mel(fitted.waveform) : null;
    if (audio && audio.numFrames < MIN_AUDIO_FRAMES) {
      throw new OppoError(
        "ERR_AUDIO_TOO_SHORT",
        `features: expected at least ${MIN_AUDIO_FRAMES * 10} ms of audio, got ${fitted.waveform.length} samples. ` +
          "Use a longer clip, or one without sound.",
      );
    }
    return {
      video: video && { patches: video.values, grid: [video.grid.time, video.grid.height, video.grid.width] },
      audio: audio && { mel: audio.values, numFrames: audio.numFrames },
    };
  };
}

/** The media of one clip: its video and its audio as separate parts. */
export function clipLayout(shape: ClipShape): MediaLayout {
  return {
    images: [],
    // 1.0 is what the standard flow passes, whatever the sampling rate was.
    videos: shape.video ? [{ grid: shape.video.grid, secondsPerGrid: 1 }] : [],
    audioFrames: shape.audio ? [shape.audio.numFrames] : [],
    audioInVideo: false,
  };
}

/** One user turn: video, audio, text. The text is escaped: it cannot write special tokens. */
export function promptTokens(
  text: string,
  shape: ClipShape,
  system: string | undefined,
  { tokenizer, template, config }: { tokenizer: TextTokenizer; template: ChatTemplate; config: ThinkerConfig },
): PromptTokens {
  const parts: MessagePart[] = [];
  if (shape.video) parts.push({ type: "video" });
  if (shape.audio) parts.push({ type: "audio" });
  parts.push({ type: "text", text: tokenizer.escape(text) });
  const messages: Message[] = [{ role: "user", content: parts }];
  if (system !== undefined) messages.unshift({ role: "system", content: tokenizer.escape(system) });
  const layout = clipLayout(shape);
  const ids = expandPlaceholders(tokenizer.encode(template.render(messages)), layout, config);
  return { ids, positions: ropePositions(ids, layout, config).positions };
}
