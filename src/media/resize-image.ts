// Bicubic resizing (a = -0.5) as Pillow does it to 8-bit images: fixed-point weights, columns first, rounded to levels in
// between. qwen-omni-utils resizes images like this; videos go through resize.ts, whose numbers are others.

import type { FrameSize } from "./sampling.ts";

/** Fractional bits of a weight: 8 bits of level and 2 of overshoot leave 22 of 32. */
const precisionBits = 22;
const half = 1 << (precisionBits - 1);

/** For every output position the first input position and its fixed-point weights. */
interface PixelTaps {
  readonly first: Int32Array;
  readonly weights: readonly Int32Array[];
}

/** RGB [from.height, from.width, 3] to [to.height, to.width, 3]. The same array where nothing changes. */
export function resizeImage(pixels: Uint8Array, from: FrameSize, to: FrameSize): Uint8Array {
  const wide = from.width === to.width ? pixels : resizeWidth(pixels, from, to.width);
  return from.height === to.height ? wide : resizeHeight(wide, { height: from.height, width: to.width }, to.height);
}

function resizeWidth(pixels: Uint8Array, { height, width }: FrameSize, newWidth: number): Uint8Array {
  const { first, weights } = pixelTaps(width, newWidth);
  const out = new Uint8ClampedArray(height * newWidth * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < newWidth; x++) {
      const own = weights[x]!;
      const start = (y * width + first[x]!) * 3;
      for (let channel = 0; channel < 3; channel++) {
        out[(y * newWidth + x) * 3 + channel] = level(pixels, start + channel, 3, own);
      }
    }
  }
  return new Uint8Array(out.buffer);
}

function resizeHeight(pixels: Uint8Array, { height, width }: FrameSize, newHeight: number): Uint8Array {
  const { first, weights } = pixelTaps(height, newHeight);
  const stride = width * 3;
  const out = new Uint8ClampedArray(newHeight * stride);
  for (let y = 0; y < newHeight; y++) {
    const start = first[y]! * stride;
    for (let i = 0; i < stride; i++) out[y * stride + i] = level(pixels, start + i, stride, weights[y]!);
  }
  return new Uint8Array(out.buffer);
}

/** The rounded weighted sum of levels `step` apart; storing clamps it. */
function level(pixels: Uint8Array, start: number, step: number, weights: Int32Array): number {
  let sum = half;
  for (let k = 0, at = start; k < weights.length; k++, at += step) sum += pixels[at]! * weights[k]!;
  return sum >> precisionBits;
}

function pixelTaps(inputSize: number, outputSize: number): PixelTaps {
  const scale = inputSize / outputSize;
  const stretch = Math.max(scale, 1);
  const support = 2 * stretch;
  const first = new Int32Array(outputSize);
  const weights = Array.from({ length: outputSize }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const low = Math.max(Math.trunc(centre - support + 0.5), 0);
    const high = Math.min(Math.trunc(centre + support + 0.5), inputSize);
    first[i] = low;
    const exact = Float64Array.from({ length: high - low }, (_, k) => cubic((k + low + 0.5 - centre) / stretch));
    const sum = exact.reduce((total, weight) => total + weight, 0);
    return Int32Array.from(exact, (weight) => {
      const scaled = (weight / sum) * 2 ** precisionBits;
      return Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    });
  });
  return { first, weights };
}

/** Keys' cubic with a = -0.5. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return -0.5 * (((x - 5) * x + 8) * x - 4);
  return 0;
}
