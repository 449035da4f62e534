// Masked clips: how much is removed, where, and that nothing else changes.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { MediaClip, Modality } from "../../src/media/clip.ts";
import { applyMask, countMaskUnits, maskedUnits } from "../../src/media/mask.ts";

/** Four frames of 112 x 112, all 255, and 2 s of ones: 32 video cells and 50 audio units. */
function whiteClip(): MediaClip {
  return {
    frames: new Uint8Array(4 * 112 * 112 * 3).fill(255),
    numFrames: 4,
    height: 112,
    width: 112,
    fps: 2,
    waveform: new Float32Array(32000).fill(1),
    sampleRateHz: 16000,
    durationSeconds: 2,
  };
}

const countZeros = (array: ArrayLike<number>): number => Array.from(array).filter((value) => value === 0).length;

test("a theatre clip has 32 video cells and 50 audio units, parts of units counted", () => {
  const clip = whiteClip();
  assert.equal(countMaskUnits(clip, "video"), 32);
  assert.equal(countMaskUnits(clip, "audio"), 50);
  assert.equal(countMaskUnits({ ...clip, waveform: new Float32Array(641) }, "audio"), 2);
  assert.equal(countMaskUnits({ ...clip, numFrames: 3, height: 30 }, "video"), 2 * 2 * 4);
});

test("exactly round(ratio * units) units are removed, whole cells over two frames", () => {
  const clip = whiteClip();
  for (const ratio of [0.1, 0.5, 0.7, 1]) {
    const video = applyMask(clip, { modality: "video", ratio, seed: 3 });
    assert.equal(countZeros(video.frames), Math.round(ratio * 32) * 28 * 28 * 2 * 3);
    const audio = applyMask(clip, { modality: "audio", ratio, seed: 3 });
    assert.equal(countZeros(audio.waveform), Math.round(ratio * 50) * 640);
  }
  const mask = { modality: "video", ratio: 0.5, seed: 11 } as const;
  const masked = applyMask(clip, mask);
  const chosen = new Set(maskedUnits(32, mask));
  for (let frame = 0; frame < 4; frame++) {
    for (let y = 0; y < 112; y++) {
      for (let x = 0; x < 112; x++) {
        const unit = Math.floor(frame / 2) * 16 + Math.floor(y / 28) * 4 + Math.floor(x / 28);
        const level = masked.frames[((frame * 112 + y) * 112 + x) * 3];
        if ((level === 0) !== chosen.has(unit)) assert.fail(`frame ${frame}, pixel ${x}, ${y}`);
      }
    }
  }
});

test("the other modality is shared, the clip is left alone, ratio 0 changes nothing", () => {
  const clip = whiteClip();
  const video = applyMask(clip, { modality: "video", ratio: 0.7, seed: 1 });
  assert.equal(video.waveform, clip.waveform);
  const audio = applyMask(clip, { modality: "audio", ratio: 1, seed: 1 });
  assert.equal(audio.frames, clip.frames);
  assert.equal(countZeros(audio.waveform), 32000);
  assert.equal(countZeros(clip.frames) + countZeros(clip.waveform), 0);
  for (const modality of ["video", "audio"] as Modality[]) {
    assert.deepEqual(applyMask(clip, { modality, ratio: 0, seed: 1 }), clip);
  }
});

test("the seed decides: the same mask twice, other masks for other seeds, every unit as likely", () => {
  const mask = { modality: "audio", ratio: 0.7, seed: 5 } as const;
  assert.deepEqual(maskedUnits(50, mask), maskedUnits(50, mask));
  assert.notDeepEqual(maskedUnits(50, mask), maskedUnits(50, { ...mask, seed: 6 }));
  assert.notDeepEqual(maskedUnits(50, mask), maskedUnits(50, { ...mask, modality: "video" }));
  const counts = new Int32Array(50);
  for (let seed = 0; seed < 2000; seed++) for (const unit of maskedUnits(50, { ...mask, seed })) counts[unit]!++;
  // Binomial(2000, 0.7): mean 1400, deviation 20.5; five deviations.
  for (const count of counts) assert.ok(Math.abs(count - 1400) < 103, `${count}`);
  assert.throws(() => maskedUnits(50, { ...mask, ratio: 1.5 }), /expected a ratio between 0 and 1, got 1\.5/);
});
