// Resizing against torchvision, byte for byte.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { MediaClip } from "../../src/media/clip.ts";
import { resizeClip, resizeFrames } from "../../src/media/resize.ts";
import { readGolden } from "../support/safetensors.ts";
import { sharedPath } from "../support/shared.ts";
import { channelsLast } from "./channels-last.ts";

const golden = "golden/qwen-omni/vision/vision.safetensors";

test("bytes equal torchvision's antialiased bicubic, smaller and larger", (t) => {
  const path = sharedPath(golden);
  if (path === null) return t.skip(`no ${golden}`);
  const read = readGolden(path);
  for (let i = 0; i < 4; i++) {
    const source = channelsLast(read(`rs_in_${i}`));
    const expected = channelsLast(read(`rs_u8_${i}`));
    assert.deepEqual(resizeFrames(source.pixels, source, expected), expected.pixels, `case ${i}`);
  }
  const source = channelsLast(read("rs_in_0"));
  const expected = channelsLast(read("rs_u8_0"));
  source.pixels[(50 * 150 + 75) * 3]! += 40;
  assert.notDeepEqual(resizeFrames(source.pixels, source, expected), expected.pixels, "one changed pixel must show");
});

test("a plain colour stays, and the overshoot beside an edge is clamped", () => {
  const plain = new Uint8Array(64 * 64 * 3).fill(200);
  assert.ok(resizeFrames(plain, { height: 64, width: 64 }, { height: 28, width: 56 }).every((level) => level === 200));
  const edge = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (Math.floor(i / 3) % 8 < 4 ? 0 : 255));
  const larger = resizeFrames(edge, { height: 8, width: 8 }, { height: 8, width: 32 });
  assert.deepEqual([Math.min(...larger), Math.max(...larger)], [0, 255]);
});

test("a clip keeps everything but its size", () => {
  const clip: MediaClip = {
    frames: new Uint8Array(2 * 8 * 8 * 3),
    numFrames: 2,
    height: 8,
    width: 8,
    fps: 2,
    waveform: new Float32Array(10),
    sampleRateHz: 16000,
    durationSeconds: 1,
  };
  const resized = resizeClip(clip, { height: 4, width: 6 });
  assert.deepEqual([resized.height, resized.width, resized.frames.length], [4, 6, 2 * 4 * 6 * 3]);
  assert.equal(resized.waveform, clip.waveform);
  assert.equal(resizeClip(clip, { height: 8, width: 8 }).frames, clip.frames, "the same size costs nothing");
  const none = { ...clip, frames: new Uint8Array(0), numFrames: 0, height: 0, width: 0 };
  assert.equal(resizeClip(none, { height: 4, width: 6 }).frames.length, 0);
});
