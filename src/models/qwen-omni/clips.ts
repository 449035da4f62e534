// Clips as the thinker knows them: what its towers read, how large that is, and the rows that they make of it.
import { op, scope, type Tensor } from "../../tensor/index.ts";
import { clipRows } from "../clip-rows.ts";
import type { WeightSource } from "../decoder/projection.ts";
import type {
  ClipFeatures,
  ClipRows,
  ClipShape,
  ModalityFeatures,
  ModalityShape,
  PromptTokens,
} from "../omni-model.ts";
import { encodeAudio } from "./audio-tower.ts";
import type { ThinkerConfig } from "./config/config.ts";
import { audioTokens, type Grid, visionTokens } from "./layout.ts";
import { gridOf, type PatchInput, patchRows } from "./patches.ts";
import { encodeVision, visionTarget } from "./vision-tower.ts";

export interface VideoShape extends ModalityShape {
  /** In patches. */
  readonly grid: Grid;
  /** Between two steps of the grid, as the prompt counts it. */
  readonly secondsPerGrid: number;
}

export interface AudioShape extends ModalityShape {
  /** Log-mel frames. */
  readonly numFrames: number;
}

export interface VideoFeatures extends VideoShape, ModalityFeatures {
  readonly input: PatchInput;
}

export interface AudioFeatures extends AudioShape, ModalityFeatures {
  /** Float32 [numMels, numFrames] */
  readonly mel: Float32Array;
}

export interface ThinkerShape extends ClipShape {
  readonly video: VideoShape | null;
  readonly audio: AudioShape | null;
}

export interface ThinkerFeatures extends ClipFeatures {
  readonly video: VideoFeatures | null;
  readonly audio: AudioFeatures | null;
}

/** A prompt's ids with their TMRoPE positions. */
export interface ThinkerTokens extends PromptTokens {
  /** Row-major [3, ids.length]: time, height, width. */
  readonly positions: Int32Array;
}

/** Borrows the frames. @throws OppoError ERR_FRAME_SIZE */
export function videoFeatures(input: PatchInput, secondsPerGrid: number): VideoFeatures {
  const grid = gridOf(input);
  const key = `${grid.join("x")}${secondsPerGrid === 1 ? "" : `@${secondsPerGrid}`}`;
  return { key, grid, secondsPerGrid, input } as VideoFeatures;
}

export function audioFeatures(mel: Float32Array, numFrames: number): AudioFeatures {
  return { key: String(numFrames), numFrames, mel } as AudioFeatures;
}

/** The sizes without the arrays. */
export function shapeOf({ video, audio }: ThinkerShape): ThinkerShape {
  return {
    video: video && { key: video.key, grid: video.grid, secondsPerGrid: video.secondsPerGrid },
    audio: audio && { key: audio.key, numFrames: audio.numFrames },
  };
}

function encodeVideos(weights: WeightSource, { vision }: ThinkerConfig, videos: readonly VideoFeatures[]): Tensor {
  const target = visionTarget(weights);
  const rows = videos.map(({ input }) => patchRows(input, target));
  const pixels = rows.length === 1 ? rows[0]! : op.cat(rows, { dim: 0 });
  const grids = videos.map(({ grid }) => grid);
  return encodeVision(weights, vision, pixels, grids);
}

/** Runs the towers, batched over clips. */
export function encodeClips(
  weights: WeightSource,
  config: ThinkerConfig,
  clips: readonly ThinkerFeatures[],
): ClipRows[] {
  const videos = clips.flatMap(({ video }) => (video ? [video] : []));
  const audios = clips.flatMap(({ audio }) => (audio ? [audio] : []));
  const [video, audio] = scope(() => [
    videos.length > 0 ? encodeVideos(weights, config, videos) : null,
    audios.length > 0 ? encodeAudio(weights, config.audio, audios) : null,
  ]);
  let videoStart = 0;
  let audioStart = 0;
  const rows = clips.map((clip) => {
    const numVideo = clip.video ? visionTokens(clip.video.grid, config.vision.mergeSize) : 0;
    const numAudio = clip.audio ? audioTokens(clip.audio.numFrames) : 0;
    const own = clipRows(
      clip.video ? video!.narrow(0, videoStart, numVideo) : null,
      clip.audio ? audio!.narrow(0, audioStart, numAudio) : null,
    );
    videoStart += numVideo;
    audioStart += numAudio;
    return own;
  });
  video?.dispose();
  audio?.dispose();
  return rows;
}
