// Masks of a part: what lies inside is as under the whole mask, what lies outside as in the clip.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MediaClip } from "../../src/media/clip.ts";
import { applyLocalMask, type MaskPart } from "../../src/media/local-mask.ts";
import { applyMask } from "../../src/media/mask.ts";

/** No two neighbours are alike. */
const clip: MediaClip = {
  frames: Uint8Array.from({ length: 4 * 56 * 84 * 3 }, (_, i) => (i * 7) % 251),
  numFrames: 4,
  height: 56,
  width: 84,
  fps: 2,
  waveform: Float32Array.from({ length: 32_000 }, (_, i) => Math.sin(i)),
  sampleRateHz: 16_000,
  durationSeconds: 2,
};
const part: MaskPart = { from: 0.5, to: 1, left: 0.25, top: 0, right: 0.75, bottom: 0.5 };

test("a rectangle of the picture in half of the time", () => {
  const mask = { modality: "video", kind: "grey", ratio: 1, seed: 0 } as const;
  const whole = applyMask(clip, mask).frames;
  const { frames, waveform } = applyLocalMask(clip, { ...mask, part });
  assert.equal(waveform, clip.waveform);
  const { numFrames, height, width } = clip;
  let numInside = 0;
  for (let i = 0; i < frames.length; i++) {
    const pixel = Math.floor(i / 3);
    const [x, y, t] = [pixel % width, Math.floor(pixel / width) % height, Math.floor(pixel / (width * height))];
    const isInside =
      t >= Math.floor(numFrames / 2) &&
      x >= Math.floor(width / 4) &&
      x < Math.ceil(0.75 * width) &&
      y < Math.ceil(height / 2);
    if (isInside) numInside++;
    if (frames[i] !== (isInside ? whole : clip.frames)[i]) assert.fail(`frame ${t}, row ${y}, column ${x}`);
  }
  assert.ok(numInside > 0 && numInside < frames.length);
  assert.notDeepEqual(frames, clip.frames);
});

test("a stretch of the sound, and everything where no part is named", () => {
  const mask = { modality: "audio", kind: "quiet", ratio: 1, seed: 0 } as const;
  const { waveform } = applyLocalMask(clip, { ...mask, part });
  const half = Math.floor(waveform.length / 2);
  assert.deepEqual(waveform.subarray(0, half), clip.waveform.subarray(0, half));
  assert.ok(waveform.subarray(half).every((sample) => sample === 0));
  assert.deepEqual(applyLocalMask(clip, mask), applyMask(clip, mask));
  const everything = { from: 0, to: 1, left: 0, top: 0, right: 1, bottom: 1 };
  assert.deepEqual(applyLocalMask(clip, { ...mask, part: everything }).waveform, applyMask(clip, mask).waveform);
});
