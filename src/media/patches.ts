// Frames to the rows that the vision encoder reads: normalised with CLIP's mean and deviation, two frames to a temporal
// patch, 14 x 14 pixels to a patch, four patches of a merged cell next to each other.

import { OppoError } from "../error.ts";
import { cellSize, framesPerPatch, patchSize } from "./sampling.ts";

/** Values per row: 3 channels x 2 frames x 14 x 14 pixels. */
export const patchValues = 3 * framesPerPatch * patchSize ** 2;

const channelMeans = [0.48145466, 0.4578275, 0.40821073] as const;
const channelDeviations = [0.26862954, 0.26130258, 0.27577711] as const;

export interface PatchGrid {
  /** Frame pairs. */
  readonly time: number;
  /** Patches, not merged cells. */
  readonly height: number;
  readonly width: number;
}

export interface VideoPatches {
  /** Row-major [time * height * width, 1176]; a row is [channel 3, frame 2, y 14, x 14]. */
  readonly values: Float32Array;
  readonly grid: PatchGrid;
}

/** Frames with both sides a multiple of 28; of an odd number of frames the last one counts twice. */
export interface PatchInput {
  /** RGB, row-major [numFrames, height, width, 3]. */
  readonly frames: Uint8Array;
  readonly numFrames: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Rows in the order of time, cell row, cell column, and inside a cell its four patches row by row.
 *
 * @throws OppoError ERR_FRAME_SIZE where a side is no multiple of 28 or there is no frame
 */
export function patchify({ frames, numFrames, height, width }: PatchInput): VideoPatches {
  if (numFrames < 1 || height % cellSize !== 0 || width % cellSize !== 0) {
    throw new OppoError(
      "ERR_FRAME_SIZE",
      `patchify: expected frames with sides that are multiples of ${cellSize}, got ${numFrames} of ${height} x ${width}. Resize them first.`,
    );
  }
  const grid = { time: Math.ceil(numFrames / framesPerPatch), height: height / patchSize, width: width / patchSize };
  const values = new Float32Array(grid.time * grid.height * grid.width * patchValues);
  const levels = normalisedLevels();
  const frameBytes = height * width * 3;
  let at = 0;
  for (let time = 0; time < grid.time; time++) {
    const firstFrame = time * framesPerPatch * frameBytes;
    const secondFrame = Math.min(time * framesPerPatch + 1, numFrames - 1) * frameBytes;
    for (let cellY = 0; cellY < height; cellY += cellSize) {
      for (let cellX = 0; cellX < width; cellX += cellSize) {
        for (let patch = 0; patch < 4; patch++) {
          const y = cellY + (patch >> 1) * patchSize;
          const x = cellX + (patch & 1) * patchSize;
          const corner = (y * width + x) * 3;
          writePatch(values, at, frames, firstFrame + corner, secondFrame + corner, width * 3, levels);
          at += patchValues;
        }
      }
    }
  }
  return { values, grid };
}

function writePatch(
  values: Float32Array,
  start: number,
  frames: Uint8Array,
  first: number,
  second: number,
  stride: number,
  levels: Float32Array,
): void {
  let at = start;
  for (let channel = 0; channel < 3; channel++) {
    const table = channel * 256;
    for (let frame = 0; frame < framesPerPatch; frame++) {
      let row = (frame === 0 ? first : second) + channel;
      for (let y = 0; y < patchSize; y++) {
        for (let x = 0; x < patchSize; x++) values[at++] = levels[table + frames[row + 3 * x]!]!;
        row += stride;
      }
    }
  }
}

/** [channel, level]: (level - 255 mean) / (255 deviation) in float32. */
function normalisedLevels(): Float32Array {
  const table = new Float32Array(3 * 256);
  for (let channel = 0; channel < 3; channel++) {
    const mean = Math.fround(Math.fround(channelMeans[channel]!) * 255);
    const deviation = Math.fround(Math.fround(channelDeviations[channel]!) * 255);
    for (let level = 0; level < 256; level++) table[channel * 256 + level] = Math.fround(level - mean) / deviation;
  }
  return table;
}
