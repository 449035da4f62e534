// How many tokens a medium takes and how video and audio interleave in time. Pure arithmetic shared by the prompt, the
// position ids and the towers; follows Hugging Face's get_chunked_index, its quirk included.

/** Patch counts of a video or image: time steps (frame pairs), rows, columns. */
export type Grid = readonly [t: number, h: number, w: number];

/** A video of the prompt. secondsPerGrid is 1.0 in the standard flow, whatever the sampling rate was (video-time.ts). */
export interface VideoLayout {
  readonly grid: Grid;
  readonly secondsPerGrid: number;
}

/** The media of one prompt, each list in the order of its placeholders. */
export interface MediaLayout {
  readonly images: readonly Grid[];
  readonly videos: readonly VideoLayout[];
  /** Valid mel frames of every audio. */
  readonly audioFrames: readonly number[];
  /** True: every video is followed by its own sound track, interleaved in chunks of two seconds. */
  readonly audioInVideo: boolean;
}

/** Half-open token range. */
export type Range = readonly [start: number, end: number];

/** Mel frames shorter than this give no token at all. */
export const MIN_AUDIO_FRAMES = 3;

/** Rows after the stride-2 convolution of the audio tower. */
export function convLength(frames: number): number {
  return Math.floor((frames - 1) / 2) + 1;
}

/** Audio tokens of `frames` mel frames: 25 per second. */
export function audioTokens(frames: number): number {
  return Math.floor((convLength(frames) - 2) / 2) + 1;
}

/** Tokens of a video or image after the spatial merge. */
export function visionTokens(grid: Grid, mergeSize: number): number {
  return (grid[0] * grid[1] * grid[2]) / mergeSize ** 2;
}

/**
 * Cuts tokens with time values into chunks of `positionsPerChunk`. The bound moves by one chunk per cut, so a jump over
 * several chunk lengths yields one-token chunks until it has caught up: that is what the reference does.
 */
export function chunkRanges(times: ArrayLike<number>, positionsPerChunk: number): Range[] {
  const ranges: Range[] = [];
  let start = 0;
  let chunk = 1;
  for (let i = 0; i < times.length; i++) {
    if (times[i]! < chunk * positionsPerChunk) continue;
    ranges.push([start, i]);
    start = i;
    chunk++;
  }
  ranges.push([start, times.length]);
  return ranges;
}
