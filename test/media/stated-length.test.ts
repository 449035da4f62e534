// What is decoded decides: lengths that headers state or that FFmpeg estimates take nothing away, and are no reason to refuse
// a file in which nothing is missing. A file that gave less than it states says so with figures. The lengths are those that
// ffmpeg 5.1 and PyAV 18 decode from the same files.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { decodeClip } from "../../src/media/decode.ts";
import { encodeClip } from "../../src/media/encode/encode.ts";
import { wavBytes } from "../../src/media/encode/wav.ts";
import { plainFrames, type SoundTrack, writeMedia } from "../support/any-media.ts";
import { wavFile } from "../support/odd-media.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { fixtureClip } from "./clip-fixture.ts";

const rateHz = 16000;
const s16 = 1;
const tone = (seconds: number, level = 0.3) =>
  Float32Array.from(
    { length: Math.round(seconds * rateHz) },
    (_, i) => level * Math.sin((2 * Math.PI * 440 * i) / rateHz),
  );

function fileWriter(t: TestContext) {
  const folder = temporaryFolder(t);
  return (name: string, bytes: Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
}

function soundFile(t: TestContext, format: string, sound: Partial<SoundTrack>, options = {}): string {
  const path = join(temporaryFolder(t), `sound.${format}`);
  writeMedia(path, { format, options, sound: { codec: "aac", waveform: tone(2), rateHz, ...sound } });
  return path;
}

/** Overwrites the field `offset` bytes behind the last `box` of an mp4. */
function patchBox(bytes: Buffer, box: string, offset: number, value: number): void {
  const at = bytes.lastIndexOf(box, undefined, "latin1");
  assert.ok(at > 0, box);
  bytes.writeUInt32BE(value, at + offset);
}

/** Behind "mdhd": version and flags, two times, then the ticks per second and the length in them. */
const mdhdDuration = 20;

describe("sound is as long as it decodes", () => {
  test("two MP3s without a count of frames, one behind the other", async (t) => {
    const write = fileWriter(t);
    const parts = [tone(0.5), tone(4)].map((waveform) =>
      readFileSync(soundFile(t, "mp3", { codec: "libmp3lame", waveform }, { write_xing: "0", id3v2_version: "0" })),
    );
    const lengths: number[] = [];
    for (const [i, part] of parts.entries()) {
      lengths.push((await decodeClip(write(`${i}.mp3`, part))).waveform.length);
    }
    const { waveform, notices } = await decodeClip(write("joined.mp3", Buffer.concat(parts)));
    // Whole frames of 1,152 and 576 samples, as ffmpeg decodes them; the estimate from the first frames said less.
    assert.deepEqual([...lengths, waveform.length, notices], [9216, 65664, 9216 + 65664, undefined]);
  });

  test("ADTS and MPEG-TS, whose lengths are estimates", async (t) => {
    const adts = await decodeClip(soundFile(t, "adts", {}));
    const stream = join(temporaryFolder(t), "x.ts");
    writeMedia(stream, {
      format: "mpegts",
      sound: { codec: "mp2", waveform: tone(2), rateHz, sampleFormat: s16 },
      video: { codec: "mpeg2video", width: 64, height: 48, fps: 25, frames: plainFrames(64, 48, 50) },
    });
    const ts = await decodeClip(stream);
    assert.deepEqual([adts.waveform.length, ts.waveform.length, ts.numFrames], [33792, 32256, 4]);
    const joined = await decodeClip(
      fileWriter(t)("joined.ts", Buffer.concat([readFileSync(stream), readFileSync(stream)])),
    );
    assert.deepEqual([joined.waveform.length, joined.numFrames, joined.fps], [2 * 32256, 8, 2]);
    assert.equal(joined.notices, undefined);
    // Time starts again in the middle, and the frames go on: the last one is the second file's last.
    const frameBytes = joined.frames.length / joined.numFrames;
    assert.deepEqual(joined.frames.slice(-frameBytes), ts.frames.slice(-frameBytes));
    assert.notDeepEqual(joined.frames.slice(0, frameBytes), ts.frames.slice(-frameBytes));
  });

  test("an mp4 whose track says less than it holds", async (t) => {
    const write = fileWriter(t);
    const path = join(temporaryFolder(t), "x.mp4");
    await encodeClip(path, fixtureClip());
    assert.equal(
      (await decodeClip(path)).waveform.length,
      32000,
      "what the encoder added to its last frame is no sound",
    );
    // The track says 0.09 s; the samples are 32,768 with what fills the last frame.
    const bytes = readFileSync(path);
    patchBox(bytes, "mdhd", mdhdDuration, 1500);
    const { waveform, numFrames, notices } = await decodeClip(write("short.mp4", bytes));
    assert.deepEqual([waveform.length, numFrames, notices], [32768, 4, undefined]);
  });

  test("a matroska file whose header says 1 s, 8 s, five hours", async (t) => {
    const write = fileWriter(t);
    const path = soundFile(t, "matroska", { codec: "libmp3lame" });
    const whole = await decodeClip(path);
    for (const [seconds, notices] of [
      [1, undefined],
      [8, [`file: stated 8.00 s, decoded 2.02 s`]],
      // A placeholder: the packets of five hours are not there.
      [5 * 3600, undefined],
    ] as const) {
      const bytes = readFileSync(path);
      // The element Duration, a float of 64 bits in milliseconds.
      const at = bytes.indexOf(Buffer.of(0x44, 0x89, 0x88));
      assert.ok(at > 0);
      bytes.writeDoubleBE(1000 * seconds, at + 3);
      const clip = await decodeClip(write(`${seconds}.mkv`, bytes));
      assert.deepEqual([clip.waveform, clip.notices], [whole.waveform, notices], `${seconds} s`);
    }
  });
});

describe("a file is whole where nothing is missing", () => {
  test("WAV, CAF and AU that were written before their length was known", async (t) => {
    const write = fileWriter(t);
    const wav = wavFile([tone(3)], rateHz);
    for (const size of [0, 0x7fffffff, 0xffffffff, 0xffffffff - 36, 2_000_000_000]) {
      const bytes = Buffer.from(wav);
      bytes.writeUInt32LE(size, bytes.indexOf("data") + 4);
      const { waveform, notices } = await decodeClip(write(`${size}.wav`, bytes));
      assert.deepEqual([waveform.length, notices], [48000, undefined], `size ${size}`);
    }
    for (const format of ["caf", "au"]) {
      const path = join(temporaryFolder(t), `x.${format}`);
      writeMedia(path, { format, sound: { codec: "pcm_s16be", waveform: tone(3), rateHz, sampleFormat: s16 } });
      const bytes = readFileSync(path);
      if (format === "caf") bytes.fill(0xff, bytes.indexOf("data") + 4, bytes.indexOf("data") + 12);
      else bytes.fill(0xff, 8, 12);
      const { waveform, notices } = await decodeClip(write(`stream.${format}`, bytes));
      assert.deepEqual([waveform.length, notices], [48000, undefined], format);
    }
  });

  test("what was really cut off says how much is there", async (t) => {
    const write = fileWriter(t);
    const wav = wavFile([tone(3)], rateHz);
    const cut = await decodeClip(write("cut.wav", wav.subarray(0, 44 + 2 * 20000)));
    assert.deepEqual([cut.waveform.length, cut.notices], [20000, ["sound: stated 3.00 s, decoded 1.25 s"]]);
    const two = await decodeClip(write("two.wav", Buffer.concat([wav, wav])));
    assert.deepEqual(
      [two.waveform.length, two.notices],
      [48000, [`sound: ${wav.length} bytes behind the stated end were not read`]],
    );
    const mp4 = join(temporaryFolder(t), "x.mp4");
    await encodeClip(mp4, fixtureClip());
    const bytes = readFileSync(mp4);
    await assert.rejects(decodeClip(write("cut.mp4", bytes.subarray(0, Math.round(bytes.length * 0.7)))), {
      code: "ERR_MEDIA_TRUNCATED",
      message: /got the end at \d\.\d\d s of 2\.00 s/,
    });
    const flac = soundFile(t, "flac", { codec: "flac", sampleFormat: s16 });
    assert.equal((await decodeClip(flac)).notices, undefined);
    const [notice] = (await decodeClip(write("cut.flac", readFileSync(flac).subarray(0, -3000)))).notices ?? [];
    assert.match(notice ?? "", /^sound: stated 2\.00 s, decoded [01]\.\d\d s$/);
  });
});

test("samples that are no numbers are refused, as librosa does it", async (t) => {
  const write = fileWriter(t);
  const waveform = tone(1);
  assert.equal((await decodeClip(write("good.wav", wavBytes(waveform, rateHz)))).waveform.length, 16000);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const bad = Float32Array.from(waveform);
    bad.fill(value, 4000, 4101);
    await assert.rejects(decodeClip(write("bad.wav", wavBytes(bad, rateHz))), {
      code: "ERR_MEDIA_BROKEN",
      message: /expected finite samples, got 101 that are NaN or infinite, the first at 0\.250 s/,
    });
  }
});
