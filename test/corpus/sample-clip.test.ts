// Sound in a file of its own: it is what is heard, whatever track the video has, and it may not be missing.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type ClipFitter, fitSamples } from "../../src/corpus/clips/fitted-samples.ts";
import { decodeSample } from "../../src/corpus/clips/sample-clip.ts";
import { encodeClip } from "../../src/media/encode/encode.ts";
import { fixtureClip } from "../media/clip-fixture.ts";
import { wavFile } from "../support/odd-media.ts";
import { testSample } from "../support/rollouts.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const rateHz = 16000;
const soundTolerance = 0.001;

/** A 16-bit mono WAV of a constant level, which no codec of the video could be mistaken for. */
function levelWav(level: number, seconds: number): Buffer {
  return wavFile([new Float32Array(Math.round(seconds * rateHz)).fill(level)], rateHz);
}

const isLevel = (waveform: Float32Array, level: number) =>
  waveform.every((value) => Math.abs(value - level) < soundTolerance);

test("the sound file replaces the video's track or its silence, and the pictures stay", async (t) => {
  const root = temporaryFolder(t);
  await encodeClip(join(root, "spoken.mp4"), fixtureClip());
  await encodeClip(join(root, "silent.mp4"), { ...fixtureClip(), waveform: new Float32Array(0) });
  writeFileSync(join(root, "level.wav"), levelWav(0.25, 1.5));
  const spoken = await decodeSample(root, testSample("spoken"));
  assert.ok(!isLevel(spoken.waveform, 0.25), "control: without a sound file it is the video's own");
  for (const id of ["spoken", "silent"]) {
    const clip = await decodeSample(root, testSample(id, { audio: "level.wav" }));
    assert.equal(clip.waveform.length, 1.5 * rateHz);
    assert.ok(isLevel(clip.waveform, 0.25), id);
    assert.deepEqual(clip.frames, spoken.frames, id);
    assert.equal(clip.durationSeconds, spoken.durationSeconds);
  }
  // A video can stand for its sound too; its pictures are left alone.
  const borrowed = await decodeSample(root, testSample("silent", { audio: "spoken.mp4" }));
  assert.deepEqual(borrowed.waveform, spoken.waveform);
  await assert.rejects(decodeSample(root, testSample("spoken", { audio: "none.wav" })), {
    code: "ERR_MEDIA_NOT_FOUND",
  });
  await assert.rejects(decodeSample(root, testSample("spoken", { audio: "silent.mp4" })), {
    code: "ERR_MEDIA_NO_STREAMS",
    message: /silent\.mp4: expected a sound track, got none/,
  });
  await assert.rejects(decodeSample(root, testSample("spoken", { audio: "../level.wav" })), {
    code: "ERR_DATASET_MEDIA_OUTSIDE",
  });
});

test("recipes hear the sound file, count a missing one, and decode again when it changes", async (t) => {
  const root = temporaryFolder(t);
  await encodeClip(join(root, "a.mp4"), fixtureClip());
  writeFileSync(join(root, "a.wav"), levelWav(0.5, 1));
  const model: ClipFitter = { fitting: { fps: 2, minFrames: 4, maxFrames: 768 }, fitKey: "any" };
  const samples = [testSample("a", { audio: "a.wav" }), testSample("b", { media: "a.mp4", audio: "b.wav" })];
  const options = { model, maxSkippedFraction: 0.5, cacheFile: join(root, "kept.safetensors") };
  const first = await fitSamples(root, samples, options);
  assert.deepEqual(
    first.fitted.map(({ sample, clip }) => [sample.id, isLevel(clip.waveform, 0.5)]),
    [["a", true]],
  );
  assert.match(first.skipped[0]!.reason, /b\.wav: expected .*no such file/);
  writeFileSync(join(root, "a.wav"), levelWav(-0.5, 1.25));
  const second = await fitSamples(root, samples, options);
  assert.ok(isLevel(second.fitted[0]!.clip.waveform, -0.5), "the kept clip is not the old one");
});
