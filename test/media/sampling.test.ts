// Frame selection and sizes against the tables made with qwen-omni-utils.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  imagePixelLimits,
  maxPixelsPerFrame,
  roundHalfToEven,
  sampleFrames,
  smartResize,
  videoPixelBudget,
  videoPixelLimits,
} from "../../src/media/sampling.ts";
import { sharedPath } from "../support/shared.ts";

const tablesFile = "golden/qwen-omni/tables.json";

interface Tables {
  readonly smart_resize: readonly {
    h: number;
    w: number;
    min_pixels: number;
    max_pixels: number;
    utils: [number, number] | null;
  }[];
  readonly frame_sampling: readonly {
    total_frames: number;
    video_fps: number;
    kwargs: { fps?: number; nframes?: number; min_frames?: number; max_frames?: number };
    nframes: number | null;
    sample_fps: number | null;
    indices: number[] | null;
  }[];
  readonly video_max_pixels: readonly {
    nframes: number;
    total_pixels: number;
    min_pixels: number;
    requested_max_pixels: number | null;
    max_pixels: number;
  }[];
}

function tables(): Tables | null {
  const path = sharedPath(tablesFile);
  return path === null ? null : JSON.parse(readFileSync(path, "utf8"));
}

/** Options without the keys that are undefined. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

test("halves are rounded to the even neighbour", () => {
  assert.deepEqual([0.5, 1.5, 2.5, 2.4999, 2.5001, -1.5].map(roundHalfToEven), [0, 2, 2, 2, 3, -2]);
  assert.notEqual(Math.round(2.5), roundHalfToEven(2.5));
});

test("frame selection equals the reference table", (t) => {
  const rows = tables()?.frame_sampling;
  if (rows === undefined) return t.skip(`no ${tablesFile}`);
  assert.equal(rows.length, 15);
  for (const { total_frames, video_fps, kwargs, nframes, sample_fps, indices } of rows) {
    const { fps, nframes: numFrames, min_frames: minFrames, max_frames: maxFrames } = kwargs;
    const selection = sampleFrames(total_frames, video_fps, given({ fps, numFrames, minFrames, maxFrames }));
    assert.equal(selection?.indices.length ?? null, nframes);
    assert.deepEqual(selection && [...selection.indices], indices);
    assert.equal(selection?.fps ?? null, sample_fps);
  }
  assert.equal(sampleFrames(1, 25), null);
});

test("a theatre clip: 50 frames at 25 fps give frames 0, 16, 33, 49", () => {
  // linspace(0, 49, 4) = 0, 16.33, 32.67, 49
  assert.deepEqual(sampleFrames(50, 25), { indices: Uint32Array.of(0, 16, 33, 49), fps: 2 });
});

test("smart resize equals the reference table", (t) => {
  const rows = tables()?.smart_resize;
  if (rows === undefined) return t.skip(`no ${tablesFile}`);
  assert.equal(rows.length, 51);
  for (const { h, w, min_pixels: minPixels, max_pixels: maxPixels, utils } of rows) {
    const size = smartResize({ height: h, width: w }, { minPixels, maxPixels });
    assert.deepEqual([size.height, size.width], utils);
  }
  assert.throws(() => smartResize({ height: 28, width: 28 * 201 }, imagePixelLimits), /aspect ratio of at most 200/);
});

test("the pixel cap per frame equals the reference table", (t) => {
  const rows = tables()?.video_max_pixels;
  if (rows === undefined) return t.skip(`no ${tablesFile}`);
  assert.equal(rows.length, 7);
  for (const row of rows) {
    const requested = row.requested_max_pixels === null ? {} : { maxPixels: row.requested_max_pixels };
    const options = { totalPixels: row.total_pixels, minPixels: row.min_pixels, ...requested };
    assert.equal(maxPixelsPerFrame(row.nframes, options), row.max_pixels);
  }
  assert.equal(videoPixelBudget, 90316800);
  assert.equal(maxPixelsPerFrame(4), videoPixelLimits.maxPixels);
});

test("ten seconds of 640 x 360 at 30 fps are 20 frames of 644 x 364", () => {
  const selection = sampleFrames(300, 30);
  assert.equal(selection?.indices.length, 20);
  const limits = { minPixels: videoPixelLimits.minPixels, maxPixels: maxPixelsPerFrame(20) };
  assert.deepEqual(smartResize({ height: 360, width: 640 }, limits), { height: 364, width: 644 });
});
