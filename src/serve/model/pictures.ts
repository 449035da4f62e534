// Encoded pictures (JPEG, PNG, WebP) as RGB frames of one clip, all of one size. Runs in the engine's process, which is
// replaced when hostile data bring it down.
import { createCanvas, loadImage } from "@napi-rs/canvas";
import { HttpError } from "../http/http-error.ts";

const maxPixels = 4096 * 2304;
const maxClipPixels = 512 * 1024 * 1024;

export interface Pictures {
  /** RGB, row-major [numFrames, height, width, 3]. */
  readonly frames: Uint8Array;
  readonly numFrames: number;
  readonly height: number;
  readonly width: number;
}

/** @throws HttpError ERR_REQUEST_MEDIA where a picture is none, too large, or of another size than the first */
export async function decodePictures(encoded: readonly Buffer[]): Promise<Pictures> {
  let size: { readonly width: number; readonly height: number } | null = null;
  let frames = new Uint8Array(0);
  for (const [i, bytes] of encoded.entries()) {
    const image = await loadImage(bytes).catch((cause: unknown) => {
      throw pictureError(i, "a JPEG, PNG or WebP", "something else", cause);
    });
    const { width, height } = image;
    size ??= { width, height };
    if (width !== size.width || height !== size.height) {
      throw pictureError(i, `${size.width} x ${size.height} as the first`, `${width} x ${height}`);
    }
    if (width * height > maxPixels) throw pictureError(i, `at most ${maxPixels} pixels`, `${width} x ${height}`);
    if (i === 0) {
      if (width * height * encoded.length > maxClipPixels) {
        throw pictureError(
          i,
          `at most ${maxClipPixels} pixels in all frames`,
          `${encoded.length} of ${width} x ${height}`,
        );
      }
      frames = new Uint8Array(width * height * 3 * encoded.length);
    }
    const context = createCanvas(width, height).getContext("2d");
    context.drawImage(image, 0, 0);
    copyRgb(context.getImageData(0, 0, width, height).data, frames, i * width * height * 3);
  }
  return { frames, numFrames: encoded.length, width: size?.width ?? 0, height: size?.height ?? 0 };
}

function copyRgb(rgba: Uint8ClampedArray, out: Uint8Array, start: number): void {
  for (let from = 0, to = start; from < rgba.length; from += 4, to += 3) {
    out[to] = rgba[from]!;
    out[to + 1] = rgba[from + 1]!;
    out[to + 2] = rgba[from + 2]!;
  }
}

function pictureError(index: number, expected: string, got: string, cause?: unknown): HttpError {
  return new HttpError(
    400,
    "ERR_REQUEST_MEDIA",
    `messages: frame ${index}: expected ${expected}, got ${got}. Send the frames of one video.`,
    { cause },
  );
}
