// One request to the decoder's process, answered in this one.

import { OppoError } from "../../error.ts";
import type { MediaClip } from "../clip.ts";
import { checkClipPixels, checkDecodedPixels, probeClip } from "../decode/container.ts";
import { decodeClip } from "../decode.ts";
import { decodeImage } from "../decode-image.ts";
import { fitFrame, fitPicture, fitSound, fittedResizer, fittedSize, refineSelection } from "../fit.ts";
import { MediaError, outOfMemory } from "../media-error.ts";
import { blackVideo, soundlessVideo, videoShape } from "../remux.ts";
import { type FrameSize, sampleFrames } from "../sampling.ts";
import type { ClipOptions, DecodeReply, DecodeRequest, DecodeResults, FramesOptions } from "./request.ts";

/** Never throws: what the file brought about is told, faults of ours too. */
export async function answer(request: DecodeRequest): Promise<DecodeReply> {
  try {
    return { kind: "result", value: await resultOf(request) };
  } catch (error) {
    if (error instanceof OppoError) {
      const { code, message } = error;
      return { kind: "refused", code, message, file: error instanceof MediaError ? error.file : null };
    }
    // Too little memory for an array; the files bring it about.
    if (error instanceof RangeError) {
      const path = request.kind === "frames" ? request.paths[0]! : request.path;
      const { code, message } = new MediaError("ERR_MEDIA_MEMORY", path, outOfMemory(error.message));
      return { kind: "refused", code, message, file: path };
    }
    return { kind: "fault", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

async function resultOf(request: DecodeRequest): Promise<DecodeResults[keyof DecodeResults]> {
  switch (request.kind) {
    case "clip":
      return await clipOf(request.path, request.options);
    case "image": {
      const { range, ...limits } = request.options;
      const picture = await decodeImage(request.path, limits);
      return range === undefined ? picture : fitPicture(picture, range);
    }
    case "frames":
      return await clipOfFrames(request.paths, request.options);
    case "probe":
      return await probeClip(request.path, request.options);
    case "soundless":
      return await soundlessVideo(request.path, request.options);
    case "shape":
      return await videoShape(request.path, request.options);
    case "black": {
      const { width, height, numFrames } = request.shape;
      checkDecodedPixels(request.path, width * height * numFrames, {});
      return await blackVideo(request.shape);
    }
  }
}

async function clipOf(path: string, { fit, height, ...options }: ClipOptions): Promise<MediaClip> {
  if (fit !== undefined) {
    const { pixels: _, square: __, sound, ...frames } = fit;
    const clip = await decodeClip(path, {
      ...options,
      ...frames,
      ...(sound === undefined ? {} : { stereo: sound.stereo }),
      refine: (selection) => refineSelection(selection, fit),
      fit: (size, numFrames) => fittedSize(size, numFrames, fit),
      resizer: (from, to) => fittedResizer(from, to, fit),
    });
    return fitSound(clip, fit);
  }
  if (height === undefined) return await decodeClip(path, options);
  const atHeight = (size: FrameSize) => ({
    height,
    width: Math.max(1, Math.round((height * size.width) / size.height)),
  });
  return await decodeClip(path, { ...options, fit: atHeight });
}

/** The frames that the model looks at, each at its size as soon as it is read; all must be of one size. */
async function clipOfFrames(paths: readonly string[], { fps, fit, ...limits }: FramesOptions): Promise<MediaClip> {
  const selection = sampleFrames(paths.length, fps, fit);
  const numFrames = selection?.indices.length ?? paths.length;
  const chosen = [...(selection?.indices ?? paths.keys())];
  let native: FrameSize | null = null;
  let clip: MediaClip | null = null;
  let at = 0;
  for (const [i, path] of paths.entries()) {
    const picture = await decodeImage(path, limits);
    native ??= { height: picture.height, width: picture.width };
    requireSize(path, picture, native, i);
    const times = chosen.filter((index) => index === i).length;
    if (times === 0) continue;
    const size = fittedSize(picture, numFrames, fit);
    checkClipPixels(path, numFrames, size, limits);
    clip ??= {
      ...{ ...picture, ...size, numFrames, fps: numFrames === paths.length ? fps : selection!.fps },
      ...{ frames: new Uint8Array(numFrames * size.height * size.width * 3), durationSeconds: paths.length / fps },
    };
    const frame = fitFrame(picture.frames, picture, size, fit);
    for (let time = 0; time < times; time++, at += frame.length) clip.frames.set(frame, at);
  }
  return clip!;
}

function requireSize(path: string, got: FrameSize, first: FrameSize, index: number): void {
  if (got.width === first.width && got.height === first.height) return;
  throw new MediaError(
    "ERR_MEDIA_INVALID",
    path,
    `expected frame ${index} of ${first.width} x ${first.height} as the first, got ${got.width} x ${got.height}. Send frames of one size.`,
  );
}
