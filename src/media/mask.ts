// Modality masks: the counterfactual clips of Eq. 6. A random share of the units of one modality is set to zero: black
// pixels, silent samples. A unit is what becomes one token: a cell of 28 x 28 pixels in two frames, or 40 ms of sound.
//
// The paper says "a random ratio" and leaves the unit and the count open: here exactly round(ratio * units) of them.

import { OppoError } from "../error.ts";
import { createRandom } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import type { MediaClip, ModalityMask } from "./clip.ts";
import { degrade, isOfUnits } from "./degrade/degrade.ts";
import { cellSize, framesPerPatch } from "./sampling.ts";

export interface MaskUnits {
  /** Side of a video cell in pixels of the (resized) clip. */
  readonly cellPixels: number;
  readonly framesPerCell: number;
  readonly audioSeconds: number;
}

export const defaultMaskUnits: MaskUnits = { cellPixels: cellSize, framesPerCell: framesPerPatch, audioSeconds: 0.04 };

/**
 * The clip with a share of one modality removed. Everything else is shared with `clip`, which is not changed. Apply it
 * to the clip as the model sees it, after resizing, so that a unit is a token.
 *
 * @throws OppoError ERR_MASK_RATIO, ERR_MASK_KIND
 */
export function applyMask(clip: MediaClip, mask: ModalityMask, units: MaskUnits = defaultMaskUnits): MediaClip {
  requireRatio(mask.ratio);
  if (!isOfUnits(mask)) return degrade(clip, mask);
  const chosen = maskedUnits(countMaskUnits(clip, mask.modality, units), mask);
  if (chosen.length === 0) return { ...clip };
  return mask.modality === "video"
    ? { ...clip, frames: blacken(clip, chosen, units) }
    : { ...clip, waveform: silence(clip, chosen, units) };
}

/**
 * What video masks make black in a clip whose sides are multiples of a cell: cells by their place in the order of time, row,
 * column, ascending; null where a mask is of another kind than units. @throws OppoError ERR_MASK_RATIO
 */
export function maskedCells(clip: MediaClip, masks: readonly ModalityMask[]): Uint32Array | null {
  if (!masks.every(isOfUnits)) return null;
  const numUnits = countMaskUnits(clip, "video");
  return Uint32Array.from(new Set(masks.flatMap((mask) => [...maskedUnits(numUnits, mask)]))).sort();
}

/** How many units of a modality the clip has; parts of units at the edges count. */
export function countMaskUnits(
  clip: MediaClip,
  modality: ModalityMask["modality"],
  units: MaskUnits = defaultMaskUnits,
): number {
  if (modality === "audio") return Math.ceil(clip.waveform.length / samplesPerUnit(clip, units));
  return (
    Math.ceil(clip.numFrames / units.framesPerCell) *
    Math.ceil(clip.height / units.cellPixels) *
    Math.ceil(clip.width / units.cellPixels)
  );
}

/** The masked ones of `numUnits` units, ascending: exactly round(ratio * numUnits), the same for the same mask. */
export function maskedUnits(numUnits: number, { modality, ratio, seed }: ModalityMask): Uint32Array {
  requireRatio(ratio);
  const count = Math.round(ratio * numUnits);
  const random = createRandom(deriveSeed(seed, modality));
  const order = Uint32Array.from({ length: numUnits }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const other = i + random.int(numUnits - i);
    const unit = order[other]!;
    order[other] = order[i]!;
    order[i] = unit;
  }
  return order.slice(0, count).sort();
}

function requireRatio(ratio: number): void {
  if (ratio >= 0 && ratio <= 1) return;
  throw new OppoError("ERR_MASK_RATIO", `applyMask: expected a ratio between 0 and 1, got ${ratio}. Change the mask.`);
}

function blacken(clip: MediaClip, chosen: Uint32Array, { cellPixels, framesPerCell }: MaskUnits): Uint8Array {
  const { numFrames, height, width } = clip;
  const frames = clip.frames.slice();
  const columns = Math.ceil(width / cellPixels);
  const cellsPerFrame = columns * Math.ceil(height / cellPixels);
  for (const unit of chosen) {
    const firstFrame = Math.floor(unit / cellsPerFrame) * framesPerCell;
    const cell = unit % cellsPerFrame;
    const top = Math.floor(cell / columns) * cellPixels;
    const left = (cell % columns) * cellPixels;
    const bottom = Math.min(top + cellPixels, height);
    const right = Math.min(left + cellPixels, width);
    for (let frame = firstFrame; frame < Math.min(firstFrame + framesPerCell, numFrames); frame++) {
      for (let y = top; y < bottom; y++) {
        const row = (frame * height + y) * width;
        frames.fill(0, (row + left) * 3, (row + right) * 3);
      }
    }
  }
  return frames;
}

function silence(clip: MediaClip, chosen: Uint32Array, units: MaskUnits): Float32Array {
  const waveform = clip.waveform.slice();
  const size = samplesPerUnit(clip, units);
  for (const unit of chosen) waveform.fill(0, unit * size, (unit + 1) * size);
  return waveform;
}

function samplesPerUnit(clip: MediaClip, units: MaskUnits): number {
  return Math.round(units.audioSeconds * clip.sampleRateHz);
}
