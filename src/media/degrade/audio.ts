// Ways in which a sound can be taken away, each with a dose: 0 leaves every sample as it is, 1 leaves nothing of the voice.
// Disturbances are mixed in at the loudness of the clip: at dose d the sound keeps (1 - d) of its power and the disturbance
// has d of it, so that the signal-to-noise ratio is 10 log10((1 - d) / d) dB: 0 dB at one half.
import type { Random } from "../../random.ts";
import type { MediaClip } from "../clip.ts";

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
  /** A mains hum with its harmonics. */
  hum: (clip, dose, random) => mixed(clip, dose, hum(clip, random)),
  /** Muffled: first-order low-passes, twice forward and twice backward, so that nothing moves in time. */
  "low-pass": (clip, dose) => lowPassed(clip, dose),
} satisfies Record<string, AudioKernel>;

function mixed({ waveform }: MediaClip, dose: number, disturbance: Float32Array): Float32Array {
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

function hum({ waveform, sampleRateHz }: MediaClip, random: Random): Float32Array {
  const phases = Array.from({ length: numHarmonics }, () => 2 * Math.PI * random.next());
  const radians = (2 * Math.PI * mainsHz) / sampleRateHz;
  return Float32Array.from(waveform, (_, i) =>
    phases.reduce((sum, phase, k) => sum + Math.sin(radians * (k + 1) * i + phase) / (k + 1), 0),
  );
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
