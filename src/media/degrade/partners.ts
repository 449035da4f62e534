// Kinds of masks that bring something else in: another clip's picture or voice, and the voices of a crowd.
import type { Random } from "../../random.ts";
import type { MediaClip, Modality } from "../clip.ts";

/**
 * The clip with another one's picture or sound faded in: at dose 1 the other's alone, in the size and length of the clip's own.
 * Pictures blend by opacity, sounds by power, each as loud as it is.
 */
export function crossFaded(clip: MediaClip, other: MediaClip, modality: Modality, dose: number): MediaClip {
  if (modality === "video") return { ...clip, frames: blendedFrames(clip, other, dose) };
  const voice = repeated(other.waveform, clip.waveform.length);
  const [own, theirs] = [Math.sqrt(1 - dose), Math.sqrt(dose)];
  return {
    ...clip,
    waveform: clip.waveform.map((sample, i) => Math.max(-1, Math.min(1, own * sample + theirs * voice[i]!))),
  };
}

/** The nearest pixel of the nearest moment. */
function blendedFrames(clip: MediaClip, other: MediaClip, dose: number): Uint8Array {
  const { frames, numFrames, height, width } = clip;
  const out = new Uint8ClampedArray(frames.length);
  for (let frame = 0; frame < numFrames; frame++) {
    const theirFrame = Math.floor((frame * other.numFrames) / numFrames);
    for (let y = 0; y < height; y++) {
      const theirRow = (theirFrame * other.height + Math.floor((y * other.height) / height)) * other.width;
      const row = (frame * height + y) * width;
      for (let x = 0; x < width; x++) {
        const theirs = (theirRow + Math.floor((x * other.width) / width)) * 3;
        const own = (row + x) * 3;
        for (let c = 0; c < 3; c++) {
          out[own + c] = frames[own + c]! + dose * (other.frames[theirs + c]! - frames[own + c]!);
        }
      }
    }
  }
  return new Uint8Array(out.buffer);
}

/** From the start again where it is too short. */
function repeated(waveform: Float32Array, length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => waveform[i % waveform.length] ?? 0);
}

/** The sounds of other clips together, [S] of the clip's length. */
export function mixedVoices({ waveform }: MediaClip, others: readonly MediaClip[]): Float32Array {
  const sum = new Float32Array(waveform.length);
  for (const other of others) {
    const voice = repeated(other.waveform, sum.length);
    for (let i = 0; i < sum.length; i++) sum[i]! += voice[i]!;
  }
  return sum;
}

const numTalkers = 6;
const numHarmonics = 12;
const [lowestPitchHz, highestPitchHz] = [90, 260];
const [slowestSyllablesHz, fastestSyllablesHz] = [3, 6];

/** A crowd where there is no corpus to take one from: harmonic voices of drawn pitch, each open and shut at a rate of its own. */
export function syntheticBabble({ waveform, sampleRateHz }: MediaClip, random: Random): Float32Array {
  const sum = new Float32Array(waveform.length);
  const between = (low: number, high: number) => low + (high - low) * random.next();
  for (let talker = 0; talker < numTalkers; talker++) {
    const pitch = (2 * Math.PI * between(lowestPitchHz, highestPitchHz)) / sampleRateHz;
    const syllables = (2 * Math.PI * between(slowestSyllablesHz, fastestSyllablesHz)) / sampleRateHz;
    const start = 2 * Math.PI * random.next();
    const weights = Array.from({ length: numHarmonics }, (_, k) => random.next() / (k + 1));
    for (let i = 0; i < sum.length; i++) {
      const open = Math.max(0, Math.sin(syllables * i + start));
      if (open === 0) continue;
      let voice = 0;
      for (let k = 0; k < numHarmonics; k++) voice += weights[k]! * Math.sin(pitch * (k + 1) * i);
      sum[i]! += open * voice;
    }
  }
  return sum;
}
