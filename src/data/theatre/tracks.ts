// The control tracks of an utterance, one value every 5 ms: pitch, strength of voice, breath and hiss, formants. First the
// plain speech of the syllables, then what the voice quality does to it: tremor, sobs, laughter, gasps.
import type { Random } from "../../random.ts";
import type { Delivery } from "./delivery.ts";
import type { TimedSyllable } from "./syllables.ts";

export interface Tracks {
  /** Number of control steps; every array has this length. */
  readonly length: number;
  readonly pitchHz: Float32Array;
  /** Strength of the glottal buzz, 0 to about 1. */
  readonly voiced: Float32Array;
  /** Noise through the vocal tract. */
  readonly breath: Float32Array;
  /** Noise made at the teeth, and where its spectrum peaks. */
  readonly hiss: Float32Array;
  readonly hissHz: Float32Array;
  /** Three that the vowels move and two that stay. */
  readonly formants: readonly Float32Array[];
}

const stepSeconds = 0.005;
const neutralFormants = [500, 1450, 2500] as const;
const upperFormants = [3550, 4650] as const;
const openVowel = [760, 1350, 2550] as const;

export function speechTracks(
  syllables: readonly TimedSyllable[],
  delivery: Delivery,
  seconds: number,
  random: Random,
): Tracks {
  const tracks = emptyTracks(Math.round(seconds / stepSeconds) + 2, delivery);
  for (const [i, syllable] of syllables.entries()) placeSyllable(tracks, syllable, i, delivery, seconds, random);
  glide(tracks);
  applyQuality(tracks, delivery, seconds, random);
  return tracks;
}

function emptyTracks(length: number, delivery: Delivery): Tracks {
  const filled = (value: number): Float32Array => new Float32Array(length).fill(value);
  const [first, second, third] = neutralFormants;
  return {
    length,
    pitchHz: filled(delivery.pitchHz),
    voiced: filled(0),
    breath: filled(0),
    hiss: filled(0),
    hissHz: filled(4500),
    formants: [
      filled(first * delivery.tract),
      filled(second * delivery.tract),
      filled(third * delivery.tract),
      ...upperFormants.map((hz) => filled(hz * delivery.tract)),
    ],
  };
}

/** Consonant, then a vowel that swells and dies away; the melody falls over the line and lifts on stresses. */
function placeSyllable(
  tracks: Tracks,
  syllable: TimedSyllable,
  index: number,
  delivery: Delivery,
  seconds: number,
  random: Random,
): void {
  const first = Math.round(syllable.startSeconds / stepSeconds);
  const numSteps = Math.round(syllable.seconds / stepSeconds);
  const onsetSteps = syllable.onset === "none" ? 0 : Math.min(Math.round(numSteps * 0.3), 16);
  const melody =
    1.06 - 0.1 * (syllable.startSeconds / seconds) + (index % 2 === 0 ? 0.05 : -0.02) + 0.03 * random.normal();
  const hissHz = 3600 + 2200 * random.next();
  for (let step = 0; step < numSteps; step += 1) {
    const k = first + step;
    if (k >= tracks.length) return;
    const along = step / numSteps;
    tracks.pitchHz[k] = delivery.pitchHz * melody * (1 - 0.07 * along);
    for (let f = 0; f < 3; f += 1) tracks.formants[f]![k] = syllable.formants[f]! * delivery.tract;
    tracks.hissHz[k] = hissHz;
    const swell =
      Math.sin(Math.PI * Math.min(1, ((step - onsetSteps + 1) / (numSteps - onsetSteps + 1)) * 0.96)) ** 0.55;
    if (step >= onsetSteps) tracks.voiced[k] = syllable.stress * swell;
    else if (syllable.onset === "hiss") tracks.hiss[k] = 0.8 * Math.sin((Math.PI * (step + 0.5)) / onsetSteps);
    else if (syllable.onset === "burst")
      tracks.hiss[k] = step === onsetSteps - 3 ? 0.4 : step === onsetSteps - 2 ? 0.2 : 0;
    else if (syllable.onset === "hum") tracks.voiced[k] = 0.35;
    tracks.breath[k] = delivery.breath * tracks.voiced[k]!;
  }
}

/** Formants and pitch move, they do not jump. */
function glide(tracks: Tracks): void {
  for (const track of [tracks.pitchHz, ...tracks.formants]) {
    let now = track[0]!;
    for (let k = 0; k < track.length; k += 1) {
      now += (track[k]! - now) * 0.22;
      track[k] = now;
    }
  }
}

