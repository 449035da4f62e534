// A clip in memory becomes an mp4, also one of odd sizes.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { decodeClip } from "../../src/media/decode.ts";
import { encodeMediaClip } from "../../src/media/encode/encode-media-clip.ts";

test("the last row and column of odd sizes are left out, the others stay where they are", async () => {
  const folder = mkdtempSync(join(tmpdir(), "oppo-encode-"));
  try {
    const [width, height, numFrames] = [35, 21, 4];
    // The left half is dark, the right half bright: rows that slip would mix them.
    const frames = Uint8Array.from({ length: numFrames * height * width * 3 }, (_, i) =>
      Math.floor(i / 3) % width < width / 2 ? 20 : 220,
    );
    const clip = { frames, numFrames, height, width, fps: 5, durationSeconds: 0.8 };
    const path = join(folder, "odd.mp4");
    await encodeMediaClip(path, { ...clip, waveform: new Float32Array(12_800), sampleRateHz: 16_000 }, { crf: 1 });
    const got = await decodeClip(path, { fps: 5 });
    assert.deepEqual([got.numFrames, got.height, got.width], [4, 20, 34]);
    for (let pixel = 0; pixel < got.frames.length / 3; pixel++) {
      const column = pixel % got.width;
      if (Math.abs(column - 17.5) < 3) continue;
      assert.ok(Math.abs(got.frames[3 * pixel]! - (column < 17 ? 20 : 220)) < 12, `pixel ${pixel}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
