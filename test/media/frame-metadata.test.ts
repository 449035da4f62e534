// What a file says about its pictures: fields, turns, colours. The frames are those of ffmpeg and PyAV, which read fields as whole
// frames, turn by the display matrix and change the matrix of colours only.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  AVCOL_PRI_BT709,
  AVCOL_PRI_BT2020,
  AVCOL_SPC_BT709,
  AVCOL_SPC_BT2020_NCL,
  AVCOL_TRC_ARIB_STD_B67,
  AVCOL_TRC_BT709,
  AVCOL_TRC_SMPTE2084,
} from "node-av/constants";
import { probeClip } from "../../src/media/decode/container.ts";
import { exifOrientation, matrixOrientation, turnPixels, upright } from "../../src/media/decode/orientation.ts";
import { decodeClip } from "../../src/media/decode.ts";
import { blackVideo, soundlessVideo, videoShape } from "../../src/media/remux.ts";
import { plainFrames, type VideoTrack, writeMedia } from "../support/any-media.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const [width, height] = [64, 48];
const lossless = { preset: "ultrafast", crf: "0" };

/** Every pixel another level, so that no turn looks like another. */
function slanted(count: number): VideoTrack["frames"] {
  return plainFrames(width, height, count).map(([, blue, red]) => {
    const luma = Uint8Array.from({ length: width * height }, (_, i) => 40 + 2 * (i % width) + Math.floor(i / width));
    return [luma, blue, red];
  });
}

function videoFile(t: TestContext, video: Partial<VideoTrack>, format = "mp4"): string {
  const path = join(temporaryFolder(t), `x.${format}`);
  const common = { codec: "libx264", options: lossless, width, height, fps: 25, frames: slanted(8) };
  writeMedia(path, { format, video: { ...common, ...video } });
  return path;
}

const firstFrame = (frames: Uint8Array) => frames.slice(0, width * height * 3);

test("interlaced video has the frames of the same video without fields", async (t) => {
  const frames = plainFrames(width, height, 50);
  const plain = await decodeClip(videoFile(t, { frames }));
  const fields = { ...lossless, flags: "+ilme+ildct" };
  for (const [codec, format, options] of [
    ["libx264", "mp4", fields],
    ["mpeg2video", "mpegts", { flags: "+ilme+ildct", qscale: "1" }],
    ["mpeg4", "avi", { flags: "+ilme+ildct" }],
  ] as const) {
    const clip = await decodeClip(videoFile(t, { codec, options, frames, isInterlaced: true }, format));
    assert.deepEqual([clip.numFrames, clip.fps, clip.width, clip.height], [4, 2, width, height], codec);
    if (codec === "libx264") assert.deepEqual(clip.frames, plain.frames);
    // Frames 0, 16, 33 and 49, each of its own gray.
    const grays = [0, 1, 2, 3].map((i) => clip.frames[i * width * height * 3]!);
    const wanted = [0, 1, 2, 3].map((i) => plain.frames[i * width * height * 3]!);
    grays.forEach((gray, i) => {
      assert.ok(Math.abs(gray - wanted[i]!) < 6, `${codec}: ${grays} is not ${wanted}`);
    });
    assert.ok(wanted[1]! - wanted[0]! > 50, "frames differ");
  }
});

/** a, b, c, d of the display matrix, and the number that EXIF has for the same turn. */
const turns = [
  [1, 0, 0, 1, 1],
  [-1, 0, 0, 1, 2],
  [-1, 0, 0, -1, 3],
  [1, 0, 0, -1, 4],
  [0, 1, 1, 0, 5],
  [0, 1, -1, 0, 6],
  [0, -1, -1, 0, 7],
  [0, -1, 1, 0, 8],
] as const;

const fixed = (a: number, b: number, c: number, d: number) => [
  ...[a * 65536, b * 65536, 0, c * 65536, d * 65536, 0],
  ...[0, 0, 2 ** 30],
];

/** Where EXIF 2.32 says that the first row and the first column of the stored pixels are, spelt out as a sum of indices. */
function stored(x: number, y: number, exif: number): [x: number, y: number] {
  const [w, h] = [width - 1, height - 1];
  const places: readonly [number, number][] = [
    [x, y],
    [w - x, y],
    [w - x, h - y],
    [x, h - y],
    [y, x],
    [y, h - x],
    [w - y, h - x],
    [w - y, x],
  ];
  return places[exif - 1]!;
}

