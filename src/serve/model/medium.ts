// One medium of a prompt, decoded with the very code that `oppo infer` and the benchmarks use: the same file gives the same
// frames and samples. Sound inside a video is left out unless it is asked for.
import { readFile } from "node:fs/promises";
import type { MediaClip } from "../../media/clip.ts";
import { decodeClip } from "../../media/decode.ts";
import { decodeImage, decodeImageBytes } from "../../media/decode-image.ts";
import type { ClipFeatures, OmniModel } from "../../models/omni-model.ts";
import { HttpError } from "../http/http-error.ts";
import type { MediaFile } from "./protocol.ts";

/** What a server decodes at most: an hour of 8K is for other tools. */
const limits = { maxDurationSeconds: 600, maxPixels: 4096 * 2304 };
const maxFramePixels = 512 * 1024 * 1024;
const silence = new Float32Array(0);

/** @throws MediaError, HttpError ERR_REQUEST_MEDIA, and those of the model's features */
export async function featuresOf(model: OmniModel, file: MediaFile): Promise<ClipFeatures> {
  switch (file.kind) {
    case "image":
      return model.features(model.fitImage(await decodeImage(file.path, limits)));
    case "frames":
      return model.features(model.fitClip(await clipOfFrames(file.paths, file.fps ?? model.sampling.fps)));
    case "audio": {
      const { waveform, ...clip } = await decodeClip(file.path, limits);
      if (waveform.length === 0) throw mediaError("a sound in the audio part", "a file without one");
      return model.features(model.fitClip({ ...clip, frames: new Uint8Array(0), numFrames: 0, waveform }));
    }
    case "video": {
      const clip = await decodeClip(file.path, { ...model.sampling, ...limits });
      if (clip.numFrames === 0) throw mediaError("a picture in the video part", "a file without one");
      return model.features(model.fitClip(file.withSound ? clip : { ...clip, waveform: silence }));
    }
  }
}

/** Pictures of one size as the frames of a clip that was sampled already. */
export async function clipOfFrames(paths: readonly string[], fps: number): Promise<MediaClip> {
  let clip: MediaClip | null = null;
  for (const [i, path] of paths.entries()) {
    const picture: MediaClip = await decodeImageBytes(await readFile(path), path, limits);
    const { width, height } = picture;
    if (clip === null) {
      if (width * height * paths.length > maxFramePixels) {
        throw mediaError(`at most ${maxFramePixels} pixels in all frames`, `${paths.length} of ${width} x ${height}`);
      }
      const frames = new Uint8Array(width * height * 3 * paths.length);
      clip = { ...picture, frames, numFrames: paths.length, fps, durationSeconds: paths.length / fps };
    } else if (width !== clip.width || height !== clip.height) {
      throw mediaError(`frame ${i} of ${clip.width} x ${clip.height} as the first`, `${width} x ${height}`);
    }
    clip.frames.set(picture.frames, i * width * height * 3);
  }
  if (clip === null) throw mediaError("frames", "none");
  return clip;
}

function mediaError(expected: string, got: string): HttpError {
  return new HttpError(
    400,
    "ERR_REQUEST_MEDIA",
    `messages: expected ${expected}, got ${got}. Send media of that kind.`,
  );
}
