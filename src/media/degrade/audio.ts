// Ways in which a sound can be taken away, each with a dose: 0 leaves every sample as it is, 1 leaves nothing of the voice.
// Disturbances are mixed in at the loudness of the clip: at dose d the sound keeps (1 - d) of its power and the disturbance
// has d of it, so that the signal-to-noise ratio is 10 log10((1 - d) / d) dB: 0 dB at one half.
import type { Random } from "../../random.ts";
import type { MediaClip } from "../clip.ts";
import { chord, rustle } from "./random-fields.ts";

/** [S] from the clip's waveform, which is not changed. */
type AudioKernel = (clip: MediaClip, dose: number, random: Random) => Float32Array;

const mainsHz = 50;
/** Odd and even harmonics fall off alike in a transformer's hum. */
const numHarmonics = 12;
/** A low-pass of dose 0 keeps all of what 16 kHz can hold; of dose 1, less than any voice has. */
const highestCutHz = 8000;
const lowestCutHz = 60;

export const audioKernels = {
  /** Quieter. */
  quiet: ({ waveform }, dose) => waveform.map((sample) => sample * (1 - dose)),
  /** White noise. */
  noise: (clip, dose, random) =>
    mixed(
      clip,
      dose,
      Float32Array.from(clip.waveform, () => random.normal()),
    ),
  /** Pink noise: as much in every octave, so that it covers a voice better than white noise of its loudness. */
  "pink-noise": (clip, dose, random) => mixed(clip, dose, pink(clip.waveform.length, random)),
  /** A mains hum with its harmonics. */
  hum: (clip, dose, random) => mixed(clip, dose, hum(clip, random)),
  /** A random chord that swells and fades. */
  chord: (clip, dose, random) => mixed(clip, dose, chord(clip, random)),
  /** Noise of a random colour in random bands, each of which swells and fades. */
  rustle: (clip, dose, random) => mixed(clip, dose, rustle(clip, random)),
  /** Muffled: first-order low-passes, twice forward and twice backward, so that nothing moves in time. */
  "low-pass": (clip, dose) => lowPassed(clip, dose),
} satisfies Record<string, AudioKernel>;

/** The clip's sound with a disturbance as loud as it, in the proportion of the dose. */
export function mixed({ waveform }: MediaClip, dose: number, disturbance: Float32Array): Float32Array {
  if (dose === 0) return waveform.slice();
  const loudness = rms(waveform) || quietRoom;
  const own = Math.sqrt(1 - dose);
  const other = (Math.sqrt(dose) * loudness) / (rms(disturbance) || 1);
  return waveform.map((sample, i) => Math.max(-1, Math.min(1, own * sample + other * disturbance[i]!)));
}

/** What a disturbance is as loud as where the clip itself is silent. */
const quietRoom = 0.05;

function rms(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length === 0 ? 0 : Math.sqrt(sum / samples.length);
}

/** Poles of first-order low-passes and their gains, an octave and a half apart: near 1/f from 10 Hz up (after P. Kellet, 1999). */
const pinkPoles = [0.99886, 0.99332, 0.969, 0.8665, 0.55, -0.7616] as const;
const pinkGains = [0.0555179, 0.0750759, 0.153852, 0.3104856, 0.5329522, -0.016898] as const;
const pinkWhite = 0.5362;

function pink(length: number, random: Random): Float32Array {
  const states = pinkPoles.map(() => 0);
  return Float32Array.from({ length }, () => {
    const white = random.normal();
    let sum = white * pinkWhite;
    for (let k = 0; k < states.length; k++) {
      states[k] = pinkPoles[k]! * states[k]! + pinkGains[k]! * white;
      sum += states[k]!;
    }
    return sum;
  });
}

function hum({ waveform, sampleRateHz }: MediaClip, random: Random): Float32Array {
  const radians = (2 * Math.PI * mainsHz) / sampleRateHz;
  const sums = new Float64Array(waveform.length);
  const phases = Array.from({ length: numHarmonics }, () => 2 * Math.PI * random.next());
  for (const [k, phase] of phases.entries()) {
    for (let i = 0; i < sums.length; i++) sums[i]! += Math.sin(radians * (k + 1) * i + phase) / (k + 1);
  }
  return Float32Array.from(sums);
}

const numPasses = 4;

function lowPassed({ waveform, sampleRateHz }: MediaClip, dose: number): Float32Array {
  const out = waveform.slice();
  if (dose === 0) return out;
  const cutHz = highestCutHz * (lowestCutHz / highestCutHz) ** dose;
  const share = 1 - Math.exp((-2 * Math.PI * cutHz) / sampleRateHz);
  for (let pass = 0; pass < numPasses; pass++) {
    let state = 0;
    for (let i = 0; i < out.length; i++) {
      state += share * (out[i]! - state);
      out[i] = state;
    }
    out.reverse();
  }
  return out;
}
