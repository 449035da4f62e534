// How a picture must be turned to stand upright: a video's display matrix, a photograph's EXIF orientation. One of the eight
// ways to lay a rectangle on a rectangle.

import type { FrameSize } from "../sampling.ts";

/**
 * A pixel at (x, y), counted from the middle, is shown at (a x + c y, b x + d y); x to the right, y downwards. Entries are
 * -1, 0 or 1.
 */
export interface Orientation {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

export const upright: Orientation = { a: 1, b: 0, c: 0, d: 1 };

/** By EXIF's number, 1 to 8 (EXIF 2.32, table 6). */
const exifOrientations: readonly Orientation[] = [
  upright,
  { a: -1, b: 0, c: 0, d: 1 },
  { a: -1, b: 0, c: 0, d: -1 },
  { a: 1, b: 0, c: 0, d: -1 },
  { a: 0, b: 1, c: 1, d: 0 },
  { a: 0, b: 1, c: -1, d: 0 },
  { a: 0, b: -1, c: -1, d: 0 },
  { a: 0, b: -1, c: 1, d: 0 },
];

/** Numbers that EXIF does not know mean nothing. */
export function exifOrientation(value: number): Orientation {
  return exifOrientations[value - 1] ?? upright;
}

/** Share of a matrix that may lie off the nearest quarter turn. */
const tolerance = 0.02;

/**
 * Of FFmpeg's display matrix: nine int32 in the machine's order, (a b u, c d v, x y w) in 16.16 fixed point.
 * null where it is no quarter turn: such a picture stays as it is coded.
 */
export function matrixOrientation(matrix: Uint8Array): Orientation | null {
  if (matrix.length < 36) return upright;
  const entries = new Int32Array(matrix.slice(0, 36).buffer);
  const [a, b, c, d] = [entries[0]!, entries[1]!, entries[3]!, entries[4]!];
  const scale = Math.max(...[a, b, c, d].map(Math.abs));
  // FFmpeg takes an empty matrix for none.
  if (scale === 0) return upright;
  const [main, cross] = [Math.min(Math.abs(a), Math.abs(d)), Math.min(Math.abs(b), Math.abs(c))];
  const limit = tolerance * scale;
  if (main > limit && Math.max(Math.abs(b), Math.abs(c)) <= limit) {
    return { a: Math.sign(a), b: 0, c: 0, d: Math.sign(d) };
  }
  if (cross > limit && Math.max(Math.abs(a), Math.abs(d)) <= limit) {
    return { a: 0, b: Math.sign(b), c: Math.sign(c), d: 0 };
  }
  return null;
}

export function isUpright({ a, d }: Orientation): boolean {
  return a === 1 && d === 1;
}

export function shownSize({ height, width }: FrameSize, { a }: Orientation): FrameSize {
  return a === 0 ? { height: width, width: height } : { height, width };
}

/** RGB pixels as they are shown: row-major [height, width, 3] of `size` in, of `shownSize` out. */
export function turnPixels(pixels: Uint8Array, size: FrameSize, orientation: Orientation): Uint8Array {
  if (isUpright(orientation)) return pixels;
  const { a, b, c, d } = orientation;
  const { width } = shownSize(size, orientation);
  const out = new Uint8Array(pixels.length);
  // Where the first pixel goes, and how far a step to the right and a step downwards lead.
  const startX = a + c < 0 ? (a === 0 ? size.height : size.width) - 1 : 0;
  const startY = b + d < 0 ? (d === 0 ? size.width : size.height) - 1 : 0;
  const right = 3 * (a + b * width);
  const down = 3 * (c + d * width);
  let from = 0;
  for (let y = 0; y < size.height; y++) {
    let to = 3 * (startX + startY * width) + y * down;
    for (let x = 0; x < size.width; x++, from += 3, to += right) {
      out[to] = pixels[from]!;
      out[to + 1] = pixels[from + 1]!;
      out[to + 2] = pixels[from + 2]!;
    }
  }
  return out;
}
