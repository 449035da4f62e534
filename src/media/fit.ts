// How a model looks at videos and pictures, as data: which frames, and within which range of pixels. A decoder that is told
// so resizes every frame as it comes, with the numbers that fitting the whole clip afterwards gives.

import type { MediaClip } from "./clip.ts";
import { resizeClip } from "./resize.ts";
import { resizeImage } from "./resize-image.ts";
import { type FrameSelection, type FrameSize, maxPixelsPerFrame, sampleFrames, smartResize } from "./sampling.ts";

/** Pixels that a picture may have, both ends included. */
export interface PixelRange {
  readonly minPixels: number;
  readonly maxPixels: number;
}

/** How a video is sampled and sized. */
export interface VideoFit {
  /** Frames per second, between two counts. */
  readonly fps: number;
  readonly minFrames: number;
  readonly maxFrames: number;
  /** Left out: frames keep their size. */
  readonly pixels?: PixelRange;
}

/** The clip at a model's frame rate and size. */
export function fitVideo(clip: MediaClip, fit: VideoFit): MediaClip {
  if (clip.numFrames === 0) return clip;
  const chosen = chooseFrames(clip, fit);
  return resizeClip(chosen, fittedSize(chosen, chosen.numFrames, fit));
}

/** The size that each of `numFrames` frames gets. @throws OppoError ERR_FRAME_SIZE */
export function fittedSize(size: FrameSize, numFrames: number, { pixels }: Pick<VideoFit, "pixels">): FrameSize {
  if (pixels === undefined) return { height: size.height, width: size.width };
  const { minPixels } = pixels;
  return smartResize(size, {
    minPixels,
    maxPixels: maxPixelsPerFrame(numFrames, { minPixels, maxPixels: pixels.maxPixels }),
  });
}

/** What is left of a selection once a model has sampled the selected frames again, as `fitVideo` does. */
export function refineSelection(selection: FrameSelection, fit: VideoFit): FrameSelection {
  const count = selection.indices.length;
  const again = sampleFrames(count, selection.fps, fit);
  if (again === null || again.indices.length === count) return selection;
  return { indices: again.indices.map((index) => selection.indices[index]!), fps: again.fps };
}

/** A picture in a range, resized as Pillow does it. @throws OppoError ERR_FRAME_SIZE */
export function fitPicture(picture: MediaClip, range: PixelRange): MediaClip {
  const size = smartResize(picture, range);
  return { ...picture, ...size, frames: resizeImage(picture.frames, picture, size) };
}

function chooseFrames(clip: MediaClip, fit: VideoFit): MediaClip {
  const selection = sampleFrames(clip.numFrames, clip.fps, fit);
  if (selection === null || selection.indices.length === clip.numFrames) return clip;
  const frameBytes = clip.height * clip.width * 3;
  const frames = new Uint8Array(selection.indices.length * frameBytes);
  selection.indices.forEach((index, i) => {
    frames.set(clip.frames.subarray(index * frameBytes, (index + 1) * frameBytes), i * frameBytes);
  });
  return { ...clip, frames, numFrames: selection.indices.length, fps: selection.fps };
}
