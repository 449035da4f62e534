// Ways in which a picture can be taken away, each with a dose: 0 leaves every pixel as it is, 1 leaves nothing of what was
// there (but for a freeze, which leaves one moment of it). For counterfactuals of training and for measuring on kinds that
// training never showed. All work on the clip as the model sees it.
import type { Random } from "../../random.ts";
import type { MediaClip } from "../clip.ts";
import { cellSize, framesPerPatch } from "../sampling.ts";
import { colourField } from "./random-fields.ts";

/** [numFrames, height, width, 3] from the clip's frames, which are not changed. */
type VideoKernel = (clip: MediaClip, dose: number, random: Random) => Uint8Array;

const middle = 128;
/** The colours' mean over natural pictures, which CLIP's and Qwen's processors take for 0 (0.4815, 0.4578, 0.4082). */
const meanColour = [123, 117, 104] as const;
/** Standard deviation of a sensor's noise at full dose, of 255. */
const sensorNoise = 12;
/** Share of the shorter side that is a blur's standard deviation at full dose: no feature of a face is left. */
const blurShare = 0.25;

export const videoKernels = {
  /** Towards black, as a lamp is turned down. */
  black: (clip, dose) => blended(clip, dose, [0, 0, 0]),
  grey: (clip, dose) => blended(clip, dose, [middle, middle, middle]),
  mean: (clip, dose) => blended(clip, dose, meanColour),
  /** Towards one colour, another for every seed. */
  colour: (clip, dose, random) => blended(clip, dose, [random.int(256), random.int(256), random.int(256)]),
  /** Towards a smooth random field of colours, another for every seed. */
  clouds: (clip, dose, random) => clouded(clip, dose, random),
  /** Gaussian, as three box filters. */
  blur: (clip, dose) => blurred(clip, dose * blurShare * Math.min(clip.height, clip.width)),
  /** Darker, and noisier for it. */
  "low-light": (clip, dose, random) => darkened(clip, (1 - dose) ** 2, dose * sensorNoise, random),
  /** A share of the pixels become random ones. */
  "pixel-noise": (clip, dose, random) => scattered(clip, dose, random),
  /** A share of the processor's values (each colour of each pixel by itself) become the mean's. */
  features: (clip, dose, random) => zeroed(clip, dose, random),
  /** A share of the cells (what becomes one token) become one random colour each. */
  "block-noise": (clip, dose, random) => blocks(clip, dose, random),
  /** The last share of the frames show the moment before them; at 1 all show the first. */
  freeze: (clip, dose) => frozen(clip, dose),
  /** A grey rectangle over a share of the picture, in one place for the whole clip. */
  occlusion: (clip, dose, random) => occluded(clip, dose, random),
} satisfies Record<string, VideoKernel>;

const numLevels = 256;

/** A clamped array rounds to the nearest and holds to 0 .. 255. */
function blended({ frames }: MediaClip, dose: number, colour: readonly number[]): Uint8Array {
  const tables = colour.map((target) =>
    Uint8ClampedArray.from({ length: numLevels }, (_, value) => value + dose * (target - value)),
  );
  const out = new Uint8Array(frames.length);
  for (let channel = 0; channel < tables.length; channel++) {
    const table = tables[channel]!;
    for (let i = channel; i < frames.length; i += tables.length) out[i] = table[frames[i]!]!;
  }
  return out;
}

function darkened({ frames }: MediaClip, gain: number, deviation: number, random: Random): Uint8Array {
  const out = new Uint8ClampedArray(frames.length);
  for (let i = 0; i < frames.length; i++)
    out[i] = frames[i]! * gain + (deviation === 0 ? 0 : deviation * random.normal());
  return new Uint8Array(out.buffer);
}

function clouded(clip: MediaClip, dose: number, random: Random): Uint8Array {
  const field = colourField(clip, random);
  const out = new Uint8ClampedArray(clip.frames.length);
  for (let i = 0; i < out.length; i++) out[i] = (1 - dose) * clip.frames[i]! + dose * field[i % field.length]!;
  return new Uint8Array(out.buffer);
}

function scattered(clip: MediaClip, share: number, random: Random): Uint8Array {
  const frames = clip.frames.slice();
  for (let pixel = 0; pixel < frames.length; pixel += 3) {
    if (random.next() >= share) continue;
    for (let channel = 0; channel < 3; channel++) frames[pixel + channel] = random.int(256);
  }
  return frames;
}

