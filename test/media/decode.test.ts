// Encoding and decoding through FFmpeg: what is written comes back, and nothing that is broken gets through or crashes.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { MediaClip } from "../../src/media/clip.ts";
import { probeClip } from "../../src/media/decode/container.ts";
import { decodeClip } from "../../src/media/decode.ts";
import { encodeClip } from "../../src/media/encode/encode.ts";
import { MediaError, type MediaErrorCode } from "../../src/media/media-error.ts";
import { resizeClip } from "../../src/media/resize.ts";
import type { FrameSize } from "../../src/media/sampling.ts";
import { createRandom } from "../../src/random.ts";
import { fixtureClip } from "./clip-fixture.ts";

/** Mean absolute difference of 8-bit levels after H.264 at crf 20 and 4:2:0 colour. */
const levelTolerance = 5;
/** Of an AAC stream at 64 kbit/s against a clean signal of level 0.3. */
const waveformTolerance = 0.02;

const folder = mkdtempSync(join(tmpdir(), "oppo-media-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

async function expectError(code: MediaErrorCode, text: RegExp, action: () => Promise<unknown>): Promise<void> {
  await assert.rejects(action, (error) => {
    assert.ok(error instanceof MediaError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    return true;
  });
}

/** Mean absolute difference of frame `index` of the clip and the source frame. */
function frameDifference(clip: MediaClip, index: number, source: Uint8Array): number {
  const size = clip.width * clip.height * 3;
  assert.equal(source.length, size);
  let sum = 0;
  for (let i = 0; i < size; i++) sum += Math.abs(clip.frames[index * size + i]! - source[i]!);
  return sum / size;
}

function waveformDifference(actual: Float32Array, expected: Float32Array, shift = 0): number {
  let sum = 0;
  for (let i = 1000; i < expected.length - 1000; i++) sum += (actual[i + shift]! - expected[i]!) ** 2;
  return Math.sqrt(sum / (expected.length - 2000));
}

test("a clip comes back: frames 0, 16, 33, 49 of 50 and 32,000 aligned samples", async () => {
  const source = fixtureClip();
  await encodeClip(at("clip.mp4"), source);
  const clip = await decodeClip(at("clip.mp4"));
  assert.deepEqual(
    [clip.numFrames, clip.height, clip.width, clip.fps, clip.sampleRateHz, clip.durationSeconds],
    [4, 48, 64, 2, 16000, 2],
  );
  for (const [i, frame] of [0, 16, 33, 49].entries()) {
    assert.ok(frameDifference(clip, i, source.frames[frame]!) < levelTolerance);
  }
  assert.ok(frameDifference(clip, 1, source.frames[20]!) > levelTolerance, "a wrong frame must show");
  assert.equal(clip.waveform.length, 32000);
  assert.ok(waveformDifference(clip.waveform, source.waveform) < waveformTolerance);
  assert.ok(waveformDifference(clip.waveform, source.waveform, 8) > waveformTolerance, "a shift of 0.5 ms must show");
});

test("the same input gives the same bytes, RGB and RGBA alike, with the index in front", async () => {
  await encodeClip(at("rgb.mp4"), fixtureClip());
  await encodeClip(at("rgba.mp4"), fixtureClip({ bytesPerPixel: 4 }));
  const bytes = readFileSync(at("rgb.mp4"));
  assert.ok(bytes.equals(readFileSync(at("rgba.mp4"))));
  assert.ok(bytes.indexOf("moov") < bytes.indexOf("mdat"), "faststart");
  assert.deepEqual(await probeClip(at("rgb.mp4")), {
    container: "mov,mp4,m4a,3gp,3g2,mj2",
    sizeBytes: bytes.length,
    durationSeconds: 2,
    video: { codec: "h264", height: 48, width: 64, fps: 25, numFrames: 50 },
    audio: { codec: "aac", sampleRateHz: 16000, numChannels: 1 },
  });
});

test("frame and sample rates: fewer frames per second, a limit, a given number, 44.1 kHz", async () => {
  const source = fixtureClip({ sampleRateHz: 44100 });
  await encodeClip(at("rates.mp4"), source);
  const clip = await decodeClip(at("rates.mp4"), { fps: 4, maxFrames: 6 });
  assert.deepEqual([clip.numFrames, clip.fps], [6, 3]);
  assert.equal((await decodeClip(at("rates.mp4"), { numFrames: 10 })).numFrames, 10);
  assert.ok(Math.abs(clip.waveform.length - 32000) <= 160);
  const expected = fixtureClip().waveform.subarray(0, clip.waveform.length);
  assert.ok(waveformDifference(clip.waveform, expected) < waveformTolerance);
  assert.equal((await decodeClip(at("rates.mp4"), { sampleRateHz: 44100 })).waveform.length, 88200);
});

test("a file may lack video or audio", async () => {
  await encodeClip(at("silent.mp4"), { ...fixtureClip(), waveform: new Float32Array(0) });
  const silent = await decodeClip(at("silent.mp4"));
  assert.deepEqual([silent.numFrames, silent.waveform.length, silent.durationSeconds], [4, 0, 2]);
  writeFileSync(at("tone.wav"), wavFile(Int16Array.from({ length: 8000 }, (_, i) => (i % 2 ? 16384 : -16384))));
  const tone = await decodeClip(at("tone.wav"));
  assert.deepEqual([tone.numFrames, tone.frames.length, tone.waveform.length], [0, 0, 4000]);
  assert.deepEqual([...tone.waveform.slice(0, 3)], [0, 0, 0], "left -0.5 and right +0.5 have the mean 0");
  assert.equal((await probeClip(at("tone.wav"))).video, null);
});

test("mono at 8 kHz and eight channels at 48 kHz become mono at 16 kHz; five hours are refused unread", async () => {
  const level = 16384; // 0.5
  const tone = (rate: number) => (i: number) => level * Math.sin((2 * Math.PI * 440 * i) / rate);
  const peak = (waveform: Float32Array) =>
    waveform.slice(2000, -2000).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const mono = Int16Array.from({ length: 8000 }, (_, i) => tone(8000)(i));
  writeFileSync(at("mono.wav"), wavFile(mono, 1, 8000));
  const upsampled = await decodeClip(at("mono.wav"));
  assert.equal(upsampled.waveform.length, 16000);
  assert.ok(Math.abs(peak(upsampled.waveform) - 0.5) < 0.01);
  // Only one of the eight channels sounds: the mean has an eighth of it.
  const surround = Int16Array.from({ length: 8 * 48000 }, (_, i) => (i % 8 === 2 ? tone(48000)(Math.floor(i / 8)) : 0));
  writeFileSync(at("surround.wav"), wavFile(surround, 8, 48000));
  const downmixed = await decodeClip(at("surround.wav"));
  assert.equal(downmixed.waveform.length, 16000);
  assert.ok(Math.abs(peak(downmixed.waveform) - 0.5 / 8) < 0.002);
  const hours = 5;
  const numSamples = hours * 3600 * 8000;
  writeFileSync(at("long.wav"), wavFile(new Int16Array(0), 1, 8000, numSamples));
  truncateSync(at("long.wav"), 44 + 2 * numSamples); // a hole: no disk is used
  const start = performance.now();
  await expectError("ERR_MEDIA_TOO_LONG", /expected at most 3600 s, got 18000\.0 s/, () => decodeClip(at("long.wav")));
  assert.ok(performance.now() - start < 2000, "refused by its header");
});

test("groups of pictures without a selected frame are skipped, and the others give the same frames", async () => {
  // x264 puts a key frame every 250 frames: the groups start at 0, 250, 500 and 750; frames 0, 300, 599, 899 are taken.
  const { frames, ...rest } = fixtureClip({ numFrames: 50 });
  const long = Array.from({ length: 900 }, (_, i) => frames[(7 * i) % 50]!);
  await encodeClip(at("long.mp4"), { ...rest, frames: long });
  const clip = await decodeClip(at("long.mp4"), { numFrames: 4 });
  for (const [i, frame] of [0, 300, 599, 899].entries()) {
    assert.ok(frameDifference(clip, i, long[frame]!) < levelTolerance, `frame ${frame}`);
  }
  assert.ok(frameDifference(clip, 2, long[597]!) > levelTolerance);
});

test("frames can be brought to another size on the way, with the same bytes as afterwards", async () => {
  await encodeClip(at("fit.mp4"), fixtureClip());
  const whole = await decodeClip(at("fit.mp4"));
  const seen: unknown[] = [];
  const fit = (size: FrameSize, numFrames: number): FrameSize => {
    seen.push(size, numFrames);
    return { height: 28, width: 56 };
  };
  assert.deepEqual(await decodeClip(at("fit.mp4"), { fit }), resizeClip(whole, { height: 28, width: 56 }));
  assert.deepEqual(seen, [{ height: 48, width: 64 }, 4]);
  const huge = () => ({ height: 28000, width: 28000 });
  await expectError(
    "ERR_MEDIA_TOO_LARGE",
    /at most 178956970 pixels in the frames that are kept, got 4 of 28000 x 28000/,
    () => decodeClip(at("fit.mp4"), { fit: huge }),
  );
});

test("a full disk leaves the old file, and no part of the new one", async (t) => {
  if (process.platform === "win32") return t.skip("ulimit is a matter of POSIX shells");
  const place = join(folder, "full");
  mkdirSync(place);
  writeFileSync(join(place, "clip.mp4"), "old");
  const encoder = new URL("../../src/media/encode/encode.js", import.meta.url).href;
  const fixture = new URL("./clip-fixture.js", import.meta.url).href;
  const program = `
    import { encodeClip } from "${encoder}";
    import { fixtureClip } from "${fixture}";
    await encodeClip(process.argv[1], fixtureClip()).catch((error) => process.stdout.write(error.code + " " + error.message));`;
  // No file may grow beyond 4 blocks.
  const shell = ["-c", 'ulimit -f 4 && exec "$@"', "sh", process.execPath, "--input-type=module", "-e", program];
  const output = execFileSync("sh", [...shell, join(place, "clip.mp4")], { encoding: "utf8" });
  assert.match(output, /^ERR_MEDIA_NO_SPACE .*clip\.mp4: expected room for the file, got "File too large"\. Free some/);
  assert.deepEqual(readdirSync(place), ["clip.mp4"]);
  assert.equal(readFileSync(join(place, "clip.mp4"), "utf8"), "old");
});

/** A stereo file at 16 kHz. */
function wavFile(interleaved: Int16Array, channels = 2, rate = 16000, numSamples = interleaved.length): Buffer {
  const header = Buffer.alloc(44);
  const size = 2 * numSamples;
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + size, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(2 * channels * rate, 28);
  header.writeUInt16LE(2 * channels, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(size, 40);
  return Buffer.concat([header, Buffer.from(interleaved.buffer)]);
}

test("reading errors name the file, what was expected and what to do", async () => {
  await expectError("ERR_MEDIA_NOT_FOUND", /nothing\.mp4: expected a media file, got no such file\. Check/, () =>
    decodeClip(at("nothing.mp4")),
  );
  writeFileSync(at("empty.mp4"), "");
  await expectError("ERR_MEDIA_EMPTY", /got an empty file/, () => decodeClip(at("empty.mp4")));
  await expectError("ERR_MEDIA_INVALID", /got a folder/, () => decodeClip(folder));
  writeFileSync(at("text.mp4"), "This is no film.\n".repeat(100));
  await expectError("ERR_MEDIA_INVALID", /FFmpeg cannot open .*Check that it is a media file/, () =>
    decodeClip(at("text.mp4")),
  );
  writeFileSync(at("list.m3u8"), "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nclip.mp4\n#EXT-X-ENDLIST\n");
  await expectError("ERR_MEDIA_INVALID", /FFmpeg cannot open/, () => decodeClip(at("list.m3u8")));
  await encodeClip(at("whole.mp4"), fixtureClip());
  const whole = readFileSync(at("whole.mp4"));
  writeFileSync(at("cut.mp4"), whole.subarray(0, Math.round(whole.length * 0.6)));
  await expectError("ERR_MEDIA_TRUNCATED", /expected a complete file, got .*cut off/, () => decodeClip(at("cut.mp4")));
  await expectError("ERR_MEDIA_TOO_LONG", /expected at most 1 s, got 2\.0 s/, () =>
    decodeClip(at("whole.mp4"), { maxDurationSeconds: 1 }),
  );
  await expectError("ERR_MEDIA_TOO_LARGE", /at most 1000 pixels, got 64 x 48/, () =>
    decodeClip(at("whole.mp4"), { maxPixels: 1000 }),
  );
  await encodeClip(at("one.mp4"), fixtureClip({ numFrames: 1, seconds: 1 }));
  await expectError("ERR_MEDIA_TOO_FEW_FRAMES", /expected at least 2 video frames, got 1/, () =>
    decodeClip(at("one.mp4")),
  );
});

test("writing errors leave no file behind", async () => {
  const clip = fixtureClip({ numFrames: 4, seconds: 0.2 });
  mkdirSync(at("out"));
  const target = join(at("out"), "x.mp4");
  await expectError("ERR_MEDIA_ARGUMENT", /an even width and height, got 63 x 48/, () =>
    encodeClip(target, { ...clip, width: 63 }),
  );
  await expectError("ERR_MEDIA_ARGUMENT", /at least one frame, got none/, () =>
    encodeClip(target, { ...clip, frames: [] }),
  );
  await expectError("ERR_MEDIA_ARGUMENT", /3 \(RGB\) or 4 \(RGBA\) bytes per pixel, got 2/, () =>
    encodeClip(target, { ...clip, frames: [new Uint8Array(64 * 48 * 2)] }),
  );
  await expectError("ERR_MEDIA_ARGUMENT", /frames of 9216 bytes, got 5 in frame 1/, () =>
    encodeClip(target, { ...clip, frames: [clip.frames[0]!, new Uint8Array(5)] }),
  );
  await expectError("ERR_MEDIA_ARGUMENT", /between 0 and 1000 frames per second/, () =>
    encodeClip(target, { ...clip, fps: 0 }),
  );
  await expectError("ERR_MEDIA_ARGUMENT", /a whole sample rate/, () =>
    encodeClip(target, { ...clip, sampleRateHz: 0.5 }),
  );
  await expectError("ERR_MEDIA_WRITE", /no such file/i, () => encodeClip(at("absent/x.mp4"), clip));
  const failing = function* () {
    yield clip.frames[0]!;
    throw new Error("painter failed");
  };
  await assert.rejects(() => encodeClip(target, { ...clip, frames: failing() }), /painter failed/);
  assert.deepEqual(readdirSync(at("out")), []);
});

test("damaged files give a clip or a MediaError, and the process lives", async () => {
  await encodeClip(at("sound.mp4"), fixtureClip({ numFrames: 20, seconds: 0.8 }));
  const sound = readFileSync(at("sound.mp4"));
  const random = createRandom(7);
  const codes = new Set<string>();
  const index = sound.indexOf("mdat");
  for (let trial = 0; trial < 60; trial++) {
    let bytes = Buffer.from(sound);
    if (trial % 3 === 0) bytes = bytes.subarray(0, random.int(bytes.length));
    // The first third damages the index, where sizes and offsets stand; the others damage anything.
    const range = trial % 2 === 0 ? index : bytes.length;
    for (let i = 0; i < 1 + random.int(20) && bytes.length > 0; i++) {
      bytes[random.int(Math.min(range, bytes.length))] = random.int(256);
    }
    writeFileSync(at("damaged.mp4"), bytes);
    try {
      const clip = await decodeClip(at("damaged.mp4"));
      assert.equal(clip.frames.length, clip.numFrames * clip.height * clip.width * 3);
      codes.add("decoded");
    } catch (error) {
      assert.ok(error instanceof MediaError, String(error));
      codes.add(error.code);
    }
  }
  assert.ok(codes.has("decoded") && codes.has("ERR_MEDIA_INVALID") && codes.size >= 3, [...codes].join(" "));
});
