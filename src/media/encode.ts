// Writes a clip as an mp4 that any browser plays: H.264 (yuv420p) and AAC, index in front of the data. The same input
// gives the same bytes. The file appears under its name when it is complete (written beside it, then renamed).

import { renameSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_LOG_QUIET,
  AV_PIX_FMT_RGB24,
  AV_PIX_FMT_RGBA,
  AV_PIX_FMT_YUV420P,
  AV_SAMPLE_FMT_FLTP,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_SMPTE170M,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AVFMT_FLAG_BITEXACT,
  FF_ENCODER_AAC,
  FF_ENCODER_LIBX264,
  SWS_ACCURATE_RND,
  SWS_BILINEAR,
  SWS_BITEXACT,
} from "node-av/constants";
import {
  Codec,
  CodecContext,
  FFmpegError,
  FormatContext,
  Frame,
  Log,
  Packet,
  Rational,
  SoftwareScaleContext,
  type Stream,
} from "node-av/lib";
import { MediaError } from "./media-error.ts";

export interface EncodeInput {
  /** Both even. */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** RGB24 or RGBA, row-major, one array per frame. An array may be reused for the next frame. */
  readonly frames: Iterable<Uint8Array>;
  /** Mono, [-1, 1]. Empty: no audio stream. */
  readonly waveform: Float32Array;
  readonly sampleRateHz: number;
  /** Quality of x264, 0 (best) to 51. Default 20. */
  readonly crf?: number;
  /** Speed of x264. Default ultrafast. */
  readonly preset?: "ultrafast" | "superfast" | "veryfast" | "faster" | "fast" | "medium";
  /** Bits per second of the AAC stream. Default 64,000. */
  readonly audioBitRate?: number;
}

/**
 * Writes `path`, replacing a file of that name.
 *
 * @throws MediaError media-argument, media-encode, media-no-space, media-write
 */
