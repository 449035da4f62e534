// Pictures: decoded from the formats that people have, resized like Pillow does it, refused where they are damaged.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { createCanvas } from "@napi-rs/canvas";
import { isImage } from "../../src/media/decode/image-header.ts";
import { exifOrientation, turnPixels } from "../../src/media/decode/orientation.ts";
import { decodeImage, decodeImageBytes } from "../../src/media/decode-image.ts";
import { MediaError } from "../../src/media/media-error.ts";
import { resizeImage } from "../../src/media/resize-image.ts";
import { createRandom } from "../../src/random.ts";
import { readGolden } from "../support/safetensors.ts";
import { sharedPath } from "../support/shared.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { crc32Of } from "../support/zip.ts";
import { channelsLast } from "./channels-last.ts";

const width = 61;
const height = 40;

/** A canvas of smooth colours; alpha below 1 lets what lies under it through. */
function painted(alpha = 1) {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext("2d");
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      context.fillStyle = `rgba(${4 * x}, ${6 * y}, ${2 * (x + y)}, ${alpha})`;
      context.fillRect(x, y, 1, 1);
    }
  }
  return canvas;
}

const expectedLevel = (x: number, y: number) => [4 * x, 6 * y, 2 * (x + y)];

function worstLevel(frames: Uint8Array): number {
  let worst = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      expectedLevel(x, y).forEach((level, c) => {
        worst = Math.max(worst, Math.abs(frames[(y * width + x) * 3 + c]! - level));
      });
    }
  }
  return worst;
}

/** A 24-bit BMP of one colour. */
function bmp(colour: readonly [number, number, number]): Buffer {
  const row = Math.ceil((width * 3) / 4) * 4;
  const data = Buffer.alloc(54 + row * height);
  data.write("BM");
  data.writeUInt32LE(data.length, 2);
  data.writeUInt32LE(54, 10);
  data.writeUInt32LE(40, 14);
  data.writeInt32LE(width, 18);
  data.writeInt32LE(height, 22);
  data.writeUInt16LE(1, 26);
  data.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.set([...colour].reverse(), 54 + y * row + x * 3);
  return data;
}

test("pictures of every kind become one frame of their own size", async (t) => {
  const folder = temporaryFolder(t);
  const canvas = painted();
  const lossless = canvas.toBuffer("image/png");
  const lossy = { jpeg: canvas.toBuffer("image/jpeg", 95), webp: canvas.toBuffer("image/webp", 95) };
  const file = join(folder, "picture");
  writeFileSync(file, lossless);
  const image = await decodeImage(file);
  assert.deepEqual([image.numFrames, image.height, image.width, image.waveform.length], [1, height, width, 0]);
  assert.equal(worstLevel(image.frames), 0);
  for (const [kind, bytes] of Object.entries(lossy)) {
    const { frames } = await decodeImageBytes(bytes, kind);
    // Smooth colours at quality 95: a few levels.
    assert.ok(worstLevel(frames) < 24, `${kind} ${worstLevel(frames)}`);
    assert.ok(isImage(bytes.subarray(0, 12)));
  }
  const flat = await decodeImageBytes(bmp([10, 200, 30]), "flat.bmp");
  assert.deepEqual([...flat.frames.subarray(0, 6)], [10, 200, 30, 10, 200, 30]);
  const gif = Buffer.from("R0lGODlhAQABAIAAAP8AAAAAACwAAAAAAQABAAACAkQBADs=", "base64");
  assert.deepEqual([...(await decodeImageBytes(gif, "dot.gif")).frames], [255, 0, 0]);
  assert.ok(!isImage(Buffer.from("ftypisom and no picture")));
});

test("what is transparent lies on white", async () => {
  const half = await decodeImageBytes(painted(0.5).toBuffer("image/png"), "half.png");
  const [red] = expectedLevel(0, 0);
  assert.ok(Math.abs(half.frames[0]! - (red! + 255) / 2) <= 2, `${half.frames[0]}`);
});

