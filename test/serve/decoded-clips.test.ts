// What was decoded is kept up to a number of bytes, the latest used longest; what fails or is too large is not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodedClips } from "../../src/serve/model/media/decoded-clips.ts";

const clipOf = (numBytes: number) => ({
  ...{ frames: new Uint8Array(numBytes), numFrames: 1, height: 1, width: 1, fps: 2 },
  ...{ waveform: new Float32Array(0), sampleRateHz: 16_000, durationSeconds: 1 },
});

test("kept by use, bounded in bytes", async () => {
  const clips = new DecodedClips(100);
  const decoded: string[] = [];
  const get = (key: string, numBytes: number) =>
    clips.get(key, async () => {
      decoded.push(key);
      return clipOf(numBytes);
    });
  const first = await get("a", 40);
  await get("b", 40);
  assert.equal(await get("a", 40), first);
  await get("c", 40);
  assert.equal(clips.numBytes, 80);
  assert.equal(await get("a", 40), first);
  assert.deepEqual(decoded, ["a", "b", "c"]);
  await get("b", 40);
  assert.deepEqual(decoded, ["a", "b", "c", "b"]);
  await get("huge", 101);
  await get("huge", 101);
  assert.deepEqual(decoded.slice(4), ["huge", "huge"]);
  assert.equal(clips.numBytes, 80);
  const failing = clips.get("d", () => Promise.reject(new Error("broken")));
  await assert.rejects(failing, /broken/);
  assert.equal(clips.numBytes, 80);
});
