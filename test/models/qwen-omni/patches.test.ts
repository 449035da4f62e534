// Patches against the processor of Qwen2.5-Omni, bit for bit.

import assert from "node:assert/strict";
import { test } from "node:test";
import { applyMask, maskedCells } from "../../../src/media/mask.ts";
import { gridOf, type PatchInput, patchRows, patchValues } from "../../../src/models/qwen-omni/patches.ts";
import { channelsLast } from "../../media/channels-last.ts";
import { onHost, testDevice } from "../../support/device.ts";
import { readGolden } from "../../support/safetensors.ts";
import { sharedPath } from "../../support/shared.ts";

const golden = "golden/qwen-omni/vision/vision.safetensors";
const caseGolden = "golden/qwen-omni/cases/audio_video_separate.safetensors";

const rowsOf = (input: Omit<PatchInput, "blackCells"> & Partial<PatchInput>): Float32Array =>
  onHost(patchRows({ blackCells: null, ...input }, { dtype: "float32", device: testDevice })).toFloat32Array();

test("videos and images give the reference's rows", (t) => {
  const path = sharedPath(golden);
  if (path === null) return t.skip(`no ${golden}`);
  const read = readGolden(path);
  const names = [0, 1, 2, 3, 4].map((i) => `pv_IN_${i}`).concat([0, 1, 2].map((i) => `pi_IN_${i}`));
  for (const name of names) {
    const source = channelsLast(read(name.replace("IN", "in")));
    const values = rowsOf({ ...source, frames: source.pixels });
    const expectedGrid = [...(read(name.replace("IN", "grid")).data as BigInt64Array)].map(Number);
    assert.deepEqual(gridOf(source), expectedGrid, name);
    assert.deepEqual(values, read(name.replace("IN", "pixels")).data, name);
  }
  const source = channelsLast(read("pv_in_4"));
  const swapped = rowsOf({ ...source, frames: source.pixels.slice().reverse() });
  assert.notDeepEqual(swapped, read("pv_pixels_4").data, "another order must show");
});

test("the raw frames of a whole case give its processor output", (t) => {
  const path = sharedPath(caseGolden);
  if (path === null) return t.skip(`no ${caseGolden}`);
  const read = readGolden(path);
  const source = channelsLast(read("raw.video_0"));
  assert.deepEqual(rowsOf({ ...source, frames: source.pixels }), read("in.pixel_values_videos").data);
});

test("row order: cells row by row, four patches to a cell; an odd last frame counts twice", () => {
  // 3 frames of 28 x 56; red = 100 * frame + the number of the patch in reading order (4 across, 2 down).
  const [numFrames, height, width] = [3, 28, 56];
  const frames = new Uint8Array(numFrames * height * width * 3);
  for (let i = 0; i < numFrames * height * width; i++) {
    const [frame, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    frames[i * 3] = 100 * frame + 4 * Math.floor(y / 14) + Math.floor(x / 14);
  }
  const values = rowsOf({ frames, numFrames, height, width });
  assert.deepEqual(gridOf({ numFrames, height, width }), [2, 2, 4]);
  const red = (row: number, frame: number) => {
    const value = values[row * patchValues + frame * 196]!;
    return Math.abs(Math.round(value * 0.26862954 * 255 + 0.48145466 * 255));
  };
  const order = [0, 1, 4, 5, 2, 3, 6, 7];
  for (let row = 0; row < 8; row++) {
    assert.deepEqual([red(row, 0), red(row, 1)], [order[row]!, 100 + order[row]!]);
    assert.deepEqual([red(row + 8, 0), red(row + 8, 1)], [200 + order[row]!, 200 + order[row]!]);
  }
  assert.throws(() => rowsOf({ frames, numFrames, height: 21, width: 56 }), /multiples of 28, got 3 of 21 x 56/);
});

test("cells that are black on the device are those that a mask makes black on the host", () => {
  const [numFrames, height, width] = [5, 84, 56];
  const frames = Uint8Array.from({ length: numFrames * height * width * 3 }, (_, i) => 1 + ((i * 7919) % 255));
  const silent = { waveform: new Float32Array(0), sampleRateHz: 16000, durationSeconds: 2.5, fps: 2 };
  const clip = { frames, numFrames, height, width, ...silent };
  const masks = [0.3, 0.7, 1].map((ratio, seed) => ({ modality: "video" as const, ratio, seed }));
  for (const mask of masks) {
    const blackCells = maskedCells(clip, [mask]);
    assert.equal(blackCells!.length, Math.round(mask.ratio * 18));
    assert.deepEqual(rowsOf({ ...clip, blackCells }), rowsOf(applyMask(clip, mask)));
  }
  const [first, second] = masks as [(typeof masks)[0], (typeof masks)[0]];
  const both = rowsOf({ ...clip, blackCells: maskedCells(clip, [first, second]) });
  assert.deepEqual(both, rowsOf(applyMask(applyMask(clip, first), second)));
  assert.notDeepEqual(both, rowsOf(applyMask(clip, first)));
  assert.equal(maskedCells(clip, [{ ...first, kind: "blur" }]), null);
});