test("damaged, empty and monstrous pictures are refused with their reason", async (t) => {
  const folder = temporaryFolder(t);
  const whole = painted().toBuffer("image/jpeg", 95);
  const png = painted().toBuffer("image/png");
  const bomb = Buffer.from(png);
  for (const place of [16, 20]) bomb.writeUInt32BE(100000, place);
  const broken = Buffer.from(png);
  broken.fill(0xee, 45, png.length - 40);
  const webp = painted().toBuffer("image/webp", 90);
  const refused: [Buffer, string][] = [
    [Buffer.alloc(0), "ERR_MEDIA_EMPTY"],
    [Buffer.from("no picture at all, whatever its name says"), "ERR_MEDIA_INVALID"],
    [whole.subarray(0, 20), "ERR_MEDIA_INVALID"],
    [whole.subarray(0, whole.length - 300), "ERR_MEDIA_TRUNCATED"],
    [png.subarray(0, png.length - 100), "ERR_MEDIA_TRUNCATED"],
    [webp.subarray(0, webp.length - 100), "ERR_MEDIA_TRUNCATED"],
    [bomb, "ERR_MEDIA_TOO_LARGE"],
  ];
  for (const [bytes, code] of refused) await assert.rejects(decodeImageBytes(bytes, "it"), { code });
  await assert.rejects(decodeImageBytes(png, "it", { maxPixels: 100 }), { code: "ERR_MEDIA_TOO_LARGE" });
  await assert.rejects(decodeImage(join(folder, "absent.png")), { code: "ERR_MEDIA_NOT_FOUND" });
  mkdirSync(join(folder, "directory"));
  await assert.rejects(decodeImage(join(folder, "directory")), { code: "ERR_MEDIA_INVALID" });
  // Skia shows what it could read of a damaged one, or says so; the process lives.
  await decodeImageBytes(broken, "broken.png").catch((error: { code: string }) => {
    assert.equal(error.code, "ERR_MEDIA_BROKEN");
  });
});

/** A chunk of a PNG with its checksum. */
function pngChunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32Of(body));
  return Buffer.concat([length, body, checksum]);
}

/** `png` with chunks behind its header (33 bytes from the start). */
const withChunks = (png: Buffer, ...chunks: Buffer[]) =>
  Buffer.concat([png.subarray(0, 33), ...chunks, png.subarray(33)]);

/** EXIF with nothing but an orientation, in either order of bytes. */
function exif(orientation: number, isLittle: boolean): Buffer {
  const tiff = Buffer.alloc(26);
  const short = (value: number, at: number) =>
    isLittle ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at);
  const long = (value: number, at: number) =>
    isLittle ? tiff.writeUInt32LE(value, at) : tiff.writeUInt32BE(value, at);
  tiff.write(isLittle ? "II" : "MM");
  short(42, 2);
  long(8, 4);
  short(1, 8);
  short(0x112, 10);
  short(3, 12);
  long(1, 14);
  short(orientation, 18);
  return tiff;
}

test("turned photographs stand upright, in every container, as Pillow's exif_transpose sets them", async () => {
  const canvas = painted();
  const png = canvas.toBuffer("image/png");
  const jpeg = canvas.toBuffer("image/jpeg", 95);
  const plain = { png: await decodeImageBytes(png, "x"), jpeg: await decodeImageBytes(jpeg, "x") };
  for (let orientation = 1; orientation <= 8; orientation++) {
    const tiff = exif(orientation, orientation % 2 === 0);
    const text = Buffer.from(`\nexif\n      ${tiff.length}\n${tiff.toString("hex")}\n`);
    const profile = Buffer.concat([Buffer.from("Raw profile type exif\0\0", "latin1"), deflateSync(text)]);
    const segment = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff]);
    const head = Buffer.of(0xff, 0xe1, 0, segment.length + 2);
    const files: readonly [Buffer, { readonly frames: Uint8Array }][] = [
      [withChunks(png, pngChunk("eXIf", tiff)), plain.png],
      [withChunks(png, pngChunk("zTXt", profile)), plain.png],
      [Buffer.concat([jpeg.subarray(0, 2), head, segment, jpeg.subarray(2)]), plain.jpeg],
    ];
    for (const [bytes, upright] of files) {
      const { frames, ...clip } = await decodeImageBytes(bytes, "x");
      const size = orientation < 5 ? [width, height] : [height, width];
      assert.deepEqual([clip.width, clip.height], size, `${orientation}`);
      assert.deepEqual(frames, turnPixels(upright.frames, { width, height }, exifOrientation(orientation)));
      if (orientation > 1) assert.notDeepEqual(frames, upright.frames);
    }
  }
});

test("pictures are whole where their pixels are, whatever their headers say and whatever lies behind", async () => {
  const canvas = painted();
  const png = canvas.toBuffer("image/png");
  const jpeg = canvas.toBuffer("image/jpeg", 95);
  const plain = bmp([10, 200, 30]);
  const wrongSize = Buffer.from(plain);
  wrongSize.writeUInt32LE(100_000_000, 2);
  const behind = Buffer.alloc(5000, "behind the end");
  for (const [bytes, same] of [
    [Buffer.concat([png, behind]), png],
    [png.subarray(0, -12), png],
    [Buffer.concat([jpeg, behind]), jpeg],
    [wrongSize, plain],
    [Buffer.concat([plain, behind]), plain],
  ] as const) {
    assert.deepEqual((await decodeImageBytes(bytes, "x")).frames, (await decodeImageBytes(same, "x")).frames);
  }
  // A thumbnail has an end of its own, which is not that of the picture.
  const thumbnail = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), Buffer.of(0xff, 0xd8, 0xff, 0xd9)]);
  const segment = Buffer.concat([Buffer.of(0xff, 0xe1, 0, thumbnail.length + 2), thumbnail]);
  const withThumbnail = Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)]);
  assert.deepEqual((await decodeImageBytes(withThumbnail, "x")).frames, (await decodeImageBytes(jpeg, "x")).frames);
  for (const bytes of [
    withThumbnail.subarray(0, -300),
    png.subarray(0, Math.round(png.length / 2)),
    plain.subarray(0, -100),
  ]) {
    await assert.rejects(decodeImageBytes(bytes, "x"), { code: "ERR_MEDIA_TRUNCATED" });
  }
});

