// The actor's voice: a glottal source and breath noise through moving formants, 2 seconds in a few milliseconds. The acoustic
// state sets volume, pace, pitch and quality; the line sets the vowels; the seed sets the speaker. Silence is exact zeros.
import { createRandom, type Random } from "../../random.ts";
import { type Delivery, drawDelivery } from "./delivery.ts";
import type { Scene } from "./draw.ts";
import type { LipTrack } from "./stage.ts";
import { layOut, syllablesOf } from "./syllables.ts";
import { speechTracks, type Tracks } from "./tracks.ts";

export interface Voice {
  /** Mono, inside (-1, 1). */
  readonly waveform: Float32Array;
  readonly sampleRateHz: number;
  readonly lips: LipTrack;
}

/** Control values change every 5 ms. */
export const controlRateHz = 200;
const lipSmoothingSeconds = 0.05;
const fadeSeconds = 0.012;
const formantWidthsHz = [70, 95, 140, 240, 300];
/** Share of the previous sample taken away: lifts what five resonances alone leave too dark. */
const dullness = 0.55;
/** A resonance that is 1 at 0 Hz is loud at several kHz; this brings hiss down to the voice. */
const hissLevel = 0.1;

export function speak(scene: Scene, seconds: number, sampleRateHz: number): Voice {
  const random = createRandom(scene.seed ^ 0x30061);
  const delivery = drawDelivery(scene.acoustic, random, scene.troupe);
  const timing = { syllableSeconds: delivery.syllableSeconds, startSeconds: 0.08, endSeconds: seconds - 0.06 };
  const syllables = layOut(syllablesOf(scene.subtitle), timing, random);
  const tracks = speechTracks(syllables, delivery, seconds, random);
  const waveform = synthesize(tracks, delivery, Math.round(seconds * sampleRateHz), sampleRateHz, random);
  setLoudness(waveform, delivery.level);
  return { waveform, sampleRateHz, lips: { values: lipOpening(tracks), rateHz: controlRateHz } };
}

/** Source and filter, sample by sample; controls are interpolated linearly within their 5 ms. */
function synthesize(
  tracks: Tracks,
  delivery: Delivery,
  numSamples: number,
  sampleRateHz: number,
  random: Random,
): Float32Array {
  const out = new Float32Array(numSamples);
  const hop = sampleRateHz / controlRateHz;
  const formants = formantWidthsHz.map(() => createResonator());
  const hiss = createResonator();
  let noise = (random.int(0xffffffff) | 1) >>> 0;
  let phase = 0;
  let period = 1;
  let smoothed = 0;
  let previousGlottal = 0;
  let previousSound = 0;
  let isOddPeriod = false;
  for (let n = 0; n < numSamples; n += 1) {
    const at = n / hop;
    const k = Math.min(tracks.length - 2, Math.floor(at));
    const mix = at - k;
    if (n === 0 || Math.floor((n - 1) / hop) !== k) {
      for (const [f, width] of formantWidthsHz.entries()) {
        tune(formants[f]!, tracks.formants[f]![k]!, width * delivery.formantWidth, sampleRateHz);
      }
      tune(hiss, tracks.hissHz[k]!, 1200, sampleRateHz);
    }
    const pitch = tracks.pitchHz[k]! + (tracks.pitchHz[k + 1]! - tracks.pitchHz[k]!) * mix;
    const voiced = tracks.voiced[k]! + (tracks.voiced[k + 1]! - tracks.voiced[k]!) * mix;
    const breath = tracks.breath[k]! + (tracks.breath[k + 1]! - tracks.breath[k]!) * mix;
    const hissing = tracks.hiss[k]! + (tracks.hiss[k + 1]! - tracks.hiss[k]!) * mix;
    phase += (pitch / sampleRateHz) * period;
    noise ^= noise << 13;
    noise ^= noise >>> 17;
    noise ^= noise << 5;
    const white = (noise >>> 0) / 2147483648 - 1;
    if (phase >= 1) {
      phase -= 1;
      isOddPeriod = !isOddPeriod;
      // Jitter, and for a growl every other period longer: a tone an octave below.
      period = 1 + delivery.jitter * white + (isOddPeriod ? delivery.growl : -delivery.growl) * 0.22;
    }
    // Rosenberg's pulse: rises, falls faster, then closed; its difference is what leaves the lips.
    const glottal = glottalFlow(phase, delivery.openShare);
    const loudness = isOddPeriod ? 1 : 1 - 0.55 * delivery.growl;
    const buzz = (glottal - previousGlottal) * 9 * loudness;
    previousGlottal = glottal;
    smoothed += (buzz - smoothed) * delivery.brightness;
    const isOpen = phase < delivery.openShare ? 1 : 0.35;
    let sound = voiced * smoothed + breath * white * 0.32 * (voiced > 0.02 ? isOpen : 1);
    for (let f = 0; f < formants.length; f += 1) sound = resonate(formants[f]!, sound);
    out[n] = sound - dullness * previousSound + hissLevel * hissing * resonate(hiss, white);
    previousSound = sound;
  }
  return out;
}

