// A video or audio file as arrays: the frames that the model looks at and the whole audio track as mono samples.
// A file without video gives no frames, one without audio an empty waveform; callers decide whether that is an error.

import { setImmediate } from "node:timers/promises";
import { AV_NOPTS_VALUE, AVERROR_EOF } from "node-av/constants";
import { FFmpegError, Packet, type Stream } from "node-av/lib";
import type { MediaClip } from "./clip.ts";
import {
  averageFps,
  checkDuration,
  containerDuration,
  isEndOfFile,
  type MediaContainer,
  openContainer,
  secondsPerTick,
} from "./decode/container.ts";
import { AudioReader, type SoundOptions } from "./decode/decode-audio.ts";
import {
  addToIndex,
  countFrames,
  decodeSelectedFrames,
  emptyPacketIndex,
  fewBroken,
  maxBrokenShare,
  type PacketIndex,
  presentationTimes,
  type VideoOptions,
} from "./decode/decode-video.ts";
import { shortfalls, statedLengths } from "./decode/stated-length.ts";
import { MediaError } from "./media-error.ts";
import { type FrameSamplingOptions, type FrameSelection, sampleFrames } from "./sampling.ts";

export interface DecodeOptions extends FrameSamplingOptions, VideoOptions, SoundOptions {
  /** Of the waveform. Default 16,000. */
  readonly sampleRateHz?: number;
  /** Leave pictures alone: the file stands for its sound, and a cover in it is no video. */
  readonly soundOnly?: boolean;
  /** Leaves some of the frames out that were chosen. */
  readonly refine?: (selection: FrameSelection) => FrameSelection;
}

/** A rate that is further off than this, and by more than a frame, is not the file's. */
const rateTolerance = 0.02;

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
  const { waveform, notices } = readSoundAndIndex(container, index, sampleRateHz, options);
  const soundSeconds = waveform.length / sampleRateHz;
  if (options.soundOnly === true || container.video === null || index.timestamps.length === 0) {
    const none = { frames: new Uint8Array(0), numFrames: 0, height: 0, width: 0, fps: 0 };
    return { ...none, waveform, sampleRateHz, durationSeconds: soundSeconds, ...noticesOf(notices) };
  }
  const { seconds, notices: ofVideo, ...video } = readVideo(path, index, options);
  const durationSeconds = Math.max(seconds, soundSeconds);
  return { ...video, waveform, sampleRateHz, durationSeconds, ...noticesOf([...notices, ...ofVideo]) };
}

function noticesOf(notices: readonly string[]): Pick<MediaClip, "notices"> {
  return notices.length === 0 ? {} : { notices };
}

function readVideo(path: string, index: PacketIndex, options: DecodeOptions) {
  const times = presentationTimes(index);
  const selected = times && selectFrames(path, index, options, { total: times.length, byCount: false });
  if (selected) return selected;
  // Files without usable time stamps, and those whose last frames do not decode: what decodes counts.
  const total = countByDecoding(path, options);
  requireMost(path, total, times?.length ?? 0);
  const counted = selectFrames(path, index, options, { total, byCount: true });
  if (counted === null)
    throw new MediaError("ERR_MEDIA_BROKEN", path, "expected the same frames twice. Make it again.");
  const missing = (times?.length ?? total) - total;
  const notices = missing <= fewBroken ? [] : [`video: ${missing} of ${times!.length} frames did not decode`];
  return { ...counted, notices: [...notices, ...counted.notices] };
}

interface FrameCount {
  readonly total: number;
  readonly byCount: boolean;
}

