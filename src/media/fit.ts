// How a model looks at videos and pictures and listens, as data: which frames, at which size, how much of the sound. A decoder
// that is told so resizes every frame as it comes, with the numbers that fitting the whole clip afterwards gives.

import type { MediaClip } from "./clip.ts";
import { createResizer, type FrameResizer, resizeClip, resizeFrames } from "./resize.ts";
import { resizeImage } from "./resize-image.ts";
import {
  type FrameSamplingOptions,
  type FrameSelection,
  type FrameSize,
  maxPixelsPerFrame,
  sampleFrames,
  smartResize,
} from "./sampling.ts";
import { fitSquare, type SquareFit } from "./square.ts";

/** Pixels that a picture may have, both ends included. */
export interface PixelRange {
  readonly minPixels: number;
  readonly maxPixels: number;
}

/** The size that a picture gets. */
export type PictureFit = PixelRange | SquareFit;

/** How the sound of a clip is heard. */
export interface SoundFit {
  /** The rest is left out, with a notice. */
  readonly maxSeconds: number;
  readonly stereo: StereoMix;
}

/** What becomes of two channels: their mean, or (L + R) / sqrt 2 as FFmpeg mixes to floats. */
export type StereoMix = "mean" | "power";

/** How a video is sampled and sized, and its sound heard. */
export interface VideoFit extends FrameSamplingOptions {
  /** Left out, as `square` is: frames keep their size. */
  readonly pixels?: PixelRange;
  /** Frames as pictures of one square size. */
  readonly square?: SquareFit;
  /** Left out: all of it, the mean of its channels. */
  readonly sound?: SoundFit;
}

/** The clip at a model's frame rate and size. */
export function fitVideo(clip: MediaClip, fit: VideoFit): MediaClip {
  const heard = fitSound(clip, fit);
  if (heard.numFrames === 0) return heard;
  return withFrames(chooseFrames(heard, fit), fit);
}

function withFrames(clip: MediaClip, fit: VideoFit): MediaClip {
  const size = fittedSize(clip, clip.numFrames, fit);
  if (fit.square === undefined) return resizeClip(clip, size);
  const inputSize = clip.height * clip.width * 3;
  const outputSize = size.height * size.width * 3;
  const frames = new Uint8Array(clip.numFrames * outputSize);
  for (let i = 0; i < clip.numFrames; i++) {
    frames.set(fitFrame(clip.frames.subarray(i * inputSize, (i + 1) * inputSize), clip, size, fit), i * outputSize);
  }
  return { ...clip, ...size, frames };
}

/** One frame at the size that `fittedSize` gave. */
export function fitFrame(pixels: Uint8Array, from: FrameSize, to: FrameSize, { square }: SizeFit): Uint8Array {
  return square === undefined ? resizeFrames(pixels, from, to) : fitSquare(pixels, from, square);
}

/** The clip with as much of its sound as the model hears. */
export function fitSound(clip: MediaClip, { sound }: Pick<VideoFit, "sound">): MediaClip {
  const most = Math.round((sound?.maxSeconds ?? Number.POSITIVE_INFINITY) * clip.sampleRateHz);
  if (clip.waveform.length <= most) return clip;
  const seconds = clip.waveform.length / clip.sampleRateHz;
  const notice = `sound: the first ${sound!.maxSeconds} s of ${seconds.toFixed(2)} s are heard`;
  return { ...clip, waveform: clip.waveform.slice(0, most), notices: [...(clip.notices ?? []), notice] };
}

type SizeFit = Pick<VideoFit, "pixels" | "square">;

/** The size that each of `numFrames` frames gets. @throws OppoError ERR_FRAME_SIZE */
export function fittedSize(size: FrameSize, numFrames: number, { pixels, square }: SizeFit): FrameSize {
  if (square !== undefined) return { height: square.side, width: square.side };
  if (pixels === undefined) return { height: size.height, width: size.width };
  const { minPixels } = pixels;
  return smartResize(size, {
    minPixels,
    maxPixels: maxPixelsPerFrame(numFrames, { minPixels, maxPixels: pixels.maxPixels }),
  });
}

/** The same for many frames. */
export function fittedResizer(from: FrameSize, to: FrameSize, { square }: SizeFit): FrameResizer {
  if (square === undefined) return createResizer(from, to);
  return (source, out) => out.set(fitSquare(source, from, square));
}

/** What is left of a selection once a model has sampled the selected frames again, as `fitVideo` does. */
export function refineSelection(selection: FrameSelection, fit: VideoFit): FrameSelection {
  if (fit.parts !== undefined) return selection;
  const count = selection.indices.length;
  const again = sampleFrames(count, selection.fps, fit);
  if (again === null || again.indices.length === count) return selection;
  return { indices: again.indices.map((index) => selection.indices[index]!), fps: again.fps };
}

/** A picture at a model's size, resized as Pillow does it. @throws OppoError ERR_FRAME_SIZE */
export function fitPicture(picture: MediaClip, fit: PictureFit): MediaClip {
  if ("side" in fit) {
    const size = { height: fit.side, width: fit.side };
    return { ...picture, ...size, frames: fitSquare(picture.frames, picture, fit) };
  }
  const size = smartResize(picture, fit);
  return { ...picture, ...size, frames: resizeImage(picture.frames, picture, size) };
}

function chooseFrames(clip: MediaClip, fit: VideoFit): MediaClip {
  const selection = sampleFrames(clip.numFrames, clip.fps, fit);
  if (
    selection === null ||
    selection.indices.every((index, i) => index === i && selection.indices.length === clip.numFrames)
  )
    return clip;
  const frameBytes = clip.height * clip.width * 3;
  const frames = new Uint8Array(selection.indices.length * frameBytes);
  selection.indices.forEach((index, i) => {
    frames.set(clip.frames.subarray(index * frameBytes, (index + 1) * frameBytes), i * frameBytes);
  });
  return { ...clip, frames, numFrames: selection.indices.length, fps: selection.fps };
}
