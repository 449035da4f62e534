// What the towers see and hear of files, against the reference's processor: frames, squares, mel; and of what only just is media.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { MediaClip } from "../../../src/media/clip.ts";
import { decodeClip } from "../../../src/media/isolated/index.ts";
import { sampleFrames } from "../../../src/media/sampling.ts";
import { fitSquare } from "../../../src/media/square.ts";
import { readCheckpoint } from "../../../src/models/human-omni/checkpoint.ts";
import type { HumanOmniConfig } from "../../../src/models/human-omni/config/config.ts";
import {
  createFeatureExtractor,
  fitClip,
  fitImage,
  type MediaSettings,
  mediaSettings,
} from "../../../src/models/human-omni/processor.ts";
import type { Tensor } from "../../../src/tensor/index.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { goldenJson, goldenOptions, modelFolder, withGolden } from "./golden.ts";

const MEL_TOLERANCE = 2e-4;
const SAMPLE_RATE = 16000;

const bytes = (x: Tensor): Uint8Array => Uint8Array.from(x.to("int32").contiguous().toInt32Array());
const furthest = (got: ArrayLike<number>, want: ArrayLike<number>): number => {
  assert.equal(got.length, want.length);
  let worst = 0;
  for (let i = 0; i < want.length; i++) worst = Math.max(worst, Math.abs(got[i]! - want[i]!));
  return worst;
};

interface Golden {
  readonly config: HumanOmniConfig;
  /** With what a processor_config.json says. */
  settings(change?: object): MediaSettings;
}

function goldenModel(): Golden {
  const checkpoint = readCheckpoint(modelFolder());
  for (const parameter of [...checkpoint.parameters.values(), ...checkpoint.unused.values()]) parameter.dispose();
  const { config, companions, towers, directory } = checkpoint;
  return {
    config,
    settings: (change = {}) =>
      mediaSettings(
        config,
        new Map([...companions, ["processor_config.json", JSON.stringify(change)]]),
        towers,
        directory,
      ),
  };
}

function clipOf(change: Partial<MediaClip>): MediaClip {
  const none = { frames: new Uint8Array(0), numFrames: 0, height: 0, width: 0, fps: 0, waveform: new Float32Array(0) };
  return { ...none, sampleRateHz: SAMPLE_RATE, durationSeconds: 0, ...change };
}

test("which frames: the middles of equal parts, or of every second", goldenOptions, () => {
  type Rows = readonly (readonly [number, number, readonly number[]])[];
  const { uniform_rows: uniform, fps_rows: everySecond } = goldenJson<{ uniform_rows: Rows; fps_rows: Rows }>(
    "preprocess/frame_tables.json",
  );
  for (const [total, parts, want] of uniform) assert.deepEqual([...sampleFrames(total, 25, { parts })!.indices], want);
  for (const [total, fps, want] of everySecond)
    assert.deepEqual([...sampleFrames(total, fps, { parts: "seconds" })!.indices], want);
  const truncated = uniform.filter(([total, parts, want]) =>
    want.some((index, i) => index !== Math.trunc((i * (total - 1)) / Math.max(1, parts - 1))),
  );
  assert.ok(truncated.length > 80, "ends that are looked at show");
  assert.equal(sampleFrames(0, 25, { parts: 8 }), null);
});

test("frames of any shape as squares, squashed and padded, to the level", goldenOptions, () => {
  withGolden("preprocess/images.safetensors", (file) => {
    for (const name of ["wide", "tall", "square"]) {
      const raw = file.tensor(`${name}.raw`);
      const [count, height, width] = raw.shape as [number, number, number];
      for (let i = 0; i < count; i++) {
        const pixels = bytes(raw.select(0, i));
        for (const shape of ["squash", "pad"] as const) {
          const got = fitSquare(pixels, { height, width }, { side: 48, shape });
          assert.deepEqual(got, bytes(file.tensor(`${name}.${shape}_u8`).select(0, i)), `${name} ${i} ${shape}`);
        }
      }
    }
    const wide = bytes(file.tensor("wide.raw").select(0, 0));
    const size = { height: 27, width: 96 };
    const large = fitSquare(wide, size, { side: 224, shape: "squash" });
    const fourth = Array.from({ length: 56 }, (_, row) => [
      ...large.subarray(row * 4 * 224 * 3, (row * 4 + 1) * 224 * 3),
    ]).flat();
    assert.deepEqual(Uint8Array.from(fourth), bytes(file.tensor("wide.squash224_u8_every4th_row").select(0, 0)));
    // The reference's filler: black with the sides of the last frame swapped, which only padding shows.
    assert.deepEqual(
      fitSquare(new Uint8Array(40 * 64 * 3), { height: 40, width: 64 }, { side: 48, shape: "pad" }),
      bytes(file.tensor("tall.filler_pad_u8").select(0, 0)),
    );
    assert.notDeepEqual(
      fitSquare(wide, size, { side: 48, shape: "pad" }),
      fitSquare(wide, size, { side: 48, shape: "squash" }),
    );
  });
});

