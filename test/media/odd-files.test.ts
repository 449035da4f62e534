// Files as the world has them: odd frame sizes, 8 kHz, 7.1 sound, five hours, durations that lie, damage. Long files are
// refused before time or memory is spent.
import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { decodeClip } from "../../src/media/decode.ts";
import { encodeClip } from "../../src/media/encode/encode.ts";
import { MediaError } from "../../src/media/media-error.ts";
import { createRandom } from "../../src/random.ts";
import { gifFile, sixteenChannels, wavFile, wavHeader } from "../support/odd-media.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const fiveHours = 5 * 3600;
const maxSeconds = 5;
const maxBytes = 150 * 2 ** 20;

const sine = (numSamples: number, rateHz: number, hertz: number, level = 0.5) =>
  Float32Array.from({ length: numSamples }, (_, i) => level * Math.sin((2 * Math.PI * hertz * i) / rateHz));

/** Root mean square without the ends, where a resampler settles. */
const level = (samples: Float32Array) => {
  const inner = samples.subarray(1000, -1000);
  return Math.sqrt(inner.reduce((sum, x) => sum + x * x, 0) / inner.length);
};

describe("sizes and sounds", () => {
  test("odd frame sizes come as they are", async (t) => {
    const path = join(temporaryFolder(t), "x.gif");
    for (const [width, height] of [
      [113, 67],
      [1, 1],
      [3, 250],
    ] as const) {
      writeFileSync(path, gifFile(width, height, [10, 60, 100, 127]));
      const clip = await decodeClip(path);
      assert.deepEqual([clip.width, clip.height, clip.waveform.length], [width, height, 0]);
      const size = 3 * width * height;
      assert.equal(clip.frames.length, clip.numFrames * size);
      assert.ok(clip.numFrames >= 2);
      for (let f = 0; f < clip.numFrames; f++) {
        const [gray] = clip.frames.subarray(f * size);
        assert.ok(
          clip.frames.subarray(f * size, (f + 1) * size).every((value) => value === gray),
          `frame ${f}`,
        );
      }
      // The first and the last frame are always among the chosen ones.
      assert.deepEqual([clip.frames[0], clip.frames.at(-1)], [20, 254]);
    }
  });

  test("mono 8 kHz is brought to 16 kHz with its level, and 7.1 to mono", async (t) => {
    const path = join(temporaryFolder(t), "x.wav");
    writeFileSync(path, wavFile([sine(16000, 8000, 440)], 8000));
    const mono = await decodeClip(path);
    assert.deepEqual([mono.waveform.length, mono.sampleRateHz, mono.numFrames], [32000, 16000, 0]);
    const want = 0.5 * Math.SQRT1_2;
    assert.ok(Math.abs(level(mono.waveform) / want - 1) < 0.01, `${level(mono.waveform)} is not ${want}`);
    // The tone is in its place: its inner product with itself is all there is.
    const reference = sine(32000, 16000, 440);
    const product = mono.waveform.reduce((sum, x, i) => sum + x * reference[i]!, 0) / 32000;
    assert.ok(Math.abs(product / want ** 2 - 1) < 0.02, String(product));

    const tone = sine(48000, 48000, 440, 0.3);
    const silence = new Float32Array(48000);
    writeFileSync(path, wavFile(Array(8).fill(tone), 48000));
    const all = await decodeClip(path);
    assert.equal(all.waveform.length, 16000);
    assert.ok(level(all.waveform) > 0.1 && all.waveform.every((x) => Math.abs(x) <= 1));
    writeFileSync(path, wavFile([silence, silence, tone, silence, silence, silence, silence, silence], 48000));
    const centre = await decodeClip(path);
    assert.ok(level(centre.waveform) > 0.01 && level(centre.waveform) < level(all.waveform), "speech is in the centre");
  });

  test("sixteen channels in planes of their own, which the resampler does not take", async (t) => {
    const path = join(temporaryFolder(t), "x.ogg");
    writeFileSync(path, sixteenChannels());
    const { waveform } = await decodeClip(path);
    assert.equal(waveform.length, 4800);
    // All channels are the same tone, so their mean is the tone, at FFmpeg's level of 1/8.
    const want = 0.125 * Math.SQRT1_2;
    assert.ok(Math.abs(level(waveform) / want - 1) < 0.05, `${level(waveform)} is not ${want}`);
  });
});

