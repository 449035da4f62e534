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

test("painted cells within the rectangle, and no others", () => {
  const mask = { modality: "video", kind: "grey", ratio: 1, seed: 0 } as const;
  const whole = applyMask(clip, mask).frames;
  // of 3 x 2 cells of 28 x 28 pixels: the first, the last, one that is not there
  const painted = { columns: 3, rows: 2, cells: [0, 5, 5, 77] };
  const all = { ...part, from: 0, left: 0, right: 1, bottom: 1 };
  const { frames } = applyLocalMask(clip, { ...mask, part: { ...all, painted } });
  const { height, width } = clip;
  for (let i = 0; i < frames.length; i++) {
    const pixel = Math.floor(i / 3);
    const [x, y] = [pixel % width, Math.floor(pixel / width) % height];
    const isInside = (x < 28 && y < 28) || (x >= 56 && y >= 28);
    if (frames[i] !== (isInside ? whole : clip.frames)[i]) assert.fail(`row ${y}, column ${x}`);
  }
  const none = applyLocalMask(clip, { ...mask, part: { ...all, painted: { ...painted, cells: [] } } });
  assert.deepEqual(none.frames, clip.frames);
});

test("a band of the sound: what lies in it is masked, other tones stay", () => {
  const tone = (hertz: number) =>
    Float32Array.from({ length: 16_000 }, (_, i) => 0.3 * Math.sin((2 * Math.PI * hertz * i) / 16_000));
  const [low, high] = [tone(300), tone(3000)];
  const both = { ...clip, waveform: low.map((sample, i) => sample + high[i]!) };
  const mask = { modality: "audio", kind: "quiet", ratio: 1, seed: 0 } as const;
  const everything = { from: 0, to: 1, left: 0, top: 0, right: 1, bottom: 1 };
  const heard = (band: { lowHz: number; highHz: number }) =>
    applyLocalMask(both, { ...mask, part: { ...everything, band } }).waveform;
  const loudest = (samples: Float32Array) => Math.max(...samples.subarray(400, -400).map(Math.abs));
  const without = (samples: Float32Array, other: Float32Array) => samples.map((sample, i) => sample - other[i]!);
  const muffled = heard({ lowHz: 2000, highHz: 8000 });
  assert.ok(loudest(without(muffled, low)) < 0.01, String(loudest(without(muffled, low))));
  // negative control: the other band's is another sound
  assert.ok(loudest(without(heard({ lowHz: 0, highHz: 1000 }), low)) > 0.2);
  // every frequency: as without a band
  assert.ok(Math.max(...heard({ lowHz: 0, highHz: 9000 }).map(Math.abs)) < 1e-6);
  const half = applyLocalMask(both, {
    ...mask,
    part: { ...everything, from: 0.5, band: { lowHz: 2000, highHz: 8000 } },
  });
  assert.deepEqual(half.waveform.subarray(0, 8000), both.waveform.subarray(0, 8000));
});
