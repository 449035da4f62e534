// A small clip for the media tests: a bright disc that moves to the right over a dark ground, and a sine with a click at
// its start and its middle, which show misplaced frames and misaligned audio.

export const fixtureRateHz = 16000;

export interface FixtureOptions {
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly numFrames?: number;
  readonly seconds?: number;
  readonly sampleRateHz?: number;
  readonly bytesPerPixel?: 3 | 4;
}

/** Frame `index`: its red level is `16 + 4 * index` everywhere outside the disc, so that every frame can be told. */
export function fixtureFrame(index: number, width: number, height: number, bytesPerPixel: number): Uint8Array {
  const pixels = new Uint8Array(width * height * bytesPerPixel).fill(255);
  const centre = (width * (index + 10)) / 80;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * bytesPerPixel;
      const isDisc = Math.hypot(x - centre, y - height / 2) < height / 6;
      pixels[at] = isDisc ? 230 : 16 + 4 * index;
      pixels[at + 1] = isDisc ? 200 : 60;
      pixels[at + 2] = isDisc ? 120 : 90;
    }
  }
  return pixels;
}

export function fixtureWaveform(seconds: number, sampleRateHz: number): Float32Array {
  return Float32Array.from({ length: Math.round(seconds * sampleRateHz) }, (_, i) => {
    const time = i / sampleRateHz;
    return 0.3 * Math.sin(2 * Math.PI * 220 * time) * (0.3 + 0.7 * Math.abs(Math.sin(3 * time)));
  });
}

export function fixtureClip(options: FixtureOptions = {}) {
  const { width = 64, height = 48, fps = 25, seconds = 2, sampleRateHz = fixtureRateHz, bytesPerPixel = 3 } = options;
  const numFrames = options.numFrames ?? Math.round(seconds * fps);
  const frames = Array.from({ length: numFrames }, (_, i) => fixtureFrame(i, width, height, bytesPerPixel));
  return { width, height, fps, frames, waveform: fixtureWaveform(seconds, sampleRateHz), sampleRateHz };
}
