// Which frames of a video are looked at, and at what size: the rules of qwen-omni-utils restated in float64 and
// float32 as written there. Python's and torch's `round` go half to even, so Math.round would be wrong here.

import { OppoError } from "../error.ts";

export const patchSize = 14;
/** Side of one merged cell in pixels: two patches. Frame sizes are multiples of it. */
export const cellSize = 28;
/** Frames are taken in pairs, the temporal patch size. */
export const framesPerPatch = 2;

export interface FrameSamplingOptions {
  /** Frames per second wanted. Default 2. */
  readonly fps?: number;
  /** Default 4. */
  readonly minFrames?: number;
  /** Default 768. */
  readonly maxFrames?: number;
  /** Exactly this many (rounded to an even number), whatever the frame rate. */
  readonly numFrames?: number;
  /** The middle frames of so many equal parts, or of every second, as HumanOmni looks: nothing else then counts. */
  readonly parts?: number | "seconds";
}

export interface FrameSelection {
  readonly indices: Uint32Array;
  /** Frames per second of the selected frames. */
  readonly fps: number;
}

/** Example: `{ height: 364, width: 644 }` */
export interface FrameSize {
  readonly height: number;
  readonly width: number;
}

/** Rounds halves to the even neighbour, as IEEE 754, Python and torch do. */
export function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const fraction = x - floor;
  if (fraction !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** How many of `totalFrames` are taken: an even number (but of parts), or null where fewer than two frames can be had. */
export function countSampledFrames(
  totalFrames: number,
  videoFps: number,
  options: FrameSamplingOptions = {},
): number | null {
  const { fps = 2, minFrames = 4, maxFrames = 768, numFrames, parts } = options;
  if (parts !== undefined) return middleFrames(totalFrames, videoFps, parts)?.indices.length ?? null;
  let count: number;
  if (numFrames !== undefined) {
    count = framesPerPatch * roundHalfToEven(numFrames / framesPerPatch);
  } else {
    const low = Math.ceil(minFrames / framesPerPatch) * framesPerPatch;
    const high = Math.floor(Math.min(maxFrames, totalFrames) / framesPerPatch) * framesPerPatch;
    const wanted = (totalFrames / videoFps) * fps;
    count = Math.min(Math.min(Math.max(wanted, low), high), totalFrames);
    count = Math.floor(count / framesPerPatch) * framesPerPatch;
  }
  return count >= framesPerPatch && count <= totalFrames ? count : null;
}

/** Selects frames evenly from the first to the last one. Null where the video has too few frames. */
export function sampleFrames(
  totalFrames: number,
  videoFps: number,
  options: FrameSamplingOptions = {},
): FrameSelection | null {
  if (options.parts !== undefined) return middleFrames(totalFrames, videoFps, options.parts);
  const count = countSampledFrames(totalFrames, videoFps, options);
  if (count === null) return null;
  const positions = linspaceFloat32(0, totalFrames - 1, count);
  return { indices: Uint32Array.from(positions, roundHalfToEven), fps: (count / totalFrames) * videoFps };
}

/** Keeps a half from being rounded down by its own error. */
const upwards = 1e-6;

/** Of a video with fewer frames than parts some count several times; halves go up. Null without a frame. */
function middleFrames(totalFrames: number, videoFps: number, parts: number | "seconds"): FrameSelection | null {
  if (totalFrames < 1) return null;
  if (parts === "seconds") {
    const step = Math.min(Math.max(1, Math.floor(videoFps)), totalFrames);
    const first = Math.floor(step / 2);
    const indices = Uint32Array.from({ length: Math.ceil((totalFrames - first) / step) }, (_, i) => first + i * step);
    return { indices, fps: videoFps / step };
  }
  const step = (totalFrames - 1) / parts;
  const indices = Uint32Array.from({ length: parts }, (_, i) => roundHalfToEven(step * (i + 0.5) + upwards));
  return { indices, fps: (parts / totalFrames) * videoFps };
}

/** torch's float32 linspace: counted from both ends, so that it is symmetric. */
export function linspaceFloat32(start: number, end: number, steps: number): Float32Array {
  const out = new Float32Array(steps);
  if (steps === 1) {
    out[0] = start;
    return out;
  }
  const step = Math.fround((Math.fround(end) - Math.fround(start)) / (steps - 1));
  const halfway = Math.floor(steps / 2);
  for (let i = 0; i < steps; i++) {
    const offset = i < halfway ? Math.fround(step * i) : Math.fround(step * (steps - i - 1));
    out[i] = i < halfway ? start + offset : end - offset;
  }
  return out;
}

export const imagePixelLimits = { minPixels: 4 * cellSize ** 2, maxPixels: 16384 * cellSize ** 2 } as const;
export const videoPixelLimits = { minPixels: 128 * cellSize ** 2, maxPixels: 768 * cellSize ** 2 } as const;
/** Pixels that all frames of a video may have together: 90 % of a 128,000-token context. */
export const videoPixelBudget = Math.trunc(128000 * cellSize ** 2 * 0.9);

export interface VideoPixelOptions {
  readonly minPixels?: number;
  /** Pixels per frame asked for; never above what the budget leaves to each frame. */
  readonly maxPixels?: number;
  readonly totalPixels?: number;
}

/** Pixels that one of `numFrames` frames may have. */
export function maxPixelsPerFrame(numFrames: number, options: VideoPixelOptions = {}): number {
  const { minPixels = videoPixelLimits.minPixels, totalPixels = videoPixelBudget } = options;
  const share = (totalPixels / numFrames) * framesPerPatch;
  const cap = Math.max(Math.min(videoPixelLimits.maxPixels, share), Math.trunc(minPixels * 1.05));
  return Math.min(options.maxPixels ?? cap, cap);
}

/**
 * The size nearest to `size` whose sides are multiples of 28 and whose area lies in [minPixels, maxPixels], the aspect
 * kept as far as that allows.
 *
 * @throws OppoError ERR_FRAME_SIZE where one side is more than 200 times the other
 */
export function smartResize(size: FrameSize, limits: { minPixels: number; maxPixels: number }): FrameSize {
  const { height, width } = size;
  const { minPixels, maxPixels } = limits;
  if (Math.max(height, width) / Math.min(height, width) > 200) {
    throw new OppoError(
      "ERR_FRAME_SIZE",
      `smartResize: expected an aspect ratio of at most 200, got ${height} x ${width}. Crop it first.`,
    );
  }
  let h = Math.max(cellSize, roundHalfToEven(height / cellSize) * cellSize);
  let w = Math.max(cellSize, roundHalfToEven(width / cellSize) * cellSize);
  if (h * w > maxPixels) {
    const beta = Math.sqrt((height * width) / maxPixels);
    h = Math.max(cellSize, Math.floor(height / beta / cellSize) * cellSize);
    w = Math.max(cellSize, Math.floor(width / beta / cellSize) * cellSize);
  } else if (h * w < minPixels) {
    const beta = Math.sqrt(minPixels / (height * width));
    h = Math.ceil((height * beta) / cellSize) * cellSize;
    w = Math.ceil((width * beta) / cellSize) * cellSize;
  }
  return { height: h, width: w };
}
