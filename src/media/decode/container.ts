// Opens a media file with FFmpeg, in this process (node-av), and tells what is in it. Everything FFmpeg says is turned
// into a MediaError here or by `check`. FFmpeg may open local files of known container types only: a playlist cannot
// make it fetch something else.

import { statSync } from "node:fs";
import { resolve } from "node:path";
import {
  AV_DISPOSITION_ATTACHED_PIC,
  AV_LOG_QUIET,
  AV_NOPTS_VALUE,
  AV_PKT_DATA_DISPLAYMATRIX,
  AVERROR_EOF,
  AVERROR_INVALIDDATA,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
} from "node-av/constants";
import { Codec, CodecContext, FFmpegError, FormatContext, Log, Packet, type Stream } from "node-av/lib";
import { MediaError, type MediaErrorCode } from "../media-error.ts";
import type { FrameSize } from "../sampling.ts";
import { matrixOrientation, type Orientation, shownSize, upright } from "./orientation.ts";

// Options are set on the contexts by name, never passed as a Dictionary: node-av 6.1 frees a dictionary that FFmpeg has
// already consumed, and the process aborts.
const containers =
  "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,mp3,wav,w64,flac,aac,aiff,amr,caf,gif,h264,hevc,ivf,mxf,rm,au,ac3,eac3,opus";

/** FFmpeg's decoders of what people have; the others are a large surface that nobody here needs. */
const codecs = [
  "h264 hevc av1 libdav1d vp8 vp9 mpeg1video mpeg2video mpegvideo mpeg4 msmpeg4v1 msmpeg4v2 msmpeg4 h263 flv wmv1 wmv2 wmv3 vc1",
  "rv30 rv40 mjpeg prores theora dnxhd dvvideo ffv1 ffvhuff huffyuv rawvideo gif png apng webp tiff bmp",
  "aac aac_latm mp1 mp1float mp2 mp2float mp3 mp3float ac3 eac3 dca flac alac opus libopus vorbis speex nellymoser cook",
  "wmav1 wmav2 wmapro wmalossless amrnb amrwb gsm gsm_ms g722 g726 adpcm_ms adpcm_ima_wav adpcm_ima_qt adpcm_swf",
  "pcm_alaw pcm_mulaw pcm_u8 pcm_s8 pcm_s8_planar pcm_s16le pcm_s16be pcm_s16le_planar pcm_s16be_planar pcm_u16le pcm_u16be",
  "pcm_s24le pcm_s24be pcm_s24le_planar pcm_u24le pcm_u24be pcm_s32le pcm_s32be pcm_s32le_planar pcm_u32le pcm_u32be",
  "pcm_s64le pcm_s64be pcm_f32le pcm_f32be pcm_f64le pcm_f64be pcm_bluray pcm_dvd",
].flatMap((line) => line.split(" "));

/** Larger frames than this are refused: 8K video, 100 MB as RGB. */
export const defaultMaxPixels = 7680 * 4320;
export const defaultMaxDurationSeconds = 3600;
/** An hour of 1080p at 60 frames per second. */
export const defaultMaxDecodedPixels = 3600 * 60 * 1920 * 1080;
/** 512 MiB as RGB: half of it is held again when it is passed on. */
export const defaultMaxClipPixels = Math.floor(2 ** 29 / 3);
/** Of all streams. A clip of an hour has half a million; a file of nothing but tiny packets has more. */
const maxPackets = 4_000_000;

export interface ReadLimits {
  /** A longer file is refused. Default one hour. */
  readonly maxDurationSeconds?: number;
  /** A file with larger frames (width times height) is refused. Default 7680 x 4320. */
  readonly maxPixels?: number;
  /** What the decoder may have to paint: pixels of all frames that it passes, shown or not. Default an hour of 1080p60. */
  readonly maxDecodedPixels?: number;
  /** Pixels of all frames that are kept, at the size that they are kept at. Default 512 MiB of RGB. */
  readonly maxClipPixels?: number;
}

/** What a file holds, from its headers only. */
export interface MediaInfo {
  /** FFmpeg's name of the container, such as `mov,mp4,m4a,3gp,3g2,mj2`. */
  readonly container: string;
  readonly sizeBytes: number;
  /** 0 where the container does not say. */
  readonly durationSeconds: number;
  readonly video: VideoStreamInfo | null;
  readonly audio: AudioStreamInfo | null;
}

/** The size is that of the pictures as they are shown. */
export interface VideoStreamInfo {
  readonly codec: string;
  readonly height: number;
  readonly width: number;
  /** 0 where the container does not say. */
  readonly fps: number;
  /** As the container counts them; 0 where it does not. */
  readonly numFrames: number;
}

export interface AudioStreamInfo {
  readonly codec: string;
  readonly sampleRateHz: number;
  readonly numChannels: number;
}

/** An open file. Close it with `using`. */
export class MediaContainer {
  readonly path: string;
  readonly format: FormatContext;
  readonly video: Stream | null;
  readonly audio: Stream | null;

