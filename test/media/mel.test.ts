// Log-mel features against WhisperFeatureExtractor, and what can be said without it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createFourierTransform } from "../../src/media/fourier.ts";
import { createMelExtractor, numMels } from "../../src/media/mel.ts";
import { readGolden } from "../support/safetensors.ts";
import { sharedPath } from "../support/shared.ts";

/** The reference transforms in float32, we in float64. */
const melTolerance = 2e-4;
const fourierTolerance = 1e-12;

const golden = "golden/qwen-omni/mel/mel.safetensors";

function largestDifference(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}

test("features equal the reference for tones, silence, noise, an impulse, short and full buffers", (t) => {
  const path = sharedPath(golden);
  if (path === null) return t.skip(`no ${golden}`);
  const read = readGolden(path);
  const cases = JSON.parse(readFileSync(path.replace(".safetensors", ".json"), "utf8"));
  const extract = createMelExtractor();
  assert.equal(cases.length, 10);
  for (const { i, frames, n_samples } of cases) {
    const waveform = read(`wave_${i}`).data as Float32Array;
    const expected = read(`logmel_${i}`).data as Float32Array;
    const mel = extract(waveform, { bufferSeconds: n_samples / 16000 });
    assert.equal(mel.numFrames, frames);
    assert.ok(largestDifference(mel.values, expected) < melTolerance, `case ${i}`);
  }
  const shifted = (read("wave_2").data as Float32Array).subarray(1);
  const wrong = extract(shifted).values.subarray(0, 128 * 253);
  assert.ok(
    largestDifference(wrong, read("logmel_2").data as Float32Array) > melTolerance,
    "one sample's shift must show",
  );
});

test("silence is exactly -1.5, and lengths are rounded up to whole hops", () => {
  const extract = createMelExtractor();
  const silent = extract(new Float32Array(32000));
  assert.equal(silent.numFrames, 200);
  assert.equal(silent.values.length, numMels * 200);
  assert.ok(silent.values.every((value) => value === -1.5));
  assert.deepEqual(
    [0, 1, 160, 161, 40480, 40481].map((length) => extract(new Float32Array(length)).numFrames),
    [0, 1, 1, 2, 253, 254],
  );
});

test("numbers of frames equal the reference's table", (t) => {
  const path = sharedPath("golden/qwen-omni/tables.json");
  if (path === null) return t.skip("no golden/qwen-omni/tables.json");
  const rows: { samples: number; mel_frames: number }[] = JSON.parse(readFileSync(path, "utf8")).samples_to_mel;
  assert.equal(rows.length, 10);
  const extract = createMelExtractor();
  for (const { samples, mel_frames } of rows) assert.equal(extract(new Float32Array(samples)).numFrames, mel_frames);
});

test("a tone of 1 kHz is loudest in the mel whose centre is there", () => {
  const tone = Float32Array.from({ length: 16000 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 1000 * i) / 16000));
  const { values, numFrames } = createMelExtractor()(tone);
  const column = Array.from({ length: numMels }, (_, mel) => values[mel * numFrames + 50]!);
  // 1000 Hz is mel 15, 8000 Hz is mel 45.245..: centre m + 1 of 129 steps is 15 at m = 41.77, so filter 42 is nearest.
  assert.equal(column.indexOf(Math.max(...column)), 42);
});

test("the transform equals the defining sum", () => {
  const transform = createFourierTransform();
  const real = Float64Array.from({ length: 400 }, (_, i) => Math.sin(i * i));
  const imaginary = Float64Array.from({ length: 400 }, (_, i) => Math.cos(3 * i * i));
  transform.real.set(real);
  transform.imaginary.set(imaginary);
  transform.run();
  let largest = 0;
  for (let k = 0; k < 400; k++) {
    let sumR = 0;
    let sumI = 0;
    for (let n = 0; n < 400; n++) {
      const angle = (-2 * Math.PI * ((k * n) % 400)) / 400;
      sumR += real[n]! * Math.cos(angle) - imaginary[n]! * Math.sin(angle);
      sumI += real[n]! * Math.sin(angle) + imaginary[n]! * Math.cos(angle);
    }
    largest = Math.max(largest, Math.abs(sumR - transform.real[k]!), Math.abs(sumI - transform.imaginary[k]!));
  }
  assert.ok(largest < fourierTolerance * 400, `${largest}`);
});
