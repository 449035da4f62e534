// A band of a sound's frequencies: in windows of 400 samples (25 ms at 16 kHz, bins of 40 Hz) that overlap by half, what lies outside of
// the band is left out. The windows are square roots of Hann's before and after, so that all of the frequencies together are the sound.
import { createFourierTransform } from "./fourier.ts";

/** In hertz; the upper end is left out. */
export interface Band {
  readonly lowHz: number;
  readonly highHz: number;
}

const size = 400;
const hop = size / 2;
const window = Float64Array.from({ length: size }, (_, i) => Math.sin((Math.PI * (i + 0.5)) / size));

/** [S] -> [S]; nothing moves in time. */
export function bandOf(samples: Float32Array, sampleRateHz: number, { lowHz, highHz }: Band): Float32Array {
  const keeps = Array.from({ length: size }, (_, k) => {
    // The upper half mirrors the lower one.
    const hertz = (Math.min(k, size - k) * sampleRateHz) / size;
    return hertz >= lowHz && hertz < highHz;
  });
  const transform = createFourierTransform();
  const { real, imaginary } = transform;
  const out = new Float32Array(samples.length);
  // Two windows at once: one as the real part, the next as the imaginary one.
  for (let start = -hop; start < samples.length; start += 2 * hop) {
    for (let i = 0; i < size; i++) {
      real[i] = window[i]! * (samples[start + i] ?? 0);
      imaginary[i] = window[i]! * (samples[start + hop + i] ?? 0);
    }
    transform.run();
    for (let k = 0; k < size; k++) if (!keeps[k]) real[k] = imaginary[k] = 0;
    // The inverse is the transform with the two parts exchanged, before and after.
    exchange(real, imaginary);
    transform.run();
    for (let i = 0; i < size; i++) {
      add(out, start + i, (window[i]! * imaginary[i]!) / size);
      add(out, start + hop + i, (window[i]! * real[i]!) / size);
    }
  }
  return out;
}

function exchange(a: Float64Array, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) {
    const kept = a[i]!;
    a[i] = b[i]!;
    b[i] = kept;
  }
}

function add(out: Float32Array, at: number, value: number): void {
  if (at >= 0 && at < out.length) out[at]! += value;
}
