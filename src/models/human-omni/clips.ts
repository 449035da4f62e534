// Clips as HumanOmni knows them: what its towers read, how large that is, and the rows that they make of it: of a video three
// lists of tokens side by side, which a prompt weighs by its question.
// B clips, T frames, W width of the text
import { op, scope, type Tensor, tensor } from "../../tensor/index.ts";
import { clipRows } from "../clip-rows.ts";
import type { WeightSource } from "../decoder/projection.ts";
import type { ClipFeatures, ClipRows, ClipShape, ModalityFeatures, ModalityShape } from "../omni-model.ts";
import type { HumanOmniConfig } from "./config/config.ts";
import { encodeSounds } from "./towers/audio-tower.ts";
import { tokenLists } from "./towers/projector.ts";
import { audioTokens, videoTokens } from "./towers/tokens.ts";
import { encodeFrames } from "./towers/vision-tower.ts";

export interface HumanOmniShape extends ClipShape {
  readonly video: TokenCount | null;
  readonly audio: TokenCount | null;
}

export interface TokenCount extends ModalityShape {
  readonly numTokens: number;
}

export interface VideoFeatures extends TokenCount, ModalityFeatures {
  /** RGB [T, side, side, 3] */
  readonly frames: Uint8Array;
  readonly numFrames: number;
}

export interface SoundFeatures extends TokenCount, ModalityFeatures {
  /** [M, F] */
  readonly mel: Float32Array;
}

export interface HumanOmniFeatures extends ClipFeatures {
  readonly video: VideoFeatures | null;
  readonly audio: SoundFeatures | null;
}

export function videoFeatures(
  frames: Uint8Array,
  numFrames: number,
  { projector, vision }: Pick<HumanOmniConfig, "projector" | "vision">,
): VideoFeatures {
  const numTokens = videoTokens(projector, numFrames, patchesOfSide(vision));
  return { key: String(numFrames), numTokens, frames, numFrames } as VideoFeatures;
}

export function soundFeatures(mel: Float32Array, { audio }: Pick<HumanOmniConfig, "audio">): SoundFeatures {
  return { key: "window", numTokens: audioTokens(audio), mel } as SoundFeatures;
}

/** The sizes without the arrays. */
export function shapeOf({ video, audio }: HumanOmniShape): HumanOmniShape {
  return {
    video: video && { key: video.key, numTokens: video.numTokens },
    audio: audio && { key: audio.key, numTokens: audio.numTokens },
  };
}

/** Runs the towers, batched over clips with equally many frames. */
export function encodeClips(
  weights: WeightSource,
  config: HumanOmniConfig,
  clips: readonly HumanOmniFeatures[],
): ClipRows[] {
  const videos = new Map<VideoFeatures, Tensor>();
  const sounds = new Map<SoundFeatures, Tensor>();
  for (const alike of groupedBy(
    clips.flatMap(({ video }) => video ?? []),
    ({ key }) => key,
  )) {
    spread(
      alike,
      scope(() => encodeVideos(weights, config, alike)),
      videos,
    );
  }
  const heard = clips.flatMap(({ audio }) => audio ?? []);
  if (heard.length > 0)
    spread(
      heard,
      scope(() => encodeMels(weights, config, heard)),
      sounds,
    );
  return clips.map(({ video, audio }) => clipRows(video && videos.get(video)!, audio && sounds.get(audio)!));
}

/** Every input's own rows [B * tokens, width]; the whole tensor goes with the last of them. */
function spread<T extends TokenCount>(inputs: readonly T[], rows: Tensor, into: Map<T, Tensor>): void {
  inputs.forEach((input, i) => {
    into.set(input, rows.narrow(0, i * input.numTokens, input.numTokens));
  });
  rows.dispose();
}

function encodeVideos(weights: WeightSource, config: HumanOmniConfig, videos: readonly VideoFeatures[]): Tensor {
  const { vision, projector } = config;
  const shape = { clips: videos.length, frames: videos[0]!.numFrames, side: patchesOfSide(vision) };
  const patches = scope(() => encodeFrames(weights, vision, pixelsOf(videos, vision.imageSize)));
  return tokenLists(weights, projector, patches, shape).flatten({ startDim: 0, endDim: 1 });
}

/** Levels 0 to 255 as numbers from -1 to 1, [frames of all, 3, side, side]. */
function pixelsOf(videos: readonly VideoFeatures[], side: number): Tensor {
  const frames = videos.map(({ frames: own }) => tensor(own, [own.length / (side * side * 3), side, side, 3]));
  const levels = frames.length === 1 ? frames[0]! : op.cat(frames, { dim: 0 });
  return levels.permute([0, 3, 1, 2]).to("float32").contiguous().div(255).sub(0.5).div(0.5);
}

function encodeMels(weights: WeightSource, { audio }: HumanOmniConfig, sounds: readonly SoundFeatures[]): Tensor {
  const all = new Float32Array(sounds.length * audio.numMels * 2 * audio.maxPositions);
  sounds.forEach(({ mel }, i) => {
    all.set(mel, i * mel.length);
  });
  return encodeSounds(weights, audio, tensor(all, [sounds.length, audio.numMels, 2 * audio.maxPositions]));
}

function patchesOfSide({ imageSize, patchSize }: HumanOmniConfig["vision"]): number {
  return Math.floor(imageSize / patchSize);
}

function groupedBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}
