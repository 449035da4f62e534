// Patches against the processor of Qwen2.5-Omni, bit for bit.

import assert from "node:assert/strict";
import { test } from "node:test";
import { patchify, patchValues } from "../../src/media/patches.ts";
import { readGolden } from "../support/safetensors.ts";
import { sharedPath } from "../support/shared.ts";
import { channelsLast } from "./channels-last.ts";

const golden = "golden/qwen-omni/vision/vision.safetensors";
const caseGolden = "golden/qwen-omni/cases/audio_video_separate.safetensors";

test("videos and images give the reference's rows", (t) => {
  const path = sharedPath(golden);
  if (path === null) return t.skip(`no ${golden}`);
  const read = readGolden(path);
  const names = [0, 1, 2, 3, 4].map((i) => `pv_IN_${i}`).concat([0, 1, 2].map((i) => `pi_IN_${i}`));
  for (const name of names) {
    const source = channelsLast(read(name.replace("IN", "in")));
    const { values, grid } = patchify({ ...source, frames: source.pixels });
    const expectedGrid = [...(read(name.replace("IN", "grid")).data as BigInt64Array)].map(Number);
    assert.deepEqual([grid.time, grid.height, grid.width], expectedGrid, name);
    assert.deepEqual(values, read(name.replace("IN", "pixels")).data, name);
  }
  const source = channelsLast(read("pv_in_4"));
  const swapped = patchify({ ...source, frames: source.pixels.slice().reverse() });
  assert.notDeepEqual(swapped.values, read("pv_pixels_4").data, "another order must show");
});

test("the raw frames of a whole case give its processor output", (t) => {
  const path = sharedPath(caseGolden);
  if (path === null) return t.skip(`no ${caseGolden}`);
  const read = readGolden(path);
  const source = channelsLast(read("raw.video_0"));
  assert.deepEqual(patchify({ ...source, frames: source.pixels }).values, read("in.pixel_values_videos").data);
});

test("row order: cells row by row, four patches to a cell; an odd last frame counts twice", () => {
  // 3 frames of 28 x 56; red = 100 * frame + the number of the patch in reading order (4 across, 2 down).
  const [numFrames, height, width] = [3, 28, 56];
  const frames = new Uint8Array(numFrames * height * width * 3);
  for (let i = 0; i < numFrames * height * width; i++) {
    const [frame, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    frames[i * 3] = 100 * frame + 4 * Math.floor(y / 14) + Math.floor(x / 14);
  }
  const { values, grid } = patchify({ frames, numFrames, height, width });
  assert.deepEqual(grid, { time: 2, height: 2, width: 4 });
  const red = (row: number, frame: number) => {
    const value = values[row * patchValues + frame * 196]!;
    return Math.abs(Math.round(value * 0.26862954 * 255 + 0.48145466 * 255));
  };
  const order = [0, 1, 4, 5, 2, 3, 6, 7];
  for (let row = 0; row < 8; row++) {
    assert.deepEqual([red(row, 0), red(row, 1)], [order[row]!, 100 + order[row]!]);
    assert.deepEqual([red(row + 8, 0), red(row + 8, 1)], [200 + order[row]!, 200 + order[row]!]);
  }
  assert.throws(() => patchify({ frames, numFrames, height: 21, width: 56 }), /multiples of 28, got 3 of 21 x 56/);
});
