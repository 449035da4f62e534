// Disturbances drawn at random from a wide family, so that a model that is trained on them cannot learn one of them by heart: a
// smooth field of colours in place of a picture, a chord that swells and fades in place of a sound.
import type { Random } from "../../random.ts";
import type { MediaClip } from "../clip.ts";

const middle = 128;
const fewestKnots = 2;
const mostKnots = 14;
/** Of a field's contrast; at most the whole range. */
const leastContrast = 0;

/** One still field for the whole clip, [height, width, 3]: colours at the knots of a coarse grid, blended between them. */
export function colourField({ height, width }: MediaClip, random: Random): Float32Array {
  const knots = fewestKnots + random.int(mostKnots - fewestKnots + 1);
  const contrast = leastContrast + (1 - leastContrast) * random.next();
  const base = [random.int(256), random.int(256), random.int(256)];
  const grid = Array.from({ length: knots * knots * 3 }, (_, i) => {
    const own = 256 * random.next();
    return (1 - contrast) * base[i % 3]! + contrast * own;
  });
  const field = new Float32Array(height * width * 3);
  const along = (place: number, length: number) => {
    const at = ((knots - 1) * place) / Math.max(1, length - 1);
    const low = Math.min(knots - 2, Math.floor(at));
    return { low, share: at - low };
  };
  for (let y = 0; y < height; y++) {
    const row = along(y, height);
    for (let x = 0; x < width; x++) {
      const column = along(x, width);
      for (let channel = 0; channel < 3; channel++) {
        const knot = (dy: number, dx: number) =>
          grid[((row.low + dy) * knots + column.low + dx) * 3 + channel] ?? middle;
        const top = knot(0, 0) + column.share * (knot(0, 1) - knot(0, 0));
        const bottom = knot(1, 0) + column.share * (knot(1, 1) - knot(1, 0));
        field[(y * width + x) * 3 + channel] = top + row.share * (bottom - top);
      }
    }
  }
  return field;
}

const fewestTones = 2;
const mostTones = 8;
const lowestHz = 60;
const highestHz = 4000;
const slowestSwellHz = 0.3;
const fastestSwellHz = 8;
/** Radians per sample by which a tone's phase wanders: from a whistle to a wind some hundred Hz wide. */
const leastWander = 0.002;
const mostWander = 0.5;

/** A chord of tones at frequencies as likely in every octave, each of a width and swelling at a pace of its own. */
export function chord({ waveform, sampleRateHz }: MediaClip, random: Random): Float32Array {
  const count = fewestTones + random.int(mostTones - fewestTones + 1);
  const between = (low: number, high: number) => low * (high / low) ** random.next();
  const sum = new Float32Array(waveform.length);
  for (let tone = 0; tone < count; tone++) {
    const radians = (2 * Math.PI * between(lowestHz, highestHz)) / sampleRateHz;
    const swell = (2 * Math.PI * between(slowestSwellHz, fastestSwellHz)) / sampleRateHz;
    const wander = between(leastWander, mostWander);
    const [swellPhase, loudness] = [2 * Math.PI * random.next(), random.next()];
    let phase = 2 * Math.PI * random.next();
    for (let i = 0; i < sum.length; i++) {
      sum[i]! += loudness * (1 + Math.sin(swell * i + swellPhase)) * Math.sin(phase);
      phase += radians + wander * random.normal();
    }
  }
  return sum;
}

const mostBands = 4;
/** Of a resonator's poles: from white noise to a whistle. */
const [leastRadius, mostRadius] = [0, 0.995];

/** Noise in bands at frequencies as likely in every octave, from the whole spectrum to a whistle, each swelling at a pace and to a depth of its own. */
export function rustle({ waveform, sampleRateHz }: MediaClip, random: Random): Float32Array {
  const count = 1 + random.int(mostBands);
  const between = (low: number, high: number) => low * (high / low) ** random.next();
  const sum = new Float32Array(waveform.length);
  for (let band = 0; band < count; band++) {
    const radians = (2 * Math.PI * between(lowestHz, highestHz)) / sampleRateHz;
    const radius = leastRadius + (mostRadius - leastRadius) * Math.sqrt(random.next());
    const swell = (2 * Math.PI * between(slowestSwellHz, fastestSwellHz)) / sampleRateHz;
    const [phase, loudness, depth] = [2 * Math.PI * random.next(), random.next(), random.next()];
    const [first, second] = [2 * radius * Math.cos(radians), -radius * radius];
    // Of about one standard deviation, whatever the width.
    const gain = loudness * Math.sqrt(1 - radius * radius);
    let [last, before] = [0, 0];
    for (let i = 0; i < sum.length; i++) {
      const value = random.normal() + first * last + second * before;
      before = last;
      last = value;
      sum[i]! += gain * (1 + depth * Math.sin(swell * i + phase)) * value;
    }
  }
  return sum;
}
