// The chunks of a PNG that its decoder does not heed: how a photograph must be turned (eXIf, or the text that ImageMagick puts
// in its place), and colours that count as transparent.

import { inflateSync } from "node:zlib";
import { exifOrientation, type Orientation, upright } from "./orientation.ts";

export interface PngChunk {
  readonly name: string;
  /** Where its length stands. */
  readonly at: number;
  /** Of what it holds, without length, name and checksum. */
  readonly data: Buffer;
  /** False where the file ends inside it. */
  readonly isWhole: boolean;
}

const signatureBytes = 8;
const frameBytes = 12;

/** A picture of 256 MB in chunks of 8 KB has fewer. */
const maxChunks = 50_000;

/** In the order of the file, up to IEND. */
export function* pngChunks(png: Buffer): Generator<PngChunk> {
  let at = signatureBytes;
  for (let i = 0; i < maxChunks && at + 8 <= png.length; i++) {
    const length = png.readUInt32BE(at);
    const name = png.toString("latin1", at + 4, at + 8);
    const end = at + frameBytes + length;
    yield { name, at, data: png.subarray(at + 8, at + 8 + length), isWhole: end <= png.length };
    if (name === "IEND") return;
    at = end;
  }
}

const colourTypeAt = 25;
const [gray, colours, palette] = [0, 2, 3];

/** `png` without its transparent colour or the alpha of its palette: Pillow's convert("RGB") passes them over. */
export function withoutTransparentColours(png: Buffer): Buffer {
  if (![gray, colours, palette].includes(png[colourTypeAt]!)) return png;
  for (const { name, at, data, isWhole } of pngChunks(png)) {
    // It stands before the pixels.
    if (name === "IDAT" || !isWhole) break;
    if (name !== "tRNS") continue;
    return Buffer.concat([png.subarray(0, at), png.subarray(at + frameBytes + data.length)]);
  }
  return png;
}

export function pngOrientation(png: Buffer): Orientation {
  for (const { name, data, isWhole } of pngChunks(png)) {
    if (!isWhole) break;
    const exif = name === "eXIf" ? data : name === "zTXt" || name === "tEXt" ? exifInText(data, name === "zTXt") : null;
    if (exif !== null) return exifOrientation(orientationTag(exif));
  }
  return upright;
}

const profileNames = ["Raw profile type exif", "Raw profile type APP1"];
/** Larger profiles hold more than an orientation; they are left alone. */
const maxProfileBytes = 2 ** 20;
const exifMark = "Exif\0\0";

/** A profile as text: its name, and its bytes in hexadecimal digits behind three lines. */
function exifInText(data: Buffer, isCompressed: boolean): Buffer | null {
  const end = data.indexOf(0);
  if (end < 0 || !profileNames.includes(data.toString("latin1", 0, end))) return null;
  try {
    const body = data.subarray(end + (isCompressed ? 2 : 1));
    const text = (isCompressed ? inflateSync(body, { maxOutputLength: maxProfileBytes }) : body).toString("latin1");
    const bytes = Buffer.from(text.split("\n").slice(3).join(""), "hex");
    return bytes.toString("latin1", 0, exifMark.length) === exifMark ? bytes.subarray(exifMark.length) : bytes;
  } catch {
    // A damaged profile says nothing of the picture, which decodes without it.
    return null;
  }
}

const orientationNumber = 0x112;

/** Of the first directory (TIFF 6.0, section 2); 0 where there is none. */
function orientationTag(tiff: Buffer): number {
  const isLittle = tiff.toString("latin1", 0, 2) === "II";
  if (tiff.length < 8 || (!isLittle && tiff.toString("latin1", 0, 2) !== "MM")) return 0;
  const short = (at: number) => (isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const directory = isLittle ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  if (directory + 2 > tiff.length) return 0;
  const count = short(directory);
  for (let i = 0; i < count; i++) {
    const at = directory + 2 + 12 * i;
    if (at + 12 > tiff.length) return 0;
    if (short(at) === orientationNumber) return short(at + 8);
  }
  return 0;
}
