// Positions, prompt expansion and token counts against Hugging Face's own; pure, nothing native is loaded.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  audioTokens,
  chunkRanges,
  convLength,
  type Grid,
  type MediaLayout,
  visionTokens,
} from "../../../src/models/qwen-omni/layout.ts";
import { type PositionRules, ropePositions } from "../../../src/models/qwen-omni/positions.ts";
import { expandPlaceholders, mediaIds } from "../../../src/models/qwen-omni/prompt.ts";
import { sharedPath } from "../../support/shared.ts";

const rules: PositionRules = {
  ids: {
    audio: 563,
    image: 572,
    video: 573,
    audioStart: 564,
    audioEnd: 565,
    visionStart: 569,
    visionEnd: 570,
    pad: 560,
  },
  positionsPerSecond: 25,
  secondsPerChunk: 2,
  vision: { mergeSize: 2 },
};

interface RopeCase {
  readonly tag: string;
  readonly input_ids: number[];
  readonly attention_mask: number[];
  readonly image_grid_thw: Grid[];
  readonly video_grid_thw: Grid[];
  readonly audio_seqlens: number[];
  readonly second_per_grids: number[];
  readonly use_audio_in_video: boolean;
  readonly position_ids: number[][];
  readonly rope_delta: number;
}

function layoutOf(given: RopeCase): MediaLayout {
  return {
    images: given.image_grid_thw,
    videos: given.video_grid_thw.map((grid, i) => ({ grid, secondsPerGrid: given.second_per_grids[i]! })),
    audioFrames: given.audio_seqlens,
    audioInVideo: given.use_audio_in_video,
  };
}

function unpadded(given: RopeCase): Int32Array {
  return Int32Array.from(given.input_ids.filter((_, i) => given.attention_mask[i] === 1));
}

function expectedPositions(given: RopeCase): number[] {
  return given.position_ids.flatMap((axis) => axis.filter((_, i) => given.attention_mask[i] === 1));
}

const casesPath = sharedPath("golden/qwen-omni/rope_cases.json");
const cases = casesPath ? (JSON.parse(readFileSync(casesPath, "utf8")) as RopeCase[]) : [];

test("positions equal the reference in every case", (t) => {
  if (!casesPath) return t.skip("golden/qwen-omni is absent");
  assert.ok(cases.length >= 23);
  for (const given of cases) {
    const { positions, delta } = ropePositions(unpadded(given), layoutOf(given), rules);
    assert.deepEqual(Array.from(positions), expectedPositions(given), given.tag);
    assert.equal(delta, given.rope_delta, given.tag);
  }
});

test("positions tell the layouts apart", (t) => {
  if (!casesPath) return t.skip("golden/qwen-omni is absent");
  const failures = (change: (layout: MediaLayout) => MediaLayout, changed: PositionRules) =>
    cases.filter((given) => {
      const { positions } = ropePositions(unpadded(given), change(layoutOf(given)), changed);
      return JSON.stringify(Array.from(positions)) !== JSON.stringify(expectedPositions(given));
    }).length;
  const same = (layout: MediaLayout) => layout;
  const swapped = ({ videos, ...rest }: MediaLayout): MediaLayout => ({
    ...rest,
    videos: videos.map(({ grid: [time, h, w], ...video }) => ({ ...video, grid: [time, w, h] })),
  });
  const slower = ({ videos, ...rest }: MediaLayout): MediaLayout => ({
    ...rest,
    videos: videos.map((video) => ({ ...video, secondsPerGrid: 2 * video.secondsPerGrid })),
  });
  assert.equal(failures(same, rules), 0);
  assert.ok(failures(swapped, rules) > 0, "rows and columns");
  assert.ok(failures(slower, rules) > 0, "seconds per grid step");
  assert.ok(failures(same, { ...rules, secondsPerChunk: 1 }) > 0, "chunk length");
  assert.ok(failures(same, { ...rules, positionsPerSecond: 24 }) > 0, "positions per second");
});

test("token counts equal the reference's table", (t) => {
  const path = sharedPath("golden/qwen-omni/tables.json");
  if (!path) return t.skip("golden/qwen-omni is absent");
  const table = JSON.parse(readFileSync(path, "utf8")) as {
    audio_lengths: { mel_frames: number; audio_tokens: number; after_conv: number[]; chunks: number[] }[];
  };
  assert.ok(table.audio_lengths.length > 10);
  for (const row of table.audio_lengths) {
    assert.equal(audioTokens(row.mel_frames), row.audio_tokens, `${row.mel_frames} frames`);
    assert.deepEqual(row.chunks.map(convLength), row.after_conv);
  }
});

test("placeholders expand to as many tokens as the towers give", () => {
  const media: MediaLayout = {
    images: [[1, 4, 4]],
    videos: [{ grid: [2, 4, 4], secondsPerGrid: 1 }],
    audioFrames: [12],
    audioInVideo: false,
  };
  const { image, video, audio } = rules.ids;
  const ids = expandPlaceholders([7, image, 8, video, audio, 9], media, rules);
  // 1 x 4 x 4 / 4 = 4 image tokens, 8 video tokens; 12 frames -> 6 rows -> 3 audio tokens.
  const expected = [7, ...Array(4).fill(image), 8, ...Array(8).fill(video), ...Array(3).fill(audio), 9];
  assert.deepEqual(Array.from(ids), expected);
  assert.equal(visionTokens([2, 4, 4], 2), 8);
});

test("interleaved sound goes between the chunks of its video", () => {
  // 3 grid steps of 1 token at 0, 25, 50: the first two are chunk 0, the third chunk 1; 60 audio tokens: 50 + 10.
  const media: MediaLayout = {
    images: [],
    videos: [{ grid: [3, 2, 2], secondsPerGrid: 1 }],
    audioFrames: [240],
    audioInVideo: true,
  };
  const { video, audio, visionStart, visionEnd, audioStart, audioEnd } = rules.ids;
  const ids = expandPlaceholders([visionStart, video, visionEnd], media, rules);
  const expected = [visionStart, audioStart, video, video, ...Array(50).fill(audio), video, ...Array(10).fill(audio)];
  assert.deepEqual(Array.from(ids), [...expected, audioEnd, visionEnd]);
});

test("a jump over several chunks makes one-token chunks until it has caught up", () => {
  assert.deepEqual(chunkRanges([0, 150, 151, 152, 153], 50), [
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 5],
  ]);
});

test("placeholders and media must match in number", () => {
  const none: MediaLayout = { images: [], videos: [], audioFrames: [], audioInVideo: false };
  const error = { code: "ERR_PLACEHOLDER_COUNT", message: /expected 0 video placeholders \(as many as media\), got 1/ };
  assert.throws(() => expandPlaceholders([rules.ids.video], none, rules), error);
  const spare = { ...none, audioFrames: [200] };
  assert.throws(() => expandPlaceholders([1, 2], spare, rules), { message: /expected 1 audio placeholders.*got 0/ });
});

test("media ids are the placeholders and their markers", () => {
  assert.deepEqual(mediaIds(rules.ids).sort(), [563, 564, 565, 569, 570, 572, 573]);
});
