// Whether all of a picture is there: its pixels, not what its header says about the file. Bytes behind the end, a wrong size in
// the header or a missing last mark take nothing away; Pillow reads and refuses the same files.

import { constants, inflateSync } from "node:zlib";
import { pngChunks } from "./png-chunks.ts";

/** Of a kind whose end can be told; others count as whole, and their decoder has the word. */
export function isWholePicture(data: Buffer): boolean {
  const start = data.toString("latin1", 0, 4);
  if (start === "\x89PNG") return isWholePng(data);
  if (start.startsWith("\xff\xd8\xff")) return isWholeJpeg(data);
  if (start === "RIFF") return data.readUInt32LE(4) + 8 <= data.length;
  return start.startsWith("BM") ? isWholeBmp(data) : true;
}

/** The name of the last chunk and its checksum. */
const pngEnd = "IEND\xaeB`\x82";

function isWholePng(png: Buffer): boolean {
  // Damage before the last chunk is the decoder's to judge.
  if (png.includes(pngEnd, 0, "latin1")) return true;
  const pixels = [...pngChunks(png)].filter(({ name }) => name === "IDAT").map(({ data }) => data);
  const needed = pngPixelBytes(png);
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: needed };
    return pixels.length > 0 && inflateSync(Buffer.concat(pixels), options).length >= needed;
  } catch {
    return false;
  }
}

const channelsByColourType: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** First column and row, and the distance to the next (PNG, 8.2): the passes of an interlaced picture. */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Of all rows as they are filtered: one byte more than their pixels. */
function pngPixelBytes(png: Buffer): number {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const bits = png[24]! * (channelsByColourType[png[25]!] ?? 4);
  const bytes = (columns: number, rows: number) => (columns > 0 ? rows * (1 + Math.ceil((columns * bits) / 8)) : 0);
  if (png[28] === 0) return bytes(width, height);
  return passes.reduce((sum, [x, y, right, down]) => {
    return sum + bytes(Math.ceil((width - x) / right), Math.max(0, Math.ceil((height - y) / down)));
  }, 0);
}

/** Walks the segments and the coded data behind a scan to the end of the picture: not to that of its thumbnail. */
function isWholeJpeg(jpeg: Buffer): boolean {
  const [startOfScan, endOfImage] = [0xda, 0xd9];
  let at = 2;
  let isInScan = false;
  while (at + 1 < jpeg.length) {
    const marker = jpeg[at + 1]!;
    // In a scan a 255 that is coded data is followed by 0.
    const isData = jpeg[at] !== 0xff || marker === 0xff || marker === 0;
    if (isData) {
      if (isInScan) {
        const next = jpeg.indexOf(0xff, at + 1);
        if (next < 0) return false;
        at = next;
      } else at++;
    } else if (marker === endOfImage) {
      return isInScan;
    } else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
    } else {
      if (at + 3 >= jpeg.length) return false;
      isInScan ||= marker === startOfScan;
      at += 2 + Math.max(2, jpeg.readUInt16BE(at + 2));
    }
  }
  return false;
}

/** The pixels are what must be there; the size in the header is often wrong. */
function isWholeBmp(bmp: Buffer): boolean {
  const headerBytes = bmp.readUInt32LE(14);
  const isCore = headerBytes === 12;
  if (bmp.length < 54 && !isCore) return false;
  const pixelsAt = bmp.readUInt32LE(10);
  const [width, height, bits] = isCore
    ? [bmp.readUInt16LE(18), bmp.readUInt16LE(20), bmp.readUInt16LE(24)]
    : [Math.abs(bmp.readInt32LE(18)), Math.abs(bmp.readInt32LE(22)), bmp.readUInt16LE(28)];
  const compression = isCore ? 0 : bmp.readUInt32LE(30);
  const isPlain = compression === 0 || compression === 3 || compression === 6;
  const numBytes = isPlain ? height * 4 * Math.ceil((width * bits) / 32) : bmp.readUInt32LE(34);
  return pixelsAt + numBytes <= bmp.length;
}