  constructor(path: string, format: FormatContext) {
    this.path = path;
    this.format = format;
    this.video = bestStream(format, AVMEDIA_TYPE_VIDEO);
    this.audio = bestStream(format, AVMEDIA_TYPE_AUDIO);
  }

  [Symbol.dispose](): void {
    this.format.closeInputSync();
  }
}

/** Opens `path` and checks it against the limits. */
export function openContainer(path: string, limits: ReadLimits = {}): MediaContainer {
  const container = openUnchecked(path);
  try {
    checkStreams(container, limits);
    if (containerDuration(container) <= durationLimit(limits)) return container;
    requireShort(container, limits);
  } catch (error) {
    container[Symbol.dispose]();
    throw error;
  }
  // It was read to its end.
  container[Symbol.dispose]();
  return openUnchecked(path);
}

function openUnchecked(path: string): MediaContainer {
  const sizeBytes = fileSize(path);
  if (sizeBytes === 0) {
    throw new MediaError(
      "ERR_MEDIA_EMPTY",
      path,
      "expected a media file, got an empty file. Copy or download it again.",
    );
  }
  Log.setLevel(AV_LOG_QUIET);
  const format = new FormatContext();
  format.allocContext();
  format.setOption("protocol_whitelist", "file");
  format.setOption("format_whitelist", containers);
  format.setOption("codec_whitelist", codecs.join(","));
  const opened = format.openInputSync(`file:${resolve(path)}`);
  if (opened < 0) {
    const reason = FFmpegError.strerror(opened);
    throw new MediaError(
      "ERR_MEDIA_INVALID",
      path,
      `expected a video or audio file, got ${sizeBytes} bytes that FFmpeg cannot open (${reason}). Check that it is a media file and complete.`,
    );
  }
  try {
    check(format.findStreamInfoSync(null), "ERR_MEDIA_INVALID", path, "readable streams");
    return new MediaContainer(path, format);
  } catch (error) {
    format.closeInputSync();
    throw error;
  }
}

/** A file that states too long a length is refused once its packets reach the limit: the length may be a placeholder. */
function requireShort(container: MediaContainer, limits: ReadLimits): void {
  const { format, path } = container;
  const ends = new Map<number, number>();
  using packet = new Packet();
  packet.alloc();
  for (let count = 0; !isEndOfFile(format.readFrameSync(packet), path); count++) {
    checkPackets(path, count);
    const { streamIndex, duration } = packet;
    const seconds = Number(duration) * secondsPerTick(format.streams[streamIndex]!);
    const end = (ends.get(streamIndex) ?? 0) + seconds;
    ends.set(streamIndex, end);
    packet.unref();
    if (end > durationLimit(limits)) checkDuration(path, containerDuration(container), limits);
  }
}

/** How the video of a file stands; as it is coded where it says nothing. */
export function orientationOf(video: Stream): Orientation {
  return matrixOrientation(video.codecpar.getCodedSideData(AV_PKT_DATA_DISPLAYMATRIX) ?? new Uint8Array(0)) ?? upright;
}

/** What the headers of `path` say. No frame is decoded beyond what FFmpeg needs to know the streams. */
export async function probeClip(path: string, limits: ReadLimits = {}): Promise<MediaInfo> {
  using container = openContainer(path, limits);
  const { video, audio } = container;
  return {
    container: container.format.iformat?.name ?? "unknown",
    sizeBytes: fileSize(path),
    durationSeconds: containerDuration(container),
    video: video && {
      codec: codecName(video),
      ...shownSize(video.codecpar, orientationOf(video)),
      fps: averageFps(video),
      numFrames: Number(video.nbFrames),
    },
    audio: audio && {
      codec: codecName(audio),
      sampleRateHz: audio.codecpar.sampleRate,
      numChannels: audio.codecpar.channels,
    },
  };
}

/** Stated by the container, 0 where it is not. */
export function containerDuration(container: MediaContainer): number {
  const { duration } = container.format;
  return duration === AV_NOPTS_VALUE || duration <= 0n ? 0 : Number(duration) / 1e6;
}

/** Stated for this stream, 0 where it is not. */
export function streamDuration(stream: Stream): number {
  return stream.duration === AV_NOPTS_VALUE || stream.duration <= 0n
    ? 0
    : Number(stream.duration) * secondsPerTick(stream);
}

export function secondsPerTick(stream: Stream): number {
  return stream.timeBase.num / stream.timeBase.den;
}

/** Frames per second on average, 0 where unknown. */
export function averageFps(stream: Stream): number {
  const { num, den } = stream.avgFrameRate;
  return num > 0 && den > 0 ? num / den : 0;
}

