// The largest clip is told by headers, at the size at which the model will look at it; what cannot be read is passed over.
import assert from "node:assert/strict";
import { test } from "node:test";
import { largestClip } from "../../../src/corpus/clips/largest-clip.ts";
import { decodeSample } from "../../../src/corpus/clips/sample-clip.ts";
import { smallTheatre } from "../../support/small-theatre.ts";

const fit = { fps: 2, minFrames: 4, maxFrames: 768, pixels: { minPixels: 56 * 56, maxPixels: 112 * 112 } };

test("frames, size and seconds are those that decoding gives", async () => {
  using theatre = await smallTheatre(2);
  const { media, numProbed } = await largestClip(theatre.corpus, theatre.samples, fit);
  assert.equal(numProbed, theatre.samples.length);
  const clip = await decodeSample(theatre.corpus, theatre.samples[0]!, { fit });
  assert.deepEqual([media!.frames, media!.height, media!.width], [clip.numFrames, clip.height, clip.width]);
  assert.ok(Math.abs(media!.audioSeconds - clip.waveform.length / clip.sampleRateHz) < 0.1);
  const missing = [{ id: "x", media: "clips/nowhere.mp4" }];
  assert.equal((await largestClip(theatre.corpus, [...missing, ...theatre.samples], fit)).numProbed, numProbed);
  assert.deepEqual(await largestClip(theatre.corpus, missing, fit), { media: null, numProbed: 0 });
});
