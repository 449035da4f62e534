// What is sent of a clip decodes to the very same frames and samples as the clip itself; what stands for a masked one to
// exact zeros of the same shape.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { probeClip } from "../../src/media/decode/container.ts";
import { decodeClip } from "../../src/media/decode.ts";
import { encodeClip } from "../../src/media/encode/encode.ts";
import { wavBytes } from "../../src/media/encode/wav.ts";
import { blackVideo, soundlessVideo, videoShape } from "../../src/media/remux.ts";
import { fixtureClip } from "./clip-fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "oppo-remux-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

function write(name: string, bytes: Uint8Array): string {
  writeFileSync(at(name), bytes);
  return at(name);
}

const isZero = (values: Uint8Array | Float32Array) => values.every((value) => value === 0);

for (const [name, options] of [
  ["25 frames per second", { fps: 25 }],
  ["29.97 frames per second, sound longer than the picture", { fps: 30000 / 1001, numFrames: 40, seconds: 3 }],
  ["7.5 frames per second", { fps: 7.5, width: 96 }],
] as const) {
  test(`${name}: the video alone is the same video, and black has its shape`, async () => {
    await encodeClip(at("clip.mp4"), fixtureClip(options));
    const whole = await decodeClip(at("clip.mp4"));
    const alone = await soundlessVideo(at("clip.mp4"));
    assert.equal(alone!.mimeType, "video/mp4");
    const info = await probeClip(write("alone.mp4", alone!.bytes));
    assert.equal(info.audio, null);
    const video = await decodeClip(at("alone.mp4"));
    assert.deepEqual(
      [video.numFrames, video.fps, video.height, video.width, video.waveform.length],
      [whole.numFrames, whole.fps, whole.height, whole.width, 0],
    );
    assert.ok(Buffer.from(video.frames).equals(Buffer.from(whole.frames)));
    assert.ok(!isZero(whole.frames));
    assert.deepEqual((await soundlessVideo(at("clip.mp4")))!.bytes, alone!.bytes, "the same bytes again");

    const black = await blackVideo((await videoShape(at("clip.mp4")))!);
    const dark = await decodeClip(write("black.mp4", black.bytes));
    assert.deepEqual(
      [dark.numFrames, dark.fps, dark.height, dark.width],
      [whole.numFrames, whole.fps, whole.height, whole.width],
    );
    assert.ok(isZero(dark.frames));
  });
}

test("sound as WAV is the same samples", async () => {
  await encodeClip(at("sound.mp4"), fixtureClip());
  const { waveform, sampleRateHz } = await decodeClip(at("sound.mp4"));
  const read = await decodeClip(write("sound.wav", wavBytes(waveform, sampleRateHz)));
  assert.deepEqual(read.waveform, waveform);
  assert.ok(!isZero(waveform));
  const silence = await decodeClip(write("silence.wav", wavBytes(new Float32Array(waveform.length), sampleRateHz)));
  assert.equal(silence.waveform.length, waveform.length);
  assert.ok(isZero(silence.waveform));
  // negative control: 16-bit samples would not be the same
  assert.ok(waveform.some((value) => Math.round(value * 32767) / 32767 !== value));
});

test("a file without a picture has none to send, and odd sizes become even", async () => {
  const file = write("only-sound.wav", wavBytes(new Float32Array(16000), 16000));
  assert.equal(await soundlessVideo(file), null);
  assert.equal(await videoShape(file), null);
  const odd = await blackVideo({ width: 63, height: 47, fps: { num: 25, den: 1 }, numFrames: 10 });
  const { height, width } = await decodeClip(write("odd.mp4", odd.bytes));
  assert.deepEqual([height, width], [48, 64]);
});