function glottalFlow(phase: number, openShare: number): number {
  const rise = openShare * 0.66;
  if (phase < rise) return 0.5 - 0.5 * Math.cos((Math.PI * phase) / rise);
  if (phase < openShare) return Math.cos((0.5 * Math.PI * (phase - rise)) / (openShare - rise));
  return 0;
}

/** A two-pole resonance with gain 1 at 0 Hz (Klatt). */
interface Resonator {
  a: number;
  b: number;
  c: number;
  y1: number;
  y2: number;
}

function createResonator(): Resonator {
  return { a: 1, b: 0, c: 0, y1: 0, y2: 0 };
}

function tune(resonator: Resonator, hz: number, widthHz: number, sampleRateHz: number): void {
  const radius = Math.exp((-Math.PI * widthHz) / sampleRateHz);
  resonator.c = -radius * radius;
  resonator.b = 2 * radius * Math.cos((2 * Math.PI * hz) / sampleRateHz);
  resonator.a = 1 - resonator.b - resonator.c;
}

function resonate(resonator: Resonator, input: number): number {
  const y = resonator.a * input + resonator.b * resonator.y1 + resonator.c * resonator.y2;
  resonator.y2 = resonator.y1;
  resonator.y1 = y;
  return y;
}

/** Scales so that the sounding parts have this RMS; peaks are rounded off softly, so nothing clips. */
function setLoudness(waveform: Float32Array, level: number): void {
  const block = 240;
  let sounding = 0;
  let power = 0;
  let loudest = 0;
  const powers: number[] = [];
  for (let start = 0; start < waveform.length; start += block) {
    let sum = 0;
    const end = Math.min(waveform.length, start + block);
    for (let n = start; n < end; n += 1) sum += waveform[n]! * waveform[n]!;
    powers.push(sum / (end - start));
    loudest = Math.max(loudest, sum / (end - start));
  }
  for (const value of powers) {
    if (value < loudest * 0.01) continue;
    power += value;
    sounding += 1;
  }
  const gain = level / Math.sqrt(power / sounding);
  const fade = Math.round(fadeSeconds * (waveform.length / 2));
  for (let n = 0; n < waveform.length; n += 1) {
    const edge = Math.min(1, n / fade, (waveform.length - 1 - n) / fade);
    const x = waveform[n]! * gain * edge;
    // Linear below a half, then bending towards 0.95.
    const size = Math.abs(x);
    waveform[n] = size < 0.5 ? x : Math.sign(x) * (0.5 + 0.45 * Math.tanh((size - 0.5) / 0.45));
  }
}

/** How far the lips open: the voice's strength, smoothed, with the clip's loudest moment at 1 (volume does not show). */
function lipOpening(tracks: Tracks): Float32Array {
  const values = new Float32Array(tracks.length);
  const follow = 1 - Math.exp(-1 / (lipSmoothingSeconds * controlRateHz));
  let now = 0;
  let most = 1e-6;
  for (let k = 0; k < values.length; k += 1) {
    now += (tracks.voiced[k]! - now) * follow;
    values[k] = now;
    most = Math.max(most, now);
  }
  for (let k = 0; k < values.length; k += 1) values[k] = values[k]! / most;
  return values;
}
