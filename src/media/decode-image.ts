// A picture (JPEG, PNG, WebP, GIF or BMP) as RGB, decoded by Skia: the very levels that Pillow gives for JPEG and PNG.
// The size is read from the file's header first, so that a small file cannot ask for much memory. Transparent pixels
// lie on white, as in qwen-omni-utils; a turned photograph stands upright (EXIF).

import { readFileSync, statSync } from "node:fs";
import { createCanvas, loadImage } from "@napi-rs/canvas";
import type { MediaClip } from "./clip.ts";
import { checkFrameSize, type ReadLimits } from "./container.ts";
import { MediaError } from "./media-error.ts";
import type { FrameSize } from "./sampling.ts";

/** Larger files are no single picture that a model looks at. */
const maxFileBytes = 256 * 2 ** 20;

/** Decodes the picture in file `path`: a clip of one frame without sound. @throws MediaError ERR_MEDIA_* */
export async function decodeImage(path: string, limits: ReadLimits = {}): Promise<MediaClip> {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    throw new MediaError("ERR_MEDIA_NOT_FOUND", path, "expected a picture, got no such file. Check the path.");
  }
  if (!stats.isFile() || stats.size > maxFileBytes) {
    const got = stats.isFile() ? `${stats.size} bytes` : "a folder or device";
    throw new MediaError("ERR_MEDIA_INVALID", path, `expected a picture, got ${got}. Check the path.`);
  }
  return decodeImageBytes(readFileSync(path), path, limits);
}

/** Decodes a picture in memory; `name` stands in errors. @throws MediaError ERR_MEDIA_* */
export async function decodeImageBytes(bytes: Uint8Array, name: string, limits: ReadLimits = {}): Promise<MediaClip> {
  if (bytes.length === 0) {
    throw new MediaError("ERR_MEDIA_EMPTY", name, "expected a picture, got no bytes. Copy or download it again.");
  }
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const header = readHeader(data);
  if (header === null || header.width < 1 || header.height < 1) {
    throw new MediaError(
      "ERR_MEDIA_INVALID",
      name,
      `expected a JPEG, PNG, WebP, GIF or BMP picture, got ${bytes.length} bytes of something else. Convert it.`,
    );
  }
  checkFrameSize(name, header.width, header.height, limits);
  if (!header.isWhole) {
    throw new MediaError("ERR_MEDIA_TRUNCATED", name, "expected a whole picture, got its beginning. Copy it again.");
  }
  const image = await loadImage(data).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MediaError("ERR_MEDIA_BROKEN", name, `expected a picture that decodes, got ${reason}. Make it again.`, {
      cause,
    });
  });
  const { width, height } = image;
  const context = createCanvas(width, height).getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const frames = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    frames[to] = rgba[from]!;
    frames[to + 1] = rgba[from + 1]!;
    frames[to + 2] = rgba[from + 2]!;
  }
  return {
    frames,
    numFrames: 1,
    height,
    width,
    fps: 0,
    waveform: new Float32Array(0),
    sampleRateHz: 16000,
    durationSeconds: 0,
  };
}

/** True for the first bytes of a still picture of a kind that decodeImage reads. A GIF may move: a video, if need be. */
export function isImage(head: Uint8Array): boolean {
  const kind = imageKind(Buffer.from(head.buffer, head.byteOffset, head.length));
  return kind !== null && kind !== "gif";
}

interface ImageHeader extends FrameSize {
  readonly isWhole: boolean;
}

type ImageKind = "png" | "jpeg" | "webp" | "gif" | "bmp";

function imageKind(data: Buffer): ImageKind | null {
  if (data.length < 12) return null;
  const text = data.toString("latin1", 0, 12);
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (text.startsWith("\xff\xd8\xff")) return "jpeg";
  if (text.startsWith("RIFF") && text.endsWith("WEBP")) return "webp";
  if (text.startsWith("GIF87a") || text.startsWith("GIF89a")) return "gif";
  return text.startsWith("BM") ? "bmp" : null;
}

function readHeader(data: Buffer): ImageHeader | null {
  const kind = imageKind(data);
  if (kind === null || data.length < 30) return null;
  if (kind === "png") {
    const isWhole = data.indexOf("IEND", Math.max(data.length - 64, 0), "latin1") >= 0;
    return { width: data.readUInt32BE(16), height: data.readUInt32BE(20), isWhole };
  }
  if (kind === "gif") return { width: data.readUInt16LE(6), height: data.readUInt16LE(8), isWhole: true };
  if (kind === "bmp") {
    const isWhole = data.readUInt32LE(2) <= data.length;
    return { width: Math.abs(data.readInt32LE(18)), height: Math.abs(data.readInt32LE(22)), isWhole };
  }
  return kind === "jpeg" ? jpegHeader(data) : webpHeader(data);
}

/** Walks the segments to the frame header (SOF0 to SOF15 without DHT, JPG and DAC). */
function jpegHeader(data: Buffer): ImageHeader | null {
  const isWhole = data.lastIndexOf(Buffer.of(0xff, 0xd9)) > 0;
  let at = 2;
  while (at + 9 < data.length) {
    if (data[at] !== 0xff) return null;
    const marker = data[at + 1]!;
    if (marker === 0xff) {
      at++;
    } else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { height: data.readUInt16BE(at + 5), width: data.readUInt16BE(at + 7), isWhole };
    } else {
      at += 2 + data.readUInt16BE(at + 2);
    }
  }
  return null;
}

function webpHeader(data: Buffer): ImageHeader | null {
  const isWhole = data.readUInt32LE(4) + 8 <= data.length;
  const chunk = data.toString("latin1", 12, 16);
  if (chunk === "VP8X") return { width: data.readUIntLE(24, 3) + 1, height: data.readUIntLE(27, 3) + 1, isWhole };
  if (chunk === "VP8 ")
    return { width: data.readUInt16LE(26) & 0x3fff, height: data.readUInt16LE(28) & 0x3fff, isWhole };
  if (chunk !== "VP8L") return null;
  const bits = data.readUInt32LE(21);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, isWhole };
}
