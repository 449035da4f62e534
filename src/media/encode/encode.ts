// Writes a clip as an mp4 that any browser plays: H.264 (yuv420p) and AAC, index in front of the data. The same input
// gives the same bytes. The file appears under its name when it is complete (written beside it, then renamed).

import { renameSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_LOG_QUIET,
  AV_PIX_FMT_YUV420P,
  AV_SAMPLE_FMT_FLTP,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AVFMT_FLAG_BITEXACT,
} from "node-av/constants";
import {
  type CodecContext,
  FormatContext,
  Frame,
  Log,
  Packet,
  type SoftwareScaleContext,
  type Stream,
} from "node-av/lib";
import { temporaryBeside } from "../../temporary-files.ts";
import {
  badArgument,
  checkEncoding,
  type EncodeInput,
  openAudioEncoder,
  openVideoEncoder,
  rgbToYuv,
} from "./encoders.ts";

export type { EncodeInput } from "./encoders.ts";

/**
 * Writes `path`, replacing a file of that name.
 *
 * @throws MediaError ERR_MEDIA_ARGUMENT, ERR_MEDIA_ENCODE, ERR_MEDIA_NO_SPACE, ERR_MEDIA_WRITE
 */
export async function encodeClip(path: string, input: EncodeInput): Promise<void> {
  checkInput(path, input);
  // FFmpeg's objects are released by finalizers, which run only when the event loop turns.
  await setImmediate();
  Log.setLevel(AV_LOG_QUIET);
  const partial = temporaryBeside(resolve(path));
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

function checkInput(path: string, { width, height, fps, sampleRateHz }: EncodeInput): void {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 2 || side % 2 !== 0) {
      throw badArgument(path, "an even width and height", `${width} x ${height}`);
    }
  }
  const rate = typeof fps === "number" ? fps : fps.num / fps.den;
  if (!(rate > 0 && rate <= 1000)) throw badArgument(path, "between 0 and 1000 frames per second", `${rate}`);
  if (!Number.isInteger(sampleRateHz)) throw badArgument(path, "a whole sample rate", `${sampleRateHz}`);
}
