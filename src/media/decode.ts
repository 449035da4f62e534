// A video or audio file as arrays: the frames that the model looks at and the whole audio track as mono samples.
// A file without video gives no frames, one without audio an empty waveform; callers decide whether that is an error.

import { setImmediate } from "node:timers/promises";
import { AV_PKT_FLAG_CORRUPT } from "node-av/constants";
import { Packet } from "node-av/lib";
import type { MediaClip } from "./clip.ts";
import {
  averageFps,
  checkDuration,
  containerDuration,
  isEndOfFile,
  type MediaContainer,
  openContainer,
  type ReadLimits,
  secondsPerTick,
  streamDuration,
} from "./container.ts";
import { AudioReader } from "./decode-audio.ts";
import {
  addToIndex,
  countFrames,
  decodeSelectedFrames,
  emptyPacketIndex,
  type PacketIndex,
  presentationTimes,
  type VideoOptions,
} from "./decode-video.ts";
import { MediaError } from "./media-error.ts";
import { type FrameSamplingOptions, type FrameSelection, sampleFrames } from "./sampling.ts";

export interface DecodeOptions extends FrameSamplingOptions, VideoOptions {
  /** Of the waveform. Default 16,000. */
  readonly sampleRateHz?: number;
  /** Leave pictures alone: the file stands for its sound, and a cover in it is no video. */
  readonly soundOnly?: boolean;
  /** Leaves some of the frames out that were chosen. */
  readonly refine?: (selection: FrameSelection) => FrameSelection;
}

/** So much may be missing at the end of a stream before the file counts as cut off, besides 2 % of its length. */
const missingSecondsAllowed = 0.25;
const missingShareAllowed = 0.02;

/**
 * Decodes `path`. Frames are chosen as qwen-omni-utils does, and keep their size unless `fit` says otherwise.
 *
 * @throws MediaError ERR_MEDIA_NOT_FOUND, ERR_MEDIA_EMPTY, ERR_MEDIA_INVALID, ERR_MEDIA_NO_STREAMS, ERR_MEDIA_CODEC,
 *   ERR_MEDIA_TRUNCATED, ERR_MEDIA_BROKEN, ERR_MEDIA_TOO_FEW_FRAMES, ERR_MEDIA_TOO_LONG, ERR_MEDIA_TOO_LARGE
 */
export async function decodeClip(path: string, options: DecodeOptions = {}): Promise<MediaClip> {
  const sampleRateHz = options.sampleRateHz ?? 16000;
  // FFmpeg's objects are released by finalizers, which run only when the event loop turns.
  await setImmediate();
  const index = emptyPacketIndex();
  using container = openContainer(path, options);
  const waveform = readAudioAndIndex(container, index, sampleRateHz, options);
  const durationSeconds = containerDuration(container) || waveform.length / sampleRateHz;
  if (options.soundOnly === true || container.video === null || index.timestamps.length === 0) {
    return {
      frames: new Uint8Array(0),
      numFrames: 0,
      height: 0,
      width: 0,
      fps: 0,
      waveform,
      sampleRateHz,
      durationSeconds,
    };
  }
  const video = readVideo(path, index, durationSeconds, options);
  return { ...video, waveform, sampleRateHz };
}

function readVideo(path: string, index: PacketIndex, durationSeconds: number, options: DecodeOptions) {
  const totalFrames = index.isTimed ? presentationTimes(index).length : countByDecoding(path, options);
  using container = openContainer(path, options);
  const stream = container.video!;
  const fileFps = averageFps(stream) || totalFrames / (durationSeconds || 1);
  const selection = sampleFrames(totalFrames, fileFps, options);
  if (selection === null) {
    throw new MediaError(
      "ERR_MEDIA_TOO_FEW_FRAMES",
      path,
      `expected at least ${options.numFrames ?? 2} video frames, got ${totalFrames}. Use a longer clip.`,
    );
  }
  const { indices, fps } = options.refine?.(selection) ?? selection;
  const selected = decodeSelectedFrames(container, stream, options, index, indices);
  return {
    ...selected,
    numFrames: indices.length,
    fps,
    // A bare stream of pictures states no duration.
    durationSeconds: durationSeconds || totalFrames / fileFps,
  };
}

function countByDecoding(path: string, options: DecodeOptions): number {
  using container = openContainer(path, options);
  return countFrames(container, container.video!, options);
}

/** Reads the file once: decodes the audio, and lists the packets of the video. */
function readAudioAndIndex(
  container: MediaContainer,
  index: PacketIndex,
  sampleRateHz: number,
  limits: ReadLimits,
): Float32Array {
  const { format, path, video, audio } = container;
  using packet = new Packet();
  using reader = audio === null ? null : new AudioReader(container, sampleRateHz, limits);
  const videoEnd = { seconds: 0, stated: video === null ? 0 : streamDuration(video) };
  const audioEnd = { seconds: 0, stated: audio === null ? 0 : streamDuration(audio) };
  packet.alloc();
  while (!isEndOfFile(format.readFrameSync(packet), path)) {
    if ((packet.flags & AV_PKT_FLAG_CORRUPT) !== 0) throw truncated(path, "a damaged packet");
    if (packet.streamIndex === video?.index) {
      addToIndex(index, packet, path);
      videoEnd.seconds = Math.max(videoEnd.seconds, endSeconds(packet, video));
      checkDuration(path, videoEnd.seconds, limits);
    } else if (packet.streamIndex === audio?.index) {
      audioEnd.seconds = Math.max(audioEnd.seconds, endSeconds(packet, audio));
      reader!.push(packet);
    }
    packet.unref();
  }
  // Only containers that list their packets (mp4, mov) state exact durations.
  if (format.iformat?.name?.startsWith("mov") === true) {
    for (const end of [videoEnd, audioEnd]) {
      const missing = end.stated - end.seconds;
      if (missing > missingSecondsAllowed + missingShareAllowed * end.stated) {
        throw truncated(path, `the end at ${end.seconds.toFixed(2)} s of ${end.stated.toFixed(2)} s`);
      }
    }
  }
  return reader?.finish() ?? new Float32Array(0);
}

function endSeconds(packet: Packet, stream: NonNullable<MediaContainer["video"]>): number {
  return Number(packet.pts + packet.duration) * secondsPerTick(stream);
}

function truncated(path: string, got: string): MediaError {
  return new MediaError(
    "ERR_MEDIA_TRUNCATED",
    path,
    `expected a complete file, got ${got}. It was cut off; copy or download it again.`,
  );
}
