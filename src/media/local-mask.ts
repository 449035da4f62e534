// A mask of a part of a clip: a rectangle of the picture, a stretch of time, or both; of sound a stretch of time. The whole clip is
// masked and what lies outside is put back, so that every kind of mask and every dose means there what it means everywhere.
import type { MediaClip, ModalityMask } from "./clip.ts";
import { applyMask } from "./mask.ts";

/** Shares of the clip from 0 to 1: of its length, of the picture's width and height. */
export interface MaskPart {
  readonly from: number;
  readonly to: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface LocalMask extends ModalityMask {
  /** Left out: everything. */
  readonly part?: MaskPart | undefined;
}

/** @throws OppoError ERR_MASK_RATIO, ERR_MASK_KIND */
export function applyLocalMask(clip: MediaClip, { part, ...mask }: LocalMask): MediaClip {
  const masked = applyMask(clip, mask);
  if (part === undefined) return masked;
  return mask.modality === "video"
    ? { ...clip, frames: framesWithin(clip, masked.frames, part) }
    : { ...clip, waveform: soundWithin(clip, masked.waveform, part) };
}

function framesWithin(clip: MediaClip, masked: Uint8Array, part: MaskPart): Uint8Array {
  const { numFrames, height, width } = clip;
  const frames = clip.frames.slice();
  const span = (from: number, to: number, size: number) => [Math.floor(from * size), Math.ceil(to * size)] as const;
  const [firstFrame, endFrame] = span(part.from, part.to, numFrames);
  const [top, bottom] = span(part.top, part.bottom, height);
  const [left, right] = span(part.left, part.right, width);
  for (let frame = firstFrame; frame < Math.min(numFrames, endFrame); frame++) {
    for (let y = top; y < Math.min(height, bottom); y++) {
      const row = (frame * height + y) * width;
      const [start, end] = [(row + left) * 3, (row + Math.min(width, right)) * 3];
      frames.set(masked.subarray(start, end), start);
    }
  }
  return frames;
}

function soundWithin({ waveform }: MediaClip, masked: Float32Array, { from, to }: MaskPart): Float32Array {
  const out = waveform.slice();
  const [start, end] = [Math.floor(from * out.length), Math.ceil(to * out.length)];
  out.set(masked.subarray(start, end), start);
  return out;
}