describe("five hours", () => {
  async function refused(path: string): Promise<void> {
    const before = process.memoryUsage().rss;
    const start = performance.now();
    await assert.rejects(decodeClip(path), (error: MediaError) => {
      assert.equal(error.code, "ERR_MEDIA_TOO_LONG", error.message);
      assert.match(error.message, /expected at most 3600 s, got \d+\.\d s/);
      return true;
    });
    assert.ok(performance.now() - start < maxSeconds * 1000, "in time");
    assert.ok(process.memoryUsage().rss - before < maxBytes, "in memory");
  }

  test("of sound", async (t) => {
    const path = join(temporaryFolder(t), "long.wav");
    const bytes = 2 * 8000 * fiveHours;
    writeFileSync(path, wavHeader(1, 8000, bytes));
    truncateSync(path, 44 + bytes);
    await refused(path);
    // A header that denies what follows: nothing of that is heard.
    truncateSync(path, 2_000_000);
    const file = openSync(path, "r+");
    writeSync(file, wavHeader(1, 8000, 2 * 8000 * 2), 0, 44, 0);
    closeSync(file);
    assert.equal((await decodeClip(path)).waveform.length, 32000);
  });

  test("of video, also when its headers say ten seconds", async (t) => {
    const path = join(temporaryFolder(t), "long.mp4");
    const black = new Uint8Array(32 * 32 * 3);
    const frames = (function* () {
      for (let i = 0; i < fiveHours / 2; i++) yield black;
    })();
    await encodeClip(path, {
      width: 32,
      height: 32,
      fps: 0.5,
      frames,
      waveform: new Float32Array(0),
      sampleRateHz: 16000,
    });
    await refused(path);
    const bytes = readFileSync(path);
    for (const [box, scaleAt] of [
      ["mvhd", 16],
      ["mdhd", 16],
    ] as const) {
      const at = bytes.indexOf(box);
      assert.ok(at > 0);
      bytes.writeUInt32BE(10 * bytes.readUInt32BE(at + scaleAt), at + scaleAt + 4);
    }
    writeFileSync(path, bytes);
    await refused(path);
  });
});

test("damaged WAV and GIF files give a clip or a MediaError, and the process lives", async (t) => {
  const folder = temporaryFolder(t);
  const valid = {
    "x.wav": wavFile([sine(4000, 8000, 440), sine(4000, 8000, 220)], 8000),
    "x.gif": gifFile(31, 17, [10, 60, 100, 127]),
  };
  const random = createRandom(11);
  for (const [name, whole] of Object.entries(valid)) {
    const path = join(folder, name);
    const codes = new Set<string>();
    for (let trial = 0; trial < 150; trial++) {
      let bytes = Buffer.from(whole);
      if (trial % 4 === 0) bytes = bytes.subarray(0, random.int(bytes.length));
      // Half of the damage goes to the header.
      const range = trial % 2 === 0 ? 60 : bytes.length;
      for (let i = 0; i < 1 + random.int(6) && bytes.length > 0; i++) {
        bytes[random.int(Math.min(range, bytes.length))] = random.int(256);
      }
      writeFileSync(path, bytes);
      try {
        const clip = await decodeClip(path);
        assert.equal(clip.frames.length, clip.numFrames * clip.height * clip.width * 3);
        assert.ok(clip.waveform.every(Number.isFinite));
        codes.add("decoded");
      } catch (error) {
        assert.ok(error instanceof MediaError, String(error));
        codes.add(error.code);
      }
    }
    assert.ok(codes.has("decoded") && codes.size >= 2, `${name}: ${[...codes].join(" ")}`);
  }
});
