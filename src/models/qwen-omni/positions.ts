// TMRoPE position ids of one unpadded sequence: [3, T] for time, height and width (Hugging Face's get_rope_index).
// Text advances all three axes together; a video or image keeps height and width of its grid and steps in time; the
// next part starts one after the maximum of the part before it, which is not always the maximum so far.
import type { ThinkerConfig } from "./config/config.ts";
import { audioTokens, chunkRanges, type Grid, type MediaLayout, type Range } from "./layout.ts";

export interface RopePositions {
  /** Row-major [3, T]. */
  readonly positions: Int32Array;
  /** Largest position + 1 - T. */
  readonly delta: number;
}

/** What the positions depend on of a configuration. */
export type PositionRules = Pick<ThinkerConfig, "ids" | "positionsPerSecond" | "secondsPerChunk"> & {
  readonly vision: { readonly mergeSize: number };
};

/** Position ids of `ids`, whose placeholders are already expanded as `media` says. */
export function ropePositions(ids: Int32Array, media: MediaLayout, rules: PositionRules): RopePositions {
  const writer = new PositionWriter(ids.length);
  const { images, videos, audioFrames, audioInVideo } = media;
  const counts = countItems(ids, rules, audioInVideo);
  const perChunk = rules.positionsPerSecond * rules.secondsPerChunk;
  let image = 0;
  let video = 0;
  let audio = 0;
  let cursor = 0;
  const find = (id: number, left: number) => {
    const at = left > 0 ? ids.indexOf(id, cursor) : -1;
    return at < 0 ? ids.length + 1 : at;
  };
  const numItems = counts.images + counts.audios + (audioInVideo ? 0 : counts.videos);
  for (let item = 0; item < numItems; item++) {
    const atImage = find(rules.ids.image, counts.images - image);
    const atVideo = find(rules.ids.video, counts.videos - video);
    const atAudio = find(rules.ids.audio, counts.audios - audio);
    const at = Math.min(atImage, atVideo, atAudio);
    // Interleaved sound: <|vision_bos|><|audio_bos|> stand in front, and both share one position.
    const paired = at === atVideo && at !== atAudio && audioInVideo;
    const markers = paired ? 2 : 1;
    const textLength = at - cursor - markers;
    writer.line(textLength);
    writer.marker(markers);
    const before = writer.length;
    if (at === atAudio) {
      writer.line(audioTokens(audioFrames[audio++]!));
    } else if (at === atImage) {
      const grid = images[image++]!;
      const times = Array.from({ length: grid[0] }, (_, step) => step * rules.positionsPerSecond);
      writer.grid(gridCells(grid, times, rules.vision.mergeSize));
    } else {
      const { grid, secondsPerGrid } = videos[video++]!;
      const cells = gridCells(
        grid,
        videoTimes(grid[0], secondsPerGrid, rules.positionsPerSecond),
        rules.vision.mergeSize,
      );
      if (paired) writer.interleaved(cells, audioTokens(audioFrames[audio++]!), perChunk);
      else writer.grid(cells);
    }
    const numRows = writer.length - before;
    writer.marker(markers);
    cursor += textLength + 2 * markers + numRows;
  }
  writer.line(ids.length - cursor);
  return writer.finish();
}

interface ItemCounts {
  readonly images: number;
  readonly videos: number;
  readonly audios: number;
}

function countItems(ids: Int32Array, rules: PositionRules, audioInVideo: boolean): ItemCounts {
  const videoSign = audioInVideo ? rules.ids.audioStart : rules.ids.video;
  let images = 0;
  let videos = 0;
  let audios = 0;
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === rules.ids.audioStart) audios++;
    if (ids[i] !== rules.ids.visionStart) continue;
    if (ids[i + 1] === rules.ids.image) images++;
    else if (ids[i + 1] === videoSign) videos++;
  }
  return { images, videos, audios };
}

/** Time position of every grid step: float32 arithmetic and truncation, as the reference. */
function videoTimes(numSteps: number, secondsPerGrid: number, positionsPerSecond: number): number[] {
  const seconds = Math.fround(secondsPerGrid);
  return Array.from({ length: numSteps }, (_, step) =>
    Math.trunc(Math.fround(Math.fround(step * seconds) * positionsPerSecond)),
  );
}

interface Cells {
  readonly t: Int32Array;
  readonly h: Int32Array;
  readonly w: Int32Array;
}

/** Relative positions of the merged cells of a grid, in the order time, height, width. */
function gridCells(grid: Grid, times: readonly number[], mergeSize: number): Cells {
  const height = grid[1] / mergeSize;
  const width = grid[2] / mergeSize;
  const numCells = grid[0] * height * width;
  const cells = { t: new Int32Array(numCells), h: new Int32Array(numCells), w: new Int32Array(numCells) };
  for (let i = 0; i < numCells; i++) {
    cells.t[i] = times[Math.floor(i / (height * width))]!;
    cells.h[i] = Math.floor(i / width) % height;
    cells.w[i] = i % width;
  }
  return cells;
}

/** Appends parts; each starts at 1 + the maximum of the part before it. */
class PositionWriter {
  length = 0;
  private next = 0;
  private readonly total: number;
  private readonly out: Int32Array;

  constructor(total: number) {
    this.total = total;
    this.out = new Int32Array(3 * total);
  }

  /** `count` text-like tokens: consecutive on all axes. */
  line(count: number): void {
    this.run(count, this.next);
  }

  /** One marker, or two that share a position. */
  marker(count: number): void {
    const at = this.next;
    for (let i = 0; i < count; i++) this.run(1, at);
  }

  grid(cells: Cells): void {
    this.cells(cells, [0, cells.t.length], this.next);
  }

  /** Video cells and audio tokens from one start, cut into chunks of time and appended in turn. */
  interleaved(cells: Cells, numAudio: number, positionsPerChunk: number): void {
    const start = this.next;
    const videoChunks = chunkRanges(cells.t, positionsPerChunk);
    const audioChunks = chunkRanges(
      Int32Array.from({ length: numAudio }, (_, i) => i),
      positionsPerChunk,
    );
    for (let c = 0; c < Math.max(videoChunks.length, audioChunks.length); c++) {
      const video = videoChunks[c];
      const audio = audioChunks[c];
      if (video) this.cells(cells, video, start);
      if (audio) this.run(audio[1] - audio[0], start + audio[0]);
    }
  }

  finish(): RopePositions {
    let max = -1;
    for (const position of this.out) max = Math.max(max, position);
    return { positions: this.out, delta: max + 1 - this.total };
  }

  private run(count: number, start: number): void {
    if (count <= 0) return;
    for (let i = 0; i < count; i++) this.put(start + i, start + i, start + i);
    this.next = start + count;
  }

  private cells({ t, h, w }: Cells, [from, to]: Range, start: number): void {
    if (from === to) return;
    let max = 0;
    for (let i = from; i < to; i++) {
      this.put(start + t[i]!, start + h[i]!, start + w[i]!);
      max = Math.max(max, t[i]!, h[i]!, w[i]!);
    }
    this.next = start + max + 1;
  }

  private put(t: number, h: number, w: number): void {
    this.out[this.length] = t;
    this.out[this.total + this.length] = h;
    this.out[2 * this.total + this.length] = w;
    this.length++;
  }
}
