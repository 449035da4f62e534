// The encoders of a clip: x264 and AAC with settings that make any browser play the result, and the conversion to YUV.

import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_PIX_FMT_RGB24,
  AV_PIX_FMT_RGBA,
  AV_PIX_FMT_YUV420P,
  AV_SAMPLE_FMT_FLTP,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_SMPTE170M,
  FF_ENCODER_AAC,
  FF_ENCODER_LIBX264,
  SWS_ACCURATE_RND,
  SWS_BILINEAR,
  SWS_BITEXACT,
} from "node-av/constants";
import { Codec, CodecContext, FFmpegError, Rational, SoftwareScaleContext } from "node-av/lib";
import { MediaError } from "../media-error.ts";

export interface EncodeInput {
  /** Both even. */
  readonly width: number;
  readonly height: number;
  /** Frames per second, or exactly so as a fraction. */
  readonly fps: number | { readonly num: number; readonly den: number };
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

export function openVideoEncoder(
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

export function openAudioEncoder(path: string, { sampleRateHz, audioBitRate = 64000 }: EncodeInput): CodecContext {
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

export function rgbToYuv(path: string, width: number, height: number, bytesPerPixel: number): SoftwareScaleContext {
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
function frameRate(fps: EncodeInput["fps"]): Rational {
  if (typeof fps !== "number") return new Rational(fps.num, fps.den);
  if (Number.isInteger(fps)) return new Rational(fps, 1);
  const ntsc = Math.round(fps * 1.001);
  if (Math.abs((ntsc * 1000) / 1001 - fps) < 0.005) return new Rational(ntsc * 1000, 1001);
  return new Rational(Math.round(fps * 1000), 1000);
}

export function badArgument(path: string, expected: string, got: string): MediaError {
  return new MediaError("ERR_MEDIA_ARGUMENT", path, `expected ${expected}, got ${got}. Change the input.`);
}

export function checkEncoding(result: number, path: string, expected: string): void {
  if (result >= 0) return;
  const reason = FFmpegError.strerror(result);
  if (/no space left|file too large|quota/i.test(reason)) {
    throw new MediaError(
      "ERR_MEDIA_NO_SPACE",
      path,
      `expected room for the file, got "${reason}". Free some disk space.`,
    );
  }
  const code = /permission|no such file|read-only|is a directory/i.test(reason)
    ? "ERR_MEDIA_WRITE"
    : "ERR_MEDIA_ENCODE";
  throw new MediaError(
    code,
    path,
    `expected ${expected}, got FFmpeg error ${result} (${reason}). Check path and input.`,
  );
}
