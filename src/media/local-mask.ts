// A mask of a part of a clip: a rectangle of the picture or cells of it that were painted, a stretch of time, a band of the sound's
// frequencies. The whole clip is masked and what lies outside is put back, so that every kind of mask and every dose means there what it
// means everywhere.
import { type Band, bandOf } from "./band.ts";
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
  /** Of the picture: what lies in one of these cells as well. Left out: all that lies in the rectangle. */
  readonly painted?: PaintedCells | undefined;
  /** Of the sound; left out: every frequency. */
  readonly band?: Band | undefined;
}

/** Cells of a grid that covers the picture. */
export interface PaintedCells {
  readonly columns: number;
  readonly rows: number;
  /** Row-major indices. */
  readonly cells: readonly number[];
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
  const stretches = stretchesOf(part.painted, width, height);
  for (let frame = firstFrame; frame < Math.min(numFrames, endFrame); frame++) {
    for (let y = top; y < Math.min(height, bottom); y++) {
      const row = (frame * height + y) * width;
      for (const [from, to] of stretches(y)) {
        const [start, end] = [(row + Math.max(left, from)) * 3, (row + Math.min(width, right, to)) * 3];
        if (start < end) frames.set(masked.subarray(start, end), start);
      }
    }
  }
  return frames;
}

type Stretch = readonly [from: number, to: number];

/** What of a row of pixels is painted. */
function stretchesOf(painted: PaintedCells | undefined, width: number, height: number): (y: number) => Stretch[] {
  if (painted === undefined) return () => [[0, width]];
  const { columns, rows, cells } = painted;
  const edge = (column: number) => Math.round((column * width) / columns);
  const ofRow = Array.from({ length: rows }, (): Stretch[] => []);
  for (const cell of new Set(cells)) {
    const column = cell % columns;
    ofRow[Math.floor(cell / columns)]?.push([edge(column), edge(column + 1)]);
  }
  return (y) => ofRow[Math.min(rows - 1, Math.floor(((y + 0.5) * rows) / height))]!;
}

function soundWithin(clip: MediaClip, masked: Float32Array, { from, to, band }: MaskPart): Float32Array {
  const { waveform, sampleRateHz } = clip;
  const out = waveform.slice();
  const [start, end] = [Math.floor(from * out.length), Math.ceil(to * out.length)];
  if (band === undefined) {
    out.set(masked.subarray(start, end), start);
    return out;
  }
  const difference = bandOf(
    masked.map((sample, i) => sample - waveform[i]!),
    sampleRateHz,
    band,
  );
  for (let i = start; i < end; i++) out[i]! += difference[i]!;
  return out;
}
