// The one way to media that somebody else made: each call is answered by a decoder's process, whose crashes, endless loops
// and giant allocations are errors of the file like any other. Aborting the signal ends the work at once.

import type { MediaClip } from "../clip.ts";
import type { MediaInfo, ReadLimits } from "../decode/container.ts";
import type { VideoFile, VideoShape } from "../remux.ts";
import { Decoders, defaultDecoderLimits } from "./decoders.ts";
import type { ClipOptions, FramesOptions, ImageOptions } from "./request.ts";

export type { ClipOptions, FramesOptions, ImageOptions } from "./request.ts";

/** Of this program. */
const decoders = new Decoders();

/** A video or audio file. @throws MediaError ERR_MEDIA_*, OppoError ERR_FRAME_SIZE */
export function decodeClip(path: string, options: ClipOptions = {}, signal?: AbortSignal): Promise<MediaClip> {
  return decoders.run({ kind: "clip", path, options }, signal);
}

/** Decodes a file as `decodeClip` does. */
export type DecodeClip = typeof decodeClip;

/** Decoders for a long reading of many files, which know nothing of the program's others. */
export interface OwnDecoders extends Disposable {
  readonly decodeClip: DecodeClip;
}

/** For a process to start, on a machine with much else to do. */
const startSeconds = 60;

/** @param count processes @param maxCpuSeconds of processor time per file; the clock may run twice as long, and for its start */
export function openDecoders(count: number, maxCpuSeconds: number): OwnDecoders {
  const maxSeconds = 2 * maxCpuSeconds + startSeconds;
  const own = new Decoders({ ...defaultDecoderLimits, maxCpuSeconds, maxSeconds }, count);
  return {
    decodeClip: (path, options = {}, signal) => own.run({ kind: "clip", path, options }, signal),
    [Symbol.dispose]: () => own[Symbol.dispose](),
  };
}

/** A picture: a clip of one frame without sound. @throws MediaError ERR_MEDIA_*, OppoError ERR_FRAME_SIZE */
export function decodeImage(path: string, options: ImageOptions = {}, signal?: AbortSignal): Promise<MediaClip> {
  return decoders.run({ kind: "image", path, options }, signal);
}

/** Pictures of one size as the frames of a clip. @throws MediaError ERR_MEDIA_*, OppoError ERR_FRAME_SIZE */
export function decodeFrames(
  paths: readonly string[],
  options: FramesOptions,
  signal?: AbortSignal,
): Promise<MediaClip> {
  return decoders.run({ kind: "frames", paths, options }, signal);
}

/** What the headers say. @throws MediaError ERR_MEDIA_* */
export function probeClip(path: string, options: ReadLimits = {}, signal?: AbortSignal): Promise<MediaInfo> {
  return decoders.run({ kind: "probe", path, options }, signal);
}

/** The video's own packets without the sound; null without a video. @throws MediaError ERR_MEDIA_* */
export function soundlessVideo(
  path: string,
  options: ReadLimits = {},
  signal?: AbortSignal,
): Promise<VideoFile | null> {
  return decoders.run({ kind: "soundless", path, options }, signal);
}

/** The shape of the video as it decodes; null without one. @throws MediaError ERR_MEDIA_* */
export function videoShape(path: string, options: ReadLimits = {}, signal?: AbortSignal): Promise<VideoShape | null> {
  return decoders.run({ kind: "shape", path, options }, signal);
}

/** A black video of that shape, as long as decoding one may take. @param path of the video that it stands for */
export function blackVideo(path: string, shape: VideoShape, signal?: AbortSignal): Promise<VideoFile> {
  return decoders.run({ kind: "black", path, shape }, signal);
}