test("a clip's frames and mel, from raw ones", goldenOptions, () => {
  const { config, settings } = goldenModel();
  withGolden("media.safetensors", (file) => {
    const raw = file.tensor("raw_frames");
    const [numFrames, height, width] = raw.shape as [number, number, number];
    const waveform = Float32Array.from(file.tensor("audio_i16").to("int32").toInt32Array(), (level) => level / 32768);
    const clip = clipOf({ frames: bytes(raw), numFrames, height, width, fps: 4, waveform });
    for (const square of ["squash", "pad"] as const) {
      const media = settings({ square });
      const fitted = fitClip(clip, media);
      assert.deepEqual(fitted.frames, bytes(file.tensor(`pixel_u8_${square}`)), square);
      assert.deepEqual(fitClip(fitted, media), fitted, "fitted stays fitted");
      const { video, audio } = createFeatureExtractor(config, media)(fitted);
      assert.deepEqual([video!.numTokens, audio!.numTokens], [72, 50]);
      assert.ok(furthest(audio!.mel, file.tensor("mel").toFloat32Array()) <= MEL_TOLERANCE);
    }
    const late = createFeatureExtractor(config, settings())(clipOf({ waveform: waveform.subarray(160) }));
    assert.ok(furthest(late.audio!.mel, file.tensor("mel").toFloat32Array()) > 0.05, "sound that is shifted shows");
    assert.equal(settings({ num_frames: null }).fit.parts, "seconds");
    const picture = fitImage(clipOf({ frames: bytes(raw.select(0, 0)), numFrames: 1, height, width }), settings());
    assert.deepEqual([picture.height, picture.width, picture.numFrames], [48, 48, 1]);
    assert.throws(() => fitImage(clip, settings()), { code: "ERR_PROMPT_MEDIA" });
    assert.throws(() => createFeatureExtractor(config, settings())(clip), { code: "ERR_FRAME_SIZE" });
  });
});

/** The mel of a waveform in a window of so many seconds. */
function melOf(
  { config, settings }: Golden,
  waveform: Float32Array,
  seconds: number,
): { mel: Float32Array; columns: number } {
  const melFrames = seconds * 100;
  const own = { ...config, audio: { ...config.audio, maxPositions: melFrames / 2 } };
  const { mel } = createFeatureExtractor(own, { ...settings(), melFrames })(clipOf({ waveform })).audio!;
  return { mel, columns: melFrames };
}

/** The first frames of a mel with all bands, and the frames behind them. */
function parted({ mel, columns }: { mel: Float32Array; columns: number }, count: number): [number[], number[]] {
  const rows = Array.from({ length: 128 }, (_, band) => [...mel.subarray(band * columns, (band + 1) * columns)]);
  return [rows.flatMap((row) => row.slice(0, count)), rows.flatMap((row) => row.slice(count))];
}

test("windows of sound: short, odd, silent, too long; what is behind the sound is one level", goldenOptions, () => {
  const golden = goldenModel();
  const info =
    goldenJson<Record<string, { chunk_s?: number; pad_value: number | null; tail_constant?: boolean }>>(
      "preprocess/mel.json",
    );
  withGolden("media.safetensors", (media) =>
    withGolden("preprocess/mel.safetensors", (file) => {
      const waveform = Float32Array.from(
        media.tensor("audio_i16").to("int32").toInt32Array(),
        (level) => level / 32768,
      );
      const sixteen = file.tensor("r16k_stereo.src_i16").to("int32").toInt32Array();
      const stereo = (weight: number) =>
        Float32Array.from(
          { length: sixteen.length / 2 },
          (_, i) => ((sixteen[i]! + sixteen[sixteen.length / 2 + i]!) / 32768) * weight,
        );
      const waves: Record<string, Float32Array> = {
        odd_5001_30s: waveform.subarray(0, 5001),
        one_sample_30s: waveform.subarray(100, 101),
        len_161_30s: waveform.subarray(200, 361),
        odd_12345_3s: waveform.subarray(0, 12345),
        silence_10s_as_on_failure: new Float32Array(160000),
        "r16k_stereo.decord_like": stereo(Math.SQRT1_2),
        "r16k_stereo.mean": stereo(0.5),
      };
      for (const name of ["r8k_mono", "r44k_stereo"].flatMap((source) => [
        `${source}.decord_like`,
        `${source}.ffmpeg`,
      ])) {
        waves[name] = file.tensor(`${name}_wave`).toFloat32Array();
      }
      for (const [name, wave] of Object.entries(waves)) {
        const want = file.tensor(`${name}.mel`);
        const [first, rest] = parted(melOf(golden, wave, info[name]!.chunk_s!), want.size(1));
        assert.ok(furthest(first, want.toFloat32Array()) <= MEL_TOLERANCE, name);
        for (const level of rest) assert.ok(Math.abs(level - info[name]!.pad_value!) <= 2e-5, name);
      }
      // The reference's long clip repeats the short one's samples.
      const long = Float32Array.from({ length: 496001 }, (_, i) => waveform[i % waveform.length]!);
      const cut = melOf(golden, long, 30);
      assert.deepEqual(cut.mel, melOf(golden, long.subarray(0, 480000), 30).mel);
      const mean = melOf(golden, waves["r16k_stereo.mean"]!, 30).mel;
      assert.ok(furthest(mean, melOf(golden, waves["r16k_stereo.decord_like"]!, 30).mel) > 0.07, "the other mix shows");
    }),
  );
});

