// A picture (JPEG, PNG, WebP, GIF or BMP) as RGB, decoded by Skia: the very levels that Pillow gives for JPEG and PNG.
// The size is read from the file's bytes first, so that a small file cannot ask for much memory. Transparent pixels
// lie on white as in qwen-omni-utils, transparent colours of a PNG are painted as they are; a turned photograph stands upright.

import { readFileSync, statSync } from "node:fs";
import { createCanvas, loadImage } from "@napi-rs/canvas";
import type { MediaClip } from "./clip.ts";
import { checkFrameSize, type ReadLimits } from "./decode/container.ts";
import { imageKind, readImageHeader } from "./decode/image-header.ts";
import { shownSize, turnPixels, upright } from "./decode/orientation.ts";
import { pngOrientation, withoutTransparentColours } from "./decode/png-chunks.ts";
import { isWholePicture } from "./decode/whole-picture.ts";
import { MediaError } from "./media-error.ts";

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
  const header = readImageHeader(data);
  if (header === null) {
    throw new MediaError(
      "ERR_MEDIA_INVALID",
      name,
      `expected a JPEG, PNG, WebP, GIF or BMP picture, got ${bytes.length} bytes of something else. Convert it.`,
    );
  }
  checkFrameSize(name, header.width, header.height, limits);
  if (!isWholePicture(data)) {
    throw new MediaError("ERR_MEDIA_TRUNCATED", name, "expected a whole picture, got its beginning. Copy it again.");
  }
  const isPng = imageKind(data) === "png";
  const image = await loadImage(isPng ? withoutTransparentColours(data) : data).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MediaError("ERR_MEDIA_BROKEN", name, `expected a picture that decodes, got ${reason}. Make it again.`, {
      cause,
    });
  });
  const { width, height } = image;
  checkFrameSize(name, width, height, limits);
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
  // Skia turns JPEG and WebP by itself.
  const orientation = isPng ? pngOrientation(data) : upright;
  return {
    frames: turnPixels(frames, { height, width }, orientation),
    numFrames: 1,
    ...shownSize({ height, width }, orientation),
    fps: 0,
    waveform: new Float32Array(0),
    sampleRateHz: 16000,
    durationSeconds: 0,
  };
}
