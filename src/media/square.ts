// Pictures of one square size, as SigLIP's processor makes them of frames: squashed, or padded to a square with grey first.

import { resizeImage } from "./resize-image.ts";
import type { FrameSize } from "./sampling.ts";

export interface SquareFit {
  /** In pixels. */
  readonly side: number;
  /** Padded: the picture lies in the middle of a grey square of its longer side; squashed: its sides change apart. */
  readonly shape: "squash" | "pad";
}

/** SigLIP's mean of .5 as a level. */
const grey = 127;

/** RGB [height, width, 3] to [side, side, 3], resized as Pillow does it. */
export function fitSquare(pixels: Uint8Array, from: FrameSize, { side, shape }: SquareFit): Uint8Array {
  const to = { height: side, width: side };
  if (shape === "squash" || from.height === from.width) return resizeImage(pixels, from, to);
  const longer = Math.max(from.height, from.width);
  const top = Math.floor((longer - from.height) / 2);
  const left = Math.floor((longer - from.width) / 2);
  const canvas = new Uint8Array(longer * longer * 3).fill(grey);
  const rowBytes = from.width * 3;
  for (let y = 0; y < from.height; y++) {
    canvas.set(pixels.subarray(y * rowBytes, (y + 1) * rowBytes), ((top + y) * longer + left) * 3);
  }
  return resizeImage(canvas, { height: longer, width: longer }, to);
}
