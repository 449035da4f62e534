// The size that a picture file will have once it is decoded, from its bytes alone and before any pixel is allocated: read as
// the decoders (libjpeg, libpng, libwebp, wuffs in Skia) read it. A file that says two things counts with the larger one.

import type { FrameSize } from "../sampling.ts";

export type ImageKind = "png" | "jpeg" | "webp" | "gif" | "bmp";

export function imageKind(data: Buffer): ImageKind | null {
  if (data.length < 12) return null;
  const text = data.toString("latin1", 0, 12);
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (text.startsWith("\xff\xd8\xff")) return "jpeg";
  if (text.startsWith("RIFF") && text.endsWith("WEBP")) return "webp";
  if (text.startsWith("GIF87a") || text.startsWith("GIF89a")) return "gif";
  return text.startsWith("BM") ? "bmp" : null;
}

/** True for the first bytes of a still picture of a kind that decodeImage reads. A GIF may move: a video, if need be. */
export function isImage(head: Uint8Array): boolean {
  const kind = imageKind(Buffer.from(head.buffer, head.byteOffset, head.length));
  return kind !== null && kind !== "gif";
}

/** null where the bytes are no picture, or one whose size cannot be told. */
export function readImageHeader(data: Buffer): FrameSize | null {
  const kind = imageKind(data);
  if (kind === null || data.length < 30) return null;
  const header = readers[kind](data);
  return header === null || header.width < 1 || header.height < 1 ? null : header;
}

const readers: Readonly<Record<ImageKind, (data: Buffer) => FrameSize | null>> = {
  png: pngHeader,
  jpeg: jpegHeader,
  webp: webpHeader,
  gif: gifHeader,
  bmp: bmpHeader,
};

function larger(a: FrameSize, b: FrameSize): FrameSize {
  return { width: Math.max(a.width, b.width), height: Math.max(a.height, b.height) };
}

function pngHeader(data: Buffer): FrameSize | null {
  if (data.toString("latin1", 12, 16) !== "IHDR") return null;
  return { width: data.readUInt32BE(16), height: data.readUInt32BE(20) };
}

/** BITMAPCOREHEADER has 12 bytes and sides of 16 bits; every later one begins with sides of 32. */
function bmpHeader(data: Buffer): FrameSize {
  const coreBytes = 12;
  if (data.readUInt32LE(14) === coreBytes) return { width: data.readUInt16LE(18), height: data.readUInt16LE(20) };
  return { width: Math.abs(data.readInt32LE(18)), height: Math.abs(data.readInt32LE(22)) };
}

/** The decoder enlarges the screen to what its frames cover, so every frame is looked at. */
function gifHeader(data: Buffer): FrameSize {
  let size: FrameSize = { width: data.readUInt16LE(6), height: data.readUInt16LE(8) };
  const tableBytes = (flags: number) => ((flags & 0x80) === 0 ? 0 : 3 << ((flags & 7) + 1));
  let at = 13 + tableBytes(data[10]!);
  const skipBlocks = () => {
    while (at < data.length && data[at] !== 0) at += data[at]! + 1;
    at++;
  };
  while (at < data.length) {
    const block = data[at]!;
    if (block === 0x21) {
      at += 2;
      skipBlocks();
    } else if (block === 0x2c && at + 9 < data.length) {
      const [left, top, width, height] = [1, 3, 5, 7].map((offset) => data.readUInt16LE(at + offset)) as [
        number,
        number,
        number,
        number,
      ];
      size = larger(size, { width: left + width, height: top + height });
      at += 10 + tableBytes(data[at + 9]!) + 1;
      skipBlocks();
    } else break;
  }
  return size;
}

/** Markers without a length: TEM, RST0 to RST7, SOI; and a stuffed zero, which is none. */
const isBare = (marker: number) => marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);

/** Walks the segments to the first scan, as libjpeg does: what is no marker is passed over, every frame header counts. */
function jpegHeader(data: Buffer): FrameSize | null {
  let size: FrameSize | null = null;
  let at = 2;
  while (at + 9 < data.length) {
    const marker = data[at + 1]!;
    if (data[at] !== 0xff || marker === 0xff) {
      at++;
    } else if (isBare(marker)) {
      at += 2;
    } else if (marker === 0xda || marker === 0xd9) {
      break;
    } else {
      // SOF0 to SOF15 without DHT, JPG and DAC.
      if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
        const own = { height: data.readUInt16BE(at + 5), width: data.readUInt16BE(at + 7) };
        size = size === null ? own : larger(size, own);
      }
      at += 2 + Math.max(2, data.readUInt16BE(at + 2));
    }
  }
  return size;
}

/** Canvas, picture and frames of an animation, whichever is largest. */
function webpHeader(data: Buffer): FrameSize | null {
  let size: FrameSize | null = null;
  let at = 12;
  while (at + 8 <= data.length) {
    const name = data.toString("latin1", at, at + 4);
    const own = webpChunkSize(data, name, at + 8);
    if (own !== null) size = size === null ? own : larger(size, own);
    // A frame's header is followed by chunks of its own.
    if (name === "ANMF") at += 8 + 16;
    else at += 8 + data.readUInt32LE(at + 4) + (data.readUInt32LE(at + 4) % 2);
  }
  return size;
}

function webpChunkSize(data: Buffer, name: string, at: number): FrameSize | null {
  if (at + 12 > data.length) return null;
  if (name === "VP8X") return { width: data.readUIntLE(at + 4, 3) + 1, height: data.readUIntLE(at + 7, 3) + 1 };
  if (name === "ANMF") return { width: data.readUIntLE(at + 6, 3) + 1, height: data.readUIntLE(at + 9, 3) + 1 };
  if (name === "VP8 ") return { width: data.readUInt16LE(at + 6) & 0x3fff, height: data.readUInt16LE(at + 8) & 0x3fff };
  if (name !== "VP8L") return null;
  const bits = data.readUInt32LE(at + 1);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}
