// What the decoder's process is asked and answers. Frames and samples travel as the bytes that they are.

import type { ErrorCode } from "../../error.ts";
import type { MediaClip } from "../clip.ts";
import type { MediaInfo, ReadLimits } from "../decode/container.ts";
import type { PictureFit, VideoFit } from "../fit.ts";
import type { VideoFile, VideoShape } from "../remux.ts";
import type { FrameSamplingOptions } from "../sampling.ts";

/** How a file is decoded: with `fit` as a model looks at it, else its frames keep their size, or get `height`. */
export interface ClipOptions extends FrameSamplingOptions, ReadLimits {
  /** Of the waveform. Default 16,000. */
  readonly sampleRateHz?: number;
  /** Leave pictures alone: the file stands for its sound, and a cover in it is no video. */
  readonly soundOnly?: boolean;
  /** As a model looks at it: the clip needs no fitting afterwards. */
  readonly fit?: VideoFit;
  /** Every frame at this height, its aspect kept. */
  readonly height?: number;
}

export interface ImageOptions extends ReadLimits {
  /** Resized like this, as Pillow does it. */
  readonly range?: PictureFit;
}

/** Pictures of one size that are the frames of a clip. */
export interface FramesOptions extends ReadLimits {
  readonly fps: number;
  readonly fit: VideoFit;
}

export type DecodeRequest =
  | { readonly kind: "clip"; readonly path: string; readonly options: ClipOptions }
  | { readonly kind: "image"; readonly path: string; readonly options: ImageOptions }
  | { readonly kind: "frames"; readonly paths: readonly string[]; readonly options: FramesOptions }
  | { readonly kind: "probe"; readonly path: string; readonly options: ReadLimits }
  | { readonly kind: "soundless"; readonly path: string; readonly options: ReadLimits }
  | { readonly kind: "shape"; readonly path: string; readonly options: ReadLimits }
  | { readonly kind: "black"; readonly path: string; readonly shape: VideoShape };

/** What each kind of request gives. */
export interface DecodeResults {
  readonly clip: MediaClip;
  readonly image: MediaClip;
  readonly frames: MediaClip;
  readonly probe: MediaInfo;
  readonly soundless: VideoFile | null;
  readonly shape: VideoShape | null;
  readonly black: VideoFile;
}

export type DecodeReply =
  | { readonly kind: "result"; readonly value: DecodeResults[keyof DecodeResults] }
  /** `file` where it is about one. */
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly message: string; readonly file: string | null }
  /** A fault of ours. */
  | { readonly kind: "fault"; readonly message: string };