/** A decoder for `stream`, single-threaded: clips are short, and callers run several processes. */
export function openDecoder(container: MediaContainer, stream: Stream, limits: ReadLimits = {}): CodecContext {
  const codec = Codec.findDecoder(stream.codecpar.codecId);
  if (codec === null || !codecs.includes(codec.name ?? "")) {
    throw new MediaError(
      "ERR_MEDIA_CODEC",
      container.path,
      `expected a usual codec, got ${codecName(stream)}. Convert the file to H.264 and AAC.`,
    );
  }
  const context = new CodecContext();
  context.allocContext3(codec);
  check(context.parametersToContext(stream.codecpar), "ERR_MEDIA_INVALID", container.path, "stream parameters");
  context.pktTimebase = stream.timeBase;
  context.threadCount = 1;
  context.setOption("max_pixels", String(limits.maxPixels ?? defaultMaxPixels));
  const opened = context.open2Sync(codec);
  if (opened < 0) {
    context.freeContext();
    check(opened, "ERR_MEDIA_CODEC", container.path, `a ${codecName(stream)} stream that FFmpeg can decode`);
  }
  return context;
}

/** Throws for a negative FFmpeg result. */
export function check(result: number, code: MediaErrorCode, path: string, expected: string): void {
  if (result >= 0) return;
  const reason = FFmpegError.strerror(result);
  throw new MediaError(
    code,
    path,
    `expected ${expected}, got FFmpeg error ${result} (${reason}). Make the file again.`,
  );
}

/**
 * True at the end of the data, false where reading goes on; throws for anything else. What FFmpeg does not understand ends
 * the data too: something stands behind them.
 */
export function isEndOfFile(result: number, path: string): boolean {
  if (result === AVERROR_EOF || result === AVERROR_INVALIDDATA) return true;
  check(result, "ERR_MEDIA_TRUNCATED", path, "data up to the stated end");
  return false;
}

function durationLimit(limits: ReadLimits): number {
  return limits.maxDurationSeconds ?? defaultMaxDurationSeconds;
}

export function checkDuration(path: string, seconds: number, limits: ReadLimits): void {
  const limit = durationLimit(limits);
  if (seconds > limit) {
    throw new MediaError(
      "ERR_MEDIA_TOO_LONG",
      path,
      `expected at most ${limit} s, got ${seconds.toFixed(1)} s. Cut the file, or raise maxDurationSeconds.`,
    );
  }
}

export function checkFrameSize(path: string, width: number, height: number, limits: ReadLimits): void {
  const limit = limits.maxPixels ?? defaultMaxPixels;
  if (width * height > limit) {
    throw new MediaError(
      "ERR_MEDIA_TOO_LARGE",
      path,
      `expected frames of at most ${limit} pixels, got ${width} x ${height}. Scale the video down, or raise maxPixels.`,
    );
  }
}

/** The price of a video, before or while it is paid. */
export function checkDecodedPixels(path: string, pixels: number, limits: ReadLimits): void {
  const limit = limits.maxDecodedPixels ?? defaultMaxDecodedPixels;
  if (pixels <= limit) return;
  throw new MediaError(
    "ERR_MEDIA_TOO_LARGE",
    path,
    `expected at most ${limit} pixels in all frames to decode, got ${pixels} or more. Cut the file, scale it down or lower its frame rate.`,
  );
}

export function checkClipPixels(path: string, numFrames: number, size: FrameSize, limits: ReadLimits): void {
  const limit = limits.maxClipPixels ?? defaultMaxClipPixels;
  if (numFrames * size.height * size.width <= limit) return;
  throw new MediaError(
    "ERR_MEDIA_TOO_LARGE",
    path,
    `expected at most ${limit} pixels in the frames that are kept, got ${numFrames} of ${size.width} x ${size.height}. Use a shorter clip, fewer frames or a smaller size.`,
  );
}

export function checkPackets(path: string, count: number): void {
  if (count <= maxPackets) return;
  throw new MediaError(
    "ERR_MEDIA_TOO_LARGE",
    path,
    `expected at most ${maxPackets} packets, got more. Make the file again, or cut it.`,
  );
}

function checkStreams(container: MediaContainer, limits: ReadLimits): void {
  const { path, video, audio } = container;
  if (video === null && audio === null) {
    throw new MediaError(
      "ERR_MEDIA_NO_STREAMS",
      path,
      "expected a video or an audio stream, got neither. Check that it is the right file.",
    );
  }
  if (video !== null) checkFrameSize(path, video.codecpar.width, video.codecpar.height, limits);
}

function bestStream(format: FormatContext, type: typeof AVMEDIA_TYPE_VIDEO | typeof AVMEDIA_TYPE_AUDIO): Stream | null {
  const index = format.findBestStream(type);
  const stream = index >= 0 ? format.streams[index] : undefined;
  // The picture on an album's cover is no video.
  if (stream === undefined || (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) !== 0) return null;
  return stream;
}

function codecName(stream: Stream): string {
  return Codec.findDecoder(stream.codecpar.codecId)?.name ?? `codec ${stream.codecpar.codecId}`;
}

function fileSize(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    throw new MediaError("ERR_MEDIA_NOT_FOUND", path, "expected a media file, got no such file. Check the path.");
  }
  if (!stats.isFile()) {
    throw new MediaError("ERR_MEDIA_INVALID", path, "expected a media file, got a folder or device. Check the path.");
  }
  return stats.size;
}