function selectFrames(path: string, index: PacketIndex, options: DecodeOptions, { total, byCount }: FrameCount) {
  using container = openContainer(path, options);
  const stream = container.video!;
  const spanSeconds = index.isTimed ? (index.endTick - index.firstTick) * secondsPerTick(stream) : 0;
  const stated = averageFps(stream);
  const fileFps = framesPerSecond(stated, total, spanSeconds || (stated === 0 ? containerDuration(container) : 0));
  const selection = sampleFrames(total, fileFps, options);
  if (selection === null) {
    throw new MediaError(
      "ERR_MEDIA_TOO_FEW_FRAMES",
      path,
      `expected at least ${options.numFrames ?? 2} video frames, got ${total}. Use a longer clip.`,
    );
  }
  const { indices, fps } = options.refine?.(selection) ?? selection;
  const selected = decodeSelectedFrames(container, stream, options, index, { indices, byCount });
  return selected && { ...selected, numFrames: indices.length, fps, seconds: spanSeconds || total / fileFps };
}

function requireMost(path: string, numDecoded: number, numStated: number): void {
  if (numStated - numDecoded <= Math.max(fewBroken, maxBrokenShare * numStated)) return;
  throw new MediaError(
    "ERR_MEDIA_BROKEN",
    path,
    `expected ${numStated} frames, got the end of the decodable frames after ${numDecoded}. Make the file again.`,
  );
}

/** A container's rate may be a guess from its first frames: where it disagrees with the time stamps, they count. */
function framesPerSecond(stated: number, totalFrames: number, seconds: number): number {
  if (seconds <= 0) return stated || totalFrames;
  const measured = totalFrames / seconds;
  if (stated === 0) return measured;
  const off = Math.abs(totalFrames / stated - seconds);
  return off > rateTolerance * seconds + 1 / stated ? measured : stated;
}

function countByDecoding(path: string, options: DecodeOptions): number {
  using container = openContainer(path, options);
  return countFrames(container, container.video!, options);
}

/**
 * Reads the file once: decodes the sound, and lists the packets of the video. Packets that FFmpeg calls damaged are decoded
 * too: where files are joined, or a length was not known when it was written, nothing is missing.
 */
function readSoundAndIndex(
  container: MediaContainer,
  index: PacketIndex,
  sampleRateHz: number,
  limits: SoundOptions,
): { readonly waveform: Float32Array; readonly notices: string[] } {
  const { format, path, video, audio } = container;
  const stated = statedLengths(container);
  using packet = new Packet();
  using reader = audio === null ? null : new AudioReader(container, sampleRateHz, limits, stated.sound);
  let soundEnd = 0;
  packet.alloc();
  let result = format.readFrameSync(packet);
  for (; !isEndOfFile(result, path); result = format.readFrameSync(packet)) {
    if (packet.streamIndex === video?.index) {
      addToIndex(index, packet, path);
      checkDuration(path, index.endTick * secondsPerTick(video), limits);
    } else if (packet.streamIndex === audio?.index) {
      if (packet.pts !== AV_NOPTS_VALUE) soundEnd = Math.max(soundEnd, Number(packet.pts + packet.duration));
      reader!.push(packet);
    }
    packet.unref();
  }
  const sound = reader?.finish() ?? { waveform: new Float32Array(0), numPackets: 0, numBroken: 0 };
  const found = {
    video: video === null ? 0 : videoSeconds(index, video),
    sound: sound.waveform.length / sampleRateHz + (audio === null ? 0 : startSeconds(audio)),
    sentSound: audio === null ? 0 : soundEnd * secondsPerTick(audio),
  };
  const notices = shortfalls(container, stated, found, video === null ? 0 : 1 / (averageFps(video) || 1));
  if (sound.numBroken > fewBroken)
    notices.push(`sound: ${sound.numBroken} of ${sound.numPackets} packets did not decode`);
  if (result !== AVERROR_EOF) notices.push(`file: reading stopped early (${FFmpegError.strerror(result)})`);
  return { waveform: sound.waveform, notices };
}

/** On the file's clock; without time stamps by counting. */
function videoSeconds(index: PacketIndex, stream: Stream): number {
  if (index.isTimed) return Math.max(0, index.endTick * secondsPerTick(stream));
  return index.timestamps.length / (averageFps(stream) || 1);
}

function startSeconds(stream: Stream): number {
  return stream.startTime === AV_NOPTS_VALUE ? 0 : Math.max(0, Number(stream.startTime) * secondsPerTick(stream));
}