/** A WAV of interleaved 16-bit samples. */
function wavFile(channels: readonly Int32Array[], rate: number): Buffer {
  const samples = channels[0]!.length;
  const head = Buffer.alloc(44);
  const dataBytes = samples * channels.length * 2;
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + dataBytes, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(channels.length, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * channels.length * 2, 28);
  head.writeUInt16LE(channels.length * 2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(dataBytes, 40);
  const data = Buffer.alloc(dataBytes);
  for (let i = 0; i < samples; i++)
    for (const [c, channel] of channels.entries()) data.writeInt16LE(channel[i]!, (i * channels.length + c) * 2);
  return Buffer.concat([head, data]);
}

test(
  "two channels of a file: their mean, or as the reference hears them; a long sound is cut and told",
  goldenOptions,
  async (t) => {
    const folder = temporaryFolder(t);
    const { settings } = goldenModel();
    const sources: { name: string; rate: number; channels: Int32Array[]; ffmpeg: Float32Array | null }[] = [];
    withGolden("preprocess/mel.safetensors", (file) => {
      for (const [name, rate] of [
        ["r16k_stereo", 16000],
        ["r44k_stereo", 44100],
      ] as const) {
        const source = file.tensor(`${name}.src_i16`).to("int32");
        const channels = [0, 1].map((c) => source.select(0, c).contiguous().toInt32Array());
        const key = rate === 16000 ? `${name}.decord_like_wave` : `${name}.ffmpeg_wave`;
        sources.push({ name, rate, channels, ffmpeg: file.tensor(key).toFloat32Array() });
      }
    });
    for (const { name, rate, channels, ffmpeg } of sources) {
      const path = join(folder, `${name}.wav`);
      writeFileSync(path, wavFile(channels, rate));
      const power = await decodeClip(path, { fit: settings({ stereo: "power" }).fit });
      const mean = await decodeClip(path, { fit: settings().fit });
      // A resampler's last, partial sample is beyond the file's length.
      const heard = ffmpeg!.subarray(0, Math.round((channels[0]!.length / rate) * SAMPLE_RATE));
      assert.ok(furthest(power.waveform, heard) < 1e-4, `${name} as FFmpeg mixes to floats`);
      assert.ok(
        furthest(
          mean.waveform,
          power.waveform.map((sample) => sample * Math.SQRT1_2),
        ) < 1e-5,
        name,
      );
      assert.ok(furthest(mean.waveform, heard) > 0.05, `${name}: the mean is another sound`);
    }
    const path = join(folder, "long.wav");
    writeFileSync(path, wavFile([new Int32Array(SAMPLE_RATE * 600)], SAMPLE_RATE));
    const long = await decodeClip(path, { fit: settings().fit });
    assert.equal(long.waveform.length, 3 * SAMPLE_RATE);
    assert.deepEqual(long.notices, ["sound: the first 3 s of 600.00 s are heard"]);
  },
);

test("what a processor's files may say", goldenOptions, () => {
  const { settings } = goldenModel();
  assert.deepEqual(settings().fit.square, { side: 48, shape: "squash" });
  for (const wrong of [{ square: "crop" }, { stereo: "left" }, { size: 4 }, { num_frames: 0 }]) {
    assert.throws(() => settings(wrong), { code: "ERR_CHECKPOINT_CONFIG" }, JSON.stringify(wrong));
  }
});
