// Whisper's log-mel features, as Qwen2.5-Omni uses them: 128 mels, 25 ms windows, 10 ms hop, 16 kHz, values about
// [-1.5, 1.5], digital silence exactly -1.5. The reference pads to a 300 s buffer; only what matters of it is computed.

import { createFourierTransform, type FourierTransform } from "./fourier.ts";

export const melSampleRateHz = 16000;
export const numMels = 128;
const windowSize = 400;
const hop = 160;
const numBins = windowSize / 2 + 1;
const logFloor = 1e-10;

export interface MelFeatures {
  /** Row-major [128, numFrames]. */
  readonly values: Float32Array;
  /** One per 10 ms, the last one begun counts. */
  readonly numFrames: number;
}

export interface MelOptions {
  /** Audio beyond this is dropped, as in the reference. Default 300. */
  readonly bufferSeconds?: number;
}

/** The tables: window, and the filter bank as the two mels that each bin feeds. */
interface MelTables {
  readonly window: Float64Array;
  /** Bin k adds `power * low[k]` to mel `mel[k]` and `power * high[k]` to mel `mel[k] + 1`; out-of-range mels fall away. */
  readonly mel: Int32Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** A mel extractor keeps its tables and work space: make one and use it for many clips. */
export type MelExtractor = (waveform: Float32Array, options?: MelOptions) => MelFeatures;

/** Mono samples at 16 kHz to features. Empty audio gives no frames. */
export function createMelExtractor(): MelExtractor {
  const tables = makeTables();
  const transform = createFourierTransform();
  return (waveform, options = {}) => {
    const bufferSize = Math.round((options.bufferSeconds ?? 300) * melSampleRateHz);
    const numSamples = Math.min(waveform.length, bufferSize);
    const numFrames = Math.ceil(numSamples / hop);
    // Windows that begin before the last sample count for the maximum, though the last two are dropped.
    const computed = Math.min(numFrames + 2, Math.floor(bufferSize / hop));
    const padded = padWaveform(waveform, numSamples, bufferSize, computed);
    // [frame, mel]
    const mels = new Float64Array(computed * numMels);
    for (let frame = 0; frame < computed; frame += 2) melsOfTwoFrames(padded, frame, computed, tables, transform, mels);
    return { values: compress(mels, numFrames, computed), numFrames };
  };
}

/** Reflected at the start; after the audio zeros up to the end of the buffer, where it is reflected too. */
function padWaveform(waveform: Float32Array, numSamples: number, bufferSize: number, numFrames: number): Float64Array {
  const half = windowSize / 2;
  const padded = new Float64Array((numFrames + 1) * hop + windowSize);
  const sample = (i: number): number => (i < numSamples ? waveform[i]! : 0);
  for (let i = 1; i <= half; i++) padded[half - i] = sample(i);
  padded.set(waveform.subarray(0, Math.min(numSamples, padded.length - half)), half);
  for (let i = bufferSize; i + half < padded.length && i < bufferSize + half; i++) {
    padded[i + half] = sample(2 * (bufferSize - 1) - i);
  }
  return padded;
}

function melsOfTwoFrames(
  padded: Float64Array,
  frame: number,
  numFrames: number,
  { window, mel, low, high }: MelTables,
  transform: FourierTransform,
  mels: Float64Array,
): void {
  const { real, imaginary } = transform;
  const start = frame * hop;
  for (let i = 0; i < windowSize; i++) {
    real[i] = padded[start + i]! * window[i]!;
    imaginary[i] = padded[start + hop + i]! * window[i]!;
  }
  transform.run();
  const first = frame * numMels;
  const hasSecond = frame + 1 < numFrames;
  for (let bin = 0; bin < numBins; bin++) {
    const mirrored = bin === 0 ? 0 : windowSize - bin;
    // The spectra of the two real frames, taken apart by their symmetry.
    const sumR = real[bin]! + real[mirrored]!;
    const difI = imaginary[bin]! - imaginary[mirrored]!;
    const sumI = imaginary[bin]! + imaginary[mirrored]!;
    const difR = real[bin]! - real[mirrored]!;
    const power = (sumR * sumR + difI * difI) / 4;
    const second = (sumI * sumI + difR * difR) / 4;
    const at = mel[bin]!;
    const below = low[bin]!;
    const above = high[bin]!;
    if (at >= 0) {
      mels[first + at] = mels[first + at]! + power * below;
      if (hasSecond) mels[first + numMels + at] = mels[first + numMels + at]! + second * below;
    }
    if (at + 1 < numMels) {
      mels[first + at + 1] = mels[first + at + 1]! + power * above;
      if (hasSecond) mels[first + numMels + at + 1] = mels[first + numMels + at + 1]! + second * above;
    }
  }
}

/** log10, eight decades below the maximum at most, scaled; to [128, numFrames]. */
function compress(mels: Float64Array, numFrames: number, computed: number): Float32Array {
  let maximum = logFloor;
  for (let i = 0; i < computed * numMels; i++) if (mels[i]! > maximum) maximum = mels[i]!;
  const floor = Math.max(Math.log10(maximum) - 8, Math.log10(logFloor));
  const lowest = 10 ** floor;
  const values = new Float32Array(numMels * numFrames);
  for (let frame = 0; frame < numFrames; frame++) {
    for (let mel = 0; mel < numMels; mel++) {
      const power = mels[frame * numMels + mel]!;
      values[mel * numFrames + frame] = ((power > lowest ? Math.log10(power) : floor) + 4) / 4;
    }
  }
  return values;
}

function makeTables(): MelTables {
  const window = Float64Array.from(
    { length: windowSize },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / windowSize),
  );
  // 130 points equally spaced in mel: filter m rises from edge m to m + 1 and falls to m + 2.
  const edges = Float64Array.from({ length: numMels + 2 }, (_, i) =>
    melToHertz((hertzToMel(melSampleRateHz / 2) * i) / (numMels + 1)),
  );
  const mel = new Int32Array(numBins);
  const low = new Float64Array(numBins);
  const high = new Float64Array(numBins);
  for (let bin = 0; bin < numBins; bin++) {
    const frequency = (bin * melSampleRateHz) / windowSize;
    let edge = 0;
    while (edge < numMels && frequency >= edges[edge + 1]!) edge++;
    // Between edge and edge + 1, filter edge - 1 falls and filter edge rises. Slaney's norm: area one.
    const share = (frequency - edges[edge]!) / (edges[edge + 1]! - edges[edge]!);
    mel[bin] = edge - 1;
    if (edge >= 1) low[bin] = Math.max(0, 1 - share) * (2 / (edges[edge + 1]! - edges[edge - 1]!));
    if (edge < numMels) high[bin] = share * (2 / (edges[edge + 2]! - edges[edge]!));
  }
  return { window, mel, low, high };
}

const mels1000 = 15;
const logStep = 27 / Math.log(6.4);

/** Slaney's scale: linear below 1 kHz. */
function hertzToMel(hertz: number): number {
  return hertz < 1000 ? (3 * hertz) / 200 : mels1000 + Math.log(hertz / 1000) * logStep;
}

function melToHertz(mel: number): number {
  return mel < mels1000 ? (200 * mel) / 3 : 1000 * Math.exp((mel - mels1000) / logStep);
}