function applyQuality(tracks: Tracks, delivery: Delivery, seconds: number, random: Random): void {
  const phase = random.next();
  if (delivery.quality === "trembling") tremble(tracks, phase);
  else if (delivery.quality === "harsh") roughen(tracks);
  else if (delivery.quality === "sobbing") sob(tracks, phase);
  else if (delivery.quality === "laughing") laugh(tracks, delivery, seconds, phase);
  else if (delivery.quality === "gasping") gasp(tracks, seconds, phase);
}

/** Nine shakes a second in pitch and strength: faster than the fastest syllables. */
function tremble(tracks: Tracks, phase: number): void {
  for (let k = 0; k < tracks.length; k += 1) {
    const shake = Math.sin(2 * Math.PI * (9 * k * stepSeconds + phase));
    tracks.pitchHz[k]! *= 1 + 0.12 * shake;
    tracks.voiced[k]! *= 0.08 + 0.92 * (0.5 + 0.5 * shake) ** 1.5;
    tracks.breath[k] = tracks.breath[k]! + 0.25 * tracks.voiced[k]!;
  }
}

/** Air scrapes along with the voice. The rest of a growl is in the source. */
function roughen(tracks: Tracks): void {
  for (let k = 0; k < tracks.length; k += 1) {
    tracks.hiss[k] = tracks.hiss[k]! + 0.5 * tracks.voiced[k]!;
    tracks.hissHz[k] = 3000;
  }
}

/** Two sobs a second: the voice breaks from high to low, then air is caught in short pulls. */
function sob(tracks: Tracks, phase: number): void {
  for (let k = 0; k < tracks.length; k += 1) {
    const at = (2.1 * k * stepSeconds + phase) % 1;
    const pull = at > 0.66 ? Math.sin((Math.PI * (at - 0.66)) / 0.34) : 0;
    tracks.pitchHz[k]! *= 1.3 - 0.5 * Math.min(1, at / 0.66);
    tracks.voiced[k]! *= at < 0.66 ? 1 - 0.8 * at : 0;
    tracks.hiss[k]! *= 0.4;
    tracks.breath[k] = tracks.breath[k]! + 0.14 + 1.5 * pull ** 2;
    if (pull > 0) setVowel(tracks, k, neutralFormants);
  }
}

/** A few words, then "ha-ha-ha" to the end, each burst opened by air and falling in pitch. */
function laugh(tracks: Tracks, delivery: Delivery, seconds: number, phase: number): void {
  const start = Math.round(((0.3 + 0.06 * phase) * seconds) / stepSeconds);
  const end = tracks.length - Math.round(0.05 / stepSeconds);
  for (let k = start; k < tracks.length; k += 1) {
    const since = (k - start) * stepSeconds;
    const at = (since * 5.3) % 1;
    const die = 1 - 0.35 * (since / seconds);
    const isOver = k > end;
    tracks.hiss[k] = 0;
    tracks.voiced[k] =
      !isOver && at > 0.2 && at < 0.66 ? Math.sin((Math.PI * (at - 0.2)) / 0.46) ** 0.6 * die * 1.15 : 0;
    tracks.breath[k] = isOver ? 0 : (at < 0.3 ? 1.1 : 0.12) * die;
    tracks.pitchHz[k] = delivery.pitchHz * (1.34 - 0.3 * at) * (1 - 0.12 * (since / seconds));
    setVowel(tracks, k, openVowel, delivery.tract);
  }
}

/** Sharp breaths in, at the start and in the middle, with the voice silent around them. */
function gasp(tracks: Tracks, seconds: number, phase: number): void {
  for (const [middle, length] of [
    [0.2, 0.3],
    [seconds * (0.52 + 0.06 * phase), 0.34],
  ] as const) {
    const first = Math.round((middle - length / 2) / stepSeconds);
    const last = Math.round((middle + length / 2 + 0.06) / stepSeconds);
    for (let k = Math.max(0, first); k < Math.min(last, tracks.length); k += 1) {
      const along = ((k - first) * stepSeconds) / length;
      tracks.voiced[k] = 0;
      tracks.hiss[k] = along < 1 ? 0.8 * along ** 2 : 0;
      tracks.hissHz[k] = 2200 + 2400 * along;
      tracks.breath[k] = along < 1 ? 1.7 * Math.sin(Math.PI * along ** 1.6) : 0;
      setVowel(tracks, k, [620 + 200 * along, 1500 + 500 * along, 2600]);
    }
  }
}

function setVowel(tracks: Tracks, k: number, formants: readonly [number, number, number], tract = 1): void {
  for (let f = 0; f < 3; f += 1) tracks.formants[f]![k] = formants[f]! * tract;
}