export async function encodeClip(path: string, input: EncodeInput): Promise<void> {
  checkInput(path, input);
  // FFmpeg's objects are released by finalizers, which run only when the event loop turns.
  await setImmediate();
  Log.setLevel(AV_LOG_QUIET);
  const partial = `${resolve(path)}.${process.pid}.part`;
  try {
    using file = new Mp4Writer(path, partial, input);
    file.writeAll(input);
    file.finish();
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

class Mp4Writer {
  readonly #path: string;
  readonly #format = new FormatContext();
  readonly #packet = new Packet();
  readonly #video: { context: CodecContext; stream: Stream };
  readonly #audio: { context: CodecContext; stream: Stream } | null;
  #isOpen = false;

  constructor(path: string, partial: string, input: EncodeInput) {
    this.#path = path;
    this.#packet.alloc();
    this.#check(this.#format.allocOutputContext2(null, "mp4", `file:${partial}`), "an mp4 writer");
    this.#video = this.#addStream(openVideoEncoder(path, input));
    this.#audio = input.waveform.length === 0 ? null : this.#addStream(openAudioEncoder(path, input));
    this.#format.setFlags(AVFMT_FLAG_BITEXACT);
    this.#format.setOption("movflags", "+faststart");
    this.#check(this.#format.openOutputSync(), "a file that can be written");
    this.#isOpen = true;
    this.#check(this.#format.writeHeaderSync(), "room for the header");
  }

  writeAll(input: EncodeInput): void {
    this.#writeFrames(input);
    if (this.#audio !== null) this.#writeWaveform(input.waveform, input.sampleRateHz);
  }

  finish(): void {
    this.#check(this.#format.writeTrailerSync(), "room for the end of the file");
    this.#close();
  }

  [Symbol.dispose](): void {
    this.#close();
    this.#packet.free();
    this.#video.context.freeContext();
    this.#audio?.context.freeContext();
    this.#format.freeContext();
  }

  #close(): void {
    if (this.#isOpen) this.#format.closeOutputSync();
    this.#isOpen = false;
  }

  #addStream(context: CodecContext): { context: CodecContext; stream: Stream } {
    const stream = this.#format.newStream();
    stream.timeBase = context.timeBase;
    this.#check(stream.codecpar.fromContext(context), "stream parameters");
    return { context, stream };
  }

  #writeFrames({ width, height, frames }: EncodeInput): void {
    const { context } = this.#video;
    using yuv = new Frame();
    yuv.alloc();
    yuv.width = width;
    yuv.height = height;
    yuv.format = AV_PIX_FMT_YUV420P;
    this.#check(yuv.getBuffer(0), "memory for one frame");
    // Asked for once: every call makes new Buffers over the same memory.
    let planes = yuv.data!;
    const strides = yuv.linesize.slice(0, 3);
    let scaler: SoftwareScaleContext | null = null;
    let bytesPerPixel = 0;
    let count = 0;
    try {
      for (const pixels of frames) {
        if (scaler === null) {
          bytesPerPixel = pixels.length / (width * height);
          scaler = rgbToYuv(this.#path, width, height, bytesPerPixel);
        }
        if (pixels.length !== width * height * bytesPerPixel) {
          throw badArgument(
            this.#path,
            `frames of ${width * height * bytesPerPixel} bytes`,
            `${pixels.length} in frame ${count}`,
          );
        }
        if (!yuv.isWritable) {
          this.#check(yuv.makeWritable(), "memory for one frame");
          planes = yuv.data!;
        }
        const source = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.length);
        const stride = width * bytesPerPixel;
        this.#check(scaler.scaleSync([source], [stride], 0, height, planes, strides), "a frame that converts to YUV");
        yuv.pts = BigInt(count++);
        this.#send(this.#video, yuv);
      }
    } finally {
      scaler?.freeContext();
    }
    if (count === 0) throw badArgument(this.#path, "at least one frame", "none");
    this.#check(context.sendFrameSync(null), "an encoder that ends");
    this.#writePackets(this.#video);
  }

  #writeWaveform(waveform: Float32Array, sampleRateHz: number): void {
    const { context } = this.#audio!;
    using frame = new Frame();
    frame.alloc();
    for (let start = 0; start < waveform.length; start += context.frameSize) {
      const samples = waveform.subarray(start, start + context.frameSize);
      frame.unref();
      frame.format = AV_SAMPLE_FMT_FLTP;
      frame.nbSamples = samples.length;
      frame.sampleRate = sampleRateHz;
      frame.channelLayout = AV_CHANNEL_LAYOUT_MONO;
      this.#check(frame.getBuffer(0), "memory for audio");
      Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength).copy(frame.data![0]!);
      frame.pts = BigInt(start);
      this.#send(this.#audio!, frame);
    }
    this.#check(context.sendFrameSync(null), "an encoder that ends");
    this.#writePackets(this.#audio!);
  }

  #send(track: { context: CodecContext; stream: Stream }, frame: Frame): void {
    this.#check(track.context.sendFrameSync(frame), "a frame that the encoder takes");
    this.#writePackets(track);
  }

  #writePackets({ context, stream }: { context: CodecContext; stream: Stream }): void {
    for (;;) {
      const result = context.receivePacketSync(this.#packet);
      if (result === AVERROR_EAGAIN || result === AVERROR_EOF) return;
      this.#check(result, "an encoded packet");
      // Without a duration the last frame would not count, and players would drop it.
      if (this.#packet.duration === 0n) this.#packet.duration = 1n;
      this.#packet.streamIndex = stream.index;
      this.#packet.rescaleTs(context.timeBase, stream.timeBase);
      this.#check(this.#format.interleavedWriteFrameSync(this.#packet), "room for a packet");
    }
  }

  #check(result: number, expected: string): void {
    checkEncoding(result, this.#path, expected);
  }
}