test("a display matrix turns the picture, and what is sent of it is shown alike", async (t) => {
  const coded = await decodeClip(videoFile(t, {}));
  for (const [a, b, c, d, exif] of turns) {
    const path = videoFile(t, { displayMatrix: fixed(a, b, c, d) });
    const clip = await decodeClip(path);
    const size = exif < 5 ? [width, height] : [height, width];
    assert.deepEqual([clip.width, clip.height], size, `${exif}`);
    const info = (await probeClip(path)).video!;
    assert.deepEqual([info.width, info.height], size);
    for (let y = 0; y < clip.height; y++) {
      for (let x = 0; x < clip.width; x++) {
        const [fromX, fromY] = stored(x, y, exif);
        assert.equal(
          clip.frames[3 * (y * clip.width + x)],
          coded.frames[3 * (fromY * width + fromX)],
          `${exif}: ${x} ${y}`,
        );
      }
    }
    assert.deepEqual(
      turnPixels(firstFrame(coded.frames), { width, height }, exifOrientation(exif)),
      firstFrame(clip.frames),
    );
    if (exif > 1) assert.notDeepEqual(firstFrame(clip.frames), firstFrame(coded.frames), "negative control");
    const folder = temporaryFolder(t);
    const sent = join(folder, "sent.mp4");
    writeFileSync(sent, (await soundlessVideo(path))!.bytes);
    assert.deepEqual((await decodeClip(sent)).frames, clip.frames);
    const black = join(folder, "black.mp4");
    writeFileSync(black, (await blackVideo((await videoShape(path))!)).bytes);
    const dark = await decodeClip(black);
    assert.deepEqual([dark.width, dark.height, dark.numFrames], [...size, clip.numFrames]);
  }
});

test("frames come to the wanted size after they are turned; a slanting turn is left out and told", async (t) => {
  const path = videoFile(t, { displayMatrix: fixed(0, 1, -1, 0) });
  const seen: unknown[] = [];
  const clip = await decodeClip(path, {
    fit: (size) => {
      seen.push(size);
      return { width: 28, height: 56 };
    },
  });
  assert.deepEqual(seen, [{ width: height, height: width }]);
  assert.deepEqual([clip.width, clip.height], [28, 56]);
  assert.ok(clip.frames[0]! < clip.frames[3 * 28 * 55]!, "dark is above: the left edge of the coded picture");
  const half = Math.SQRT1_2;
  const slanting = await decodeClip(videoFile(t, { displayMatrix: fixed(half, half, -half, half).map(Math.round) }));
  assert.deepEqual([slanting.width, slanting.height], [width, height]);
  assert.deepEqual(slanting.notices, ["video: its turn is no quarter turn and was left out"]);
  assert.equal(matrixOrientation(new Uint8Array(36)), upright, "an empty matrix is none");
});

test("HDR and wide colours keep their levels: the matrix is undone, primaries and transfer are not", async (t) => {
  const frames = plainFrames(width, height, 8).map(([luma, blue, red]): VideoTrack["frames"][number] => [
    luma.fill(120),
    blue.fill(90),
    red.fill(200),
  ]);
  const decode = async (matrix: number, primaries: number, transfer: number) =>
    firstFrame((await decodeClip(videoFile(t, { frames, colours: { matrix, primaries, transfer } }))).frames);
  const plain = await decode(AVCOL_SPC_BT2020_NCL, AVCOL_PRI_BT709, AVCOL_TRC_BT709);
  for (const transfer of [AVCOL_TRC_ARIB_STD_B67, AVCOL_TRC_SMPTE2084]) {
    assert.deepEqual(await decode(AVCOL_SPC_BT2020_NCL, AVCOL_PRI_BT2020, transfer), plain);
  }
  assert.notDeepEqual(await decode(AVCOL_SPC_BT709, AVCOL_PRI_BT709, AVCOL_TRC_BT709), plain, "the matrix counts");
  // BT.2020: 1.1644 (Y - 16) = 121.1, red 1.6787 (Cr - 128) more, green 0.6504 of it and 0.1873 (Cb - 128) less, blue 2.1418 more.
  assert.deepEqual([...plain.slice(0, 3)], [241, 81, 39]);
});