test("a transparent colour of a PNG is painted as it is, as Pillow's convert does it", async () => {
  const png = painted().toBuffer("image/png");
  // Colour type 6 has its own alpha; the transparent colour belongs to type 2, made here by hand.
  const rows = Buffer.concat(Array.from({ length: 4 }, () => Buffer.from([0, 250, 20, 20, 1, 2, 3])));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(2, 0);
  header.writeUInt32BE(4, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const parts = [pngChunk("IDAT", deflateSync(rows)), pngChunk("IEND", Buffer.alloc(0))];
  const start = Buffer.concat([png.subarray(0, 8), pngChunk("IHDR", header)]);
  const transparent = pngChunk("tRNS", Buffer.from([0, 250, 0, 20, 0, 20]));
  const { frames } = await decodeImageBytes(Buffer.concat([start, transparent, ...parts]), "x");
  assert.deepEqual([...frames.subarray(0, 6)], [250, 20, 20, 1, 2, 3]);
  assert.deepEqual(frames, (await decodeImageBytes(Buffer.concat([start, ...parts]), "x")).frames);
});

test("pictures with bytes changed at random decode or are refused, and the process lives", async () => {
  const random = createRandom(5);
  const canvas = painted();
  const whole = [
    canvas.toBuffer("image/png"),
    canvas.toBuffer("image/jpeg", 80),
    canvas.toBuffer("image/webp", 80),
    bmp([1, 2, 3]),
  ];
  const codes = new Set<string>();
  for (let trial = 0; trial < 200; trial++) {
    const original = whole[trial % whole.length]!;
    const bytes = Buffer.from(trial % 5 === 0 ? original.subarray(0, random.int(original.length)) : original);
    const range = trial % 2 === 0 ? 200 : bytes.length;
    for (let i = 0; i < 1 + random.int(8) && bytes.length > 0; i++)
      bytes[random.int(Math.min(range, bytes.length))] = random.int(256);
    const code = await decodeImageBytes(bytes, "it", { maxPixels: 1 << 20 }).then(
      ({ frames, width: w, height: h }) => (frames.length === 3 * w * h ? "decoded" : "wrong size"),
      (error: unknown) => (error instanceof MediaError ? error.code : String(error)),
    );
    codes.add(code);
  }
  const expected = [
    "decoded",
    "ERR_MEDIA_BROKEN",
    "ERR_MEDIA_EMPTY",
    "ERR_MEDIA_INVALID",
    "ERR_MEDIA_TOO_LARGE",
    "ERR_MEDIA_TRUNCATED",
  ];
  assert.deepEqual(
    [...codes].filter((code) => !expected.includes(code)),
    [],
  );
  assert.ok(
    codes.has("decoded") && codes.has("ERR_MEDIA_INVALID") && codes.has("ERR_MEDIA_TRUNCATED"),
    [...codes].join(" "),
  );
});

test("bytes equal Pillow's bicubic, smaller and larger", (t) => {
  const file = sharedPath("golden/qwen-omni/vision/vision.safetensors");
  if (file === null) return t.skip("golden/qwen-omni/vision is absent");
  const read = readGolden(file);
  for (let i = 0; i < 4; i++) {
    const source = channelsLast(read(`rs_in_${i}`));
    const want = channelsLast(read(`rs_pil_u8_${i}`));
    const first = source.pixels.subarray(0, source.height * source.width * 3);
    assert.deepEqual(resizeImage(first, source, want), want.pixels, `case ${i}`);
  }
  const source = channelsLast(read("rs_in_0"));
  const want = channelsLast(read("rs_u8_0"));
  const video = want.pixels.subarray(0, want.height * want.width * 3);
  const image = resizeImage(source.pixels.subarray(0, source.height * source.width * 3), source, want);
  assert.notDeepEqual(image, video, "the filter of videos has other numbers");
});

test("a plain colour stays, a size that stays costs nothing", () => {
  const plain = new Uint8Array(64 * 64 * 3).fill(200);
  const resized = resizeImage(plain, { height: 64, width: 64 }, { height: 28, width: 84 });
  assert.equal(resized.length, 28 * 84 * 3);
  assert.ok(resized.every((level) => level === 200));
  assert.equal(resizeImage(plain, { height: 64, width: 64 }, { height: 64, width: 64 }), plain);
});