function openVideoEncoder(
  path: string,
  { width, height, fps, crf = 20, preset = "ultrafast" }: EncodeInput,
): CodecContext {
  const codec = Codec.findEncoderByName(FF_ENCODER_LIBX264);
  const context = new CodecContext();
  context.allocContext3(codec);
  context.width = width;
  context.height = height;
  context.pixelFormat = AV_PIX_FMT_YUV420P;
  const rate = frameRate(fps);
  context.timeBase = new Rational(rate.den, rate.num);
  context.framerate = rate;
  context.colorRange = AVCOL_RANGE_MPEG;
  context.colorSpace = AVCOL_SPC_SMPTE170M;
  // One thread: callers run several processes, and the bytes do not depend on the machine.
  context.threadCount = 1;
  context.maxBFrames = 0;
  context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  context.setOption("preset", preset);
  context.setOption("crf", String(crf));
  checkEncoding(context.open2Sync(codec), path, "an H.264 encoder for this size and rate");
  return context;
}

function openAudioEncoder(path: string, { sampleRateHz, audioBitRate = 64000 }: EncodeInput): CodecContext {
  const codec = Codec.findEncoderByName(FF_ENCODER_AAC);
  const context = new CodecContext();
  context.allocContext3(codec);
  context.sampleRate = sampleRateHz;
  context.sampleFormat = AV_SAMPLE_FMT_FLTP;
  context.channelLayout = AV_CHANNEL_LAYOUT_MONO;
  context.bitRate = BigInt(audioBitRate);
  context.timeBase = new Rational(1, sampleRateHz);
  context.threadCount = 1;
  context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  context.setOption("aac_coder", "fast");
  checkEncoding(context.open2Sync(codec), path, `an AAC encoder for ${sampleRateHz} Hz`);
  return context;
}

function rgbToYuv(path: string, width: number, height: number, bytesPerPixel: number): SoftwareScaleContext {
  if (bytesPerPixel !== 3 && bytesPerPixel !== 4) {
    throw badArgument(path, "frames of 3 (RGB) or 4 (RGBA) bytes per pixel", `${bytesPerPixel}`);
  }
  const format = bytesPerPixel === 3 ? AV_PIX_FMT_RGB24 : AV_PIX_FMT_RGBA;
  const flags = (SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT) as typeof SWS_BILINEAR;
  const scaler = new SoftwareScaleContext();
  scaler.getContext(width, height, format, width, height, AV_PIX_FMT_YUV420P, flags);
  return scaler;
}

/** 25, 12.5 and 29.97 as exact fractions; other rates to a millionth. */
function frameRate(fps: number): Rational {
  if (Number.isInteger(fps)) return new Rational(fps, 1);
  const ntsc = Math.round(fps * 1.001);
  if (Math.abs((ntsc * 1000) / 1001 - fps) < 0.005) return new Rational(ntsc * 1000, 1001);
  return new Rational(Math.round(fps * 1000), 1000);
}

function checkInput(path: string, { width, height, fps, sampleRateHz }: EncodeInput): void {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 2 || side % 2 !== 0) {
      throw badArgument(path, "an even width and height", `${width} x ${height}`);
    }
  }
  if (!(fps > 0 && fps <= 1000)) throw badArgument(path, "between 0 and 1000 frames per second", `${fps}`);
  if (!Number.isInteger(sampleRateHz)) throw badArgument(path, "a whole sample rate", `${sampleRateHz}`);
}

function badArgument(path: string, expected: string, got: string): MediaError {
  return new MediaError("media-argument", path, `expected ${expected}, got ${got}. Change the input.`);
}

function checkEncoding(result: number, path: string, expected: string): void {
  if (result >= 0) return;
  const reason = FFmpegError.strerror(result);
  if (/no space left|file too large|quota/i.test(reason)) {
    throw new MediaError("media-no-space", path, `expected room for the file, got "${reason}". Free some disk space.`);
  }
  const code = /permission|no such file|read-only|is a directory/i.test(reason) ? "media-write" : "media-encode";
  throw new MediaError(
    code,
    path,
    `expected ${expected}, got FFmpeg error ${result} (${reason}). Check path and input.`,
  );
}
