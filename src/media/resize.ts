// Bicubic resizing with antialiasing (a = -0.5), as `aten::_upsample_bicubic2d_aa` does it on float32: weights and sums
// in float32 with fused multiply-adds (a float64 step rounded once), the rows first, no rounding to levels in between;
// then clamped to 0..255 and rounded half to even. Videos of Qwen2.5-Omni are resized like this (images are not:
// Pillow's 8-bit filter is another one).

import type { MediaClip } from "./clip.ts";
import type { FrameSize } from "./sampling.ts";

/** For every output position the first input position, the number of taps, and their weights. */
interface FilterTaps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** [output, maxTaps] */
  readonly weights: Float32Array;
  readonly maxTaps: number;
}

/** The clip with frames of another size. The waveform is shared. */
export function resizeClip(clip: MediaClip, size: FrameSize): MediaClip {
  const frames = resizeFrames(clip.frames, clip, size);
  return { ...clip, frames, height: size.height, width: size.width };
}

/** RGB [frames, from.height, from.width, 3] to [frames, to.height, to.width, 3]. The same array where nothing changes. */
export function resizeFrames(frames: Uint8Array, from: FrameSize, to: FrameSize): Uint8Array {
  if (from.height === to.height && from.width === to.width) return frames;
  const inputSize = from.height * from.width * 3;
  const outputSize = to.height * to.width * 3;
  const numFrames = inputSize === 0 ? 0 : frames.length / inputSize;
  const out = new Uint8Array(numFrames * outputSize);
  const resize = createResizer(from, to);
  for (let i = 0; i < numFrames; i++) {
    resize(frames.subarray(i * inputSize, (i + 1) * inputSize), out.subarray(i * outputSize, (i + 1) * outputSize));
  }
  return out;
}

/** Resizes one frame into `out`; keeps its tables and work space for the next one. */
export type FrameResizer = (source: Uint8Array, out: Uint8Array) => void;

export function createResizer(from: FrameSize, to: FrameSize): FrameResizer {
  const horizontal = filterTaps(from.width, to.width);
  const vertical = filterTaps(from.height, to.height);
  const rows = new Float32Array(from.height * to.width * 3);
  return (source, out) => {
    resizeRows(source, rows, from.height, from.width, to.width, horizontal);
    resizeColumns(rows, out, to, vertical);
  };
}

function resizeRows(
  source: Uint8Array,
  rows: Float32Array,
  height: number,
  width: number,
  newWidth: number,
  { first, count, weights, maxTaps }: FilterTaps,
): void {
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < newWidth; x++) {
      let from = (y * width + first[x]!) * 3;
      const firstWeight = x * maxTaps;
      const end = firstWeight + count[x]!;
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let k = firstWeight; k < end; k++) {
        const weight = weights[k]!;
        red = Math.fround(red + weight * source[from]!);
        green = Math.fround(green + weight * source[from + 1]!);
        blue = Math.fround(blue + weight * source[from + 2]!);
        from += 3;
      }
      rows[at] = red;
      rows[at + 1] = green;
      rows[at + 2] = blue;
      at += 3;
    }
  }
}

function resizeColumns(
  rows: Float32Array,
  out: Uint8Array,
  { height, width }: FrameSize,
  { first, count, weights, maxTaps }: FilterTaps,
): void {
  const stride = width * 3;
  const sums = new Float32Array(stride);
  // Stores round half to even and clamp, which is what is wanted here.
  const levels = new Uint8ClampedArray(out.buffer, out.byteOffset, out.length);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let tap = 0; tap < count[y]!; tap++) {
      const weight = weights[y * maxTaps + tap]!;
      const from = (first[y]! + tap) * stride;
      for (let i = 0; i < stride; i++) sums[i] = sums[i]! + weight * rows[from + i]!;
    }
    levels.set(sums, y * stride);
  }
}

function filterTaps(inputSize: number, outputSize: number): FilterTaps {
  const scale = Math.fround(inputSize / outputSize);
  // Enlarging does not widen the filter.
  const support = scale >= 1 ? Math.fround(2 * scale) : 2;
  const inverseScale = scale >= 1 ? Math.fround(1 / scale) : 1;
  const maxTaps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outputSize);
  const count = new Int32Array(outputSize);
  const weights = new Float32Array(outputSize * maxTaps);
  for (let i = 0; i < outputSize; i++) {
    const centre = Math.fround(scale * (i + 0.5));
    const low = Math.max(Math.trunc(Math.fround(centre - support) + 0.5), 0);
    const high = Math.min(Math.trunc(Math.fround(centre + support) + 0.5), inputSize);
    first[i] = low;
    count[i] = high - low;
    let sum = 0;
    for (let j = 0; j < high - low; j++) {
      const weight = cubic(Math.fround((Math.fround(j + low - centre) + 0.5) * inverseScale));
      weights[i * maxTaps + j] = weight;
      sum = Math.fround(sum + weight);
    }
    for (let j = 0; j < high - low; j++) weights[i * maxTaps + j] = weights[i * maxTaps + j]! / sum;
  }
  return { first, count, weights, maxTaps };
}

/** Keys' cubic with a = -0.5; the outer part rounds to float32 after every multiply-add, the inner one only at the end. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return Math.fround((1.5 * x - 2.5) * x * x + 1);
  if (x < 2) return -0.5 * Math.fround(Math.fround(Math.fround(x - 5) * x + 8) * x - 4);
  return 0;
}
