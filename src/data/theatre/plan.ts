// What a corpus of the theatre consists of: its splits, how many clips each has, and how they are written.
import type { SceneKind } from "./draw.ts";
import type { Troupe } from "./troupes.ts";

/** How clips are written. */
export interface ClipFormat {
  /** Width and height in pixels, even. */
  readonly size: number;
  readonly fps: number;
  readonly seconds: number;
  readonly sampleRateHz: number;
  /** Quality of x264, 0 (best) to 51. */
  readonly crf: number;
  readonly preset: "ultrafast" | "superfast" | "veryfast";
}

/** Drawn "on twos" like hand-made animation: 12.5 pictures a second, half the work of 25. */
export const defaultClipFormat: ClipFormat = {
  size: 256,
  fps: 12.5,
  seconds: 2,
  sampleRateHz: 24000,
  crf: 22,
  preset: "superfast",
};

export interface SplitPlan {
  readonly name: string;
  readonly kind: SceneKind;
  readonly numClips: number;
  /** Left out: the first. */
  readonly troupe?: Troupe | undefined;
}

export interface CorpusPlan {
  readonly seed: number;
  readonly splits: readonly SplitPlan[];
  readonly format: ClipFormat;
}

/** What the demo trains and measures on. Choices of hyper-parameters look at "dev" only. */
export const defaultPlan: CorpusPlan = {
  seed: 1,
  splits: [
    { name: "warm-up", kind: "decorrelated", numClips: 1000 },
    { name: "sft", kind: "train", numClips: 800 },
    { name: "rl", kind: "train", numClips: 600 },
    { name: "dev", kind: "congruent", numClips: 150 },
    { name: "congruent", kind: "congruent", numClips: 300 },
    { name: "conflict", kind: "conflict", numClips: 150 },
  ],
  format: defaultClipFormat,
};