function zeroed(clip: MediaClip, share: number, random: Random): Uint8Array {
  const frames = clip.frames.slice();
  for (let i = 0; i < frames.length; i++) if (random.next() < share) frames[i] = meanColour[i % 3]!;
  return frames;
}

function blocks(clip: MediaClip, share: number, random: Random): Uint8Array {
  const frames = clip.frames.slice();
  for (let first = 0; first < clip.numFrames; first += framesPerPatch) {
    for (let top = 0; top < clip.height; top += cellSize) {
      for (let left = 0; left < clip.width; left += cellSize) {
        const isHidden = random.next() < share;
        const colour = [random.int(256), random.int(256), random.int(256)];
        if (isHidden)
          paint(frames, clip, { first, count: framesPerPatch, top, left, height: cellSize, width: cellSize }, colour);
      }
    }
  }
  return frames;
}

function frozen(clip: MediaClip, share: number): Uint8Array {
  const frames = clip.frames.slice();
  const size = clip.height * clip.width * 3;
  const last = Math.max(0, clip.numFrames - Math.round(share * clip.numFrames) - 1);
  for (let frame = last + 1; frame < clip.numFrames; frame++)
    frames.copyWithin(frame * size, last * size, (last + 1) * size);
  return frames;
}

function occluded(clip: MediaClip, share: number, random: Random): Uint8Array {
  const frames = clip.frames.slice();
  const side = Math.sqrt(share);
  const height = Math.round(side * clip.height);
  const width = Math.round(side * clip.width);
  const top = random.int(clip.height - height + 1);
  const left = random.int(clip.width - width + 1);
  paint(frames, clip, { first: 0, count: clip.numFrames, top, left, height, width }, [middle, middle, middle]);
  return frames;
}

interface Box {
  readonly first: number;
  readonly count: number;
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

function paint(frames: Uint8Array, clip: MediaClip, box: Box, colour: readonly number[]): void {
  const lastFrame = Math.min(clip.numFrames, box.first + box.count);
  const bottom = Math.min(clip.height, box.top + box.height);
  const right = Math.min(clip.width, box.left + box.width);
  for (let frame = box.first; frame < lastFrame; frame++) {
    for (let y = box.top; y < bottom; y++) {
      const row = (frame * clip.height + y) * clip.width;
      for (let x = box.left; x < right; x++) frames.set(colour, (row + x) * 3);
    }
  }
}

const numBoxes = 3;

/** Three box filters of one width w have the variance (w^2 - 1) / 4: near to a Gaussian of that deviation. */
function blurred(clip: MediaClip, sigma: number): Uint8Array {
  const radius = Math.round((Math.sqrt(4 * sigma * sigma + 1) - 1) / 2);
  if (radius === 0) return clip.frames.slice();
  const { numFrames, height, width } = clip;
  const size = height * width * 3;
  const out = new Uint8ClampedArray(clip.frames.length);
  const values = new Float64Array(size);
  const spare = new Float64Array(Math.max(height, width));
  for (let frame = 0; frame < numFrames; frame++) {
    values.set(clip.frames.subarray(frame * size, (frame + 1) * size));
    for (let pass = 0; pass < numBoxes; pass++) {
      for (let line = 0; line < height; line++)
        for (let c = 0; c < 3; c++) boxFilter(values, spare, line * width * 3 + c, 3, width, radius);
      for (let line = 0; line < width; line++)
        for (let c = 0; c < 3; c++) boxFilter(values, spare, line * 3 + c, width * 3, height, radius);
    }
    out.set(values, frame * size);
  }
  return new Uint8Array(out.buffer);
}

/** The running mean of 2 radius + 1 values along a line, whose ends are held on beyond it. In place; `line` is room for it. */
function boxFilter(
  values: Float64Array,
  line: Float64Array,
  offset: number,
  stride: number,
  length: number,
  radius: number,
): void {
  for (let i = 0; i < length; i++) line[i] = values[offset + i * stride]!;
  const last = length - 1;
  let sum = 0;
  for (let i = -radius; i <= radius; i++) sum += line[i < 0 ? 0 : Math.min(i, last)]!;
  const width = 2 * radius + 1;
  for (let i = 0; i < length; i++) {
    values[offset + i * stride] = sum / width;
    const enters = i + radius + 1;
    const leaves = i - radius;
    sum += line[Math.min(enters, last)]! - line[Math.max(leaves, 0)]!;
  }
}
