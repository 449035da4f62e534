// Media in the containers and codecs that people have and our encoder does not write: FFmpeg's own encoders behind a small
// function each for sound and video.
import assert from "node:assert/strict";
import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_FRAME_FLAG_INTERLACED,
  AV_FRAME_FLAG_TOP_FIELD_FIRST,
  AV_LOG_QUIET,
  AV_PIX_FMT_YUV420P,
  AV_PKT_DATA_DISPLAYMATRIX,
  AV_SAMPLE_FMT_FLTP,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AVFMT_FLAG_BITEXACT,
} from "node-av/constants";
import { Codec, CodecContext, FormatContext, Frame, Log, Packet, Rational, type Stream } from "node-av/lib";

export interface SoundTrack {
  /** FFmpeg's encoder, for float samples in planes: aac, libmp3lame, mp2 ... */
  readonly codec: string;
  readonly sampleFormat?: number;
  readonly waveform: Float32Array;
  readonly rateHz: number;
}

export interface VideoTrack {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** Planes of yuv420p per frame: luma [height, width], two chroma of half the sides. */
  readonly frames: readonly (readonly [luma: Uint8Array, blue: Uint8Array, red: Uint8Array])[];
  readonly options?: Readonly<Record<string, string>>;
  readonly isInterlaced?: boolean;
  /** (a b u, c d v, x y w) in 16.16 fixed point. */
  readonly displayMatrix?: readonly number[];
  readonly colours?: { readonly primaries: number; readonly transfer: number; readonly matrix: number };
  /** Of frame i, in frames; default i. */
  readonly timeOf?: (index: number) => number;
}

export interface MediaFile {
  /** FFmpeg's muxer: mpegts, matroska, adts, mp3 ... */
  readonly format: string;
  readonly sound?: SoundTrack;
  readonly video?: VideoTrack;
  readonly options?: Readonly<Record<string, string>>;
}

const ok = (result: number, what: string) => assert.ok(result >= 0, `${what}: FFmpeg error ${result}`);

/** Writes `path`. */
export function writeMedia(path: string, { format, sound, video, options = {} }: MediaFile): void {
  Log.setLevel(AV_LOG_QUIET);
  const file = new FormatContext();
  ok(file.allocOutputContext2(null, format, `file:${path}`), format);
  const add = (context: CodecContext): Track => {
    const stream = file.newStream();
    stream.timeBase = context.timeBase;
    ok(stream.codecpar.fromContext(context), "parameters");
    return { context, stream };
  };
  const picture = video === undefined ? null : add(videoEncoder(video));
  const voice = sound === undefined ? null : add(soundEncoder(sound));
  if (picture !== null && video?.displayMatrix !== undefined) {
    const matrix = Buffer.from(Int32Array.from(video.displayMatrix).buffer);
    ok(picture.stream.codecpar.addCodedSideData(AV_PKT_DATA_DISPLAYMATRIX, matrix), "a display matrix");
  }
  file.setFlags(AVFMT_FLAG_BITEXACT);
  for (const [name, value] of Object.entries(options)) file.setOption(name, value);
  ok(file.openOutputSync(), path);
  ok(file.writeHeaderSync(), "a header");
  if (picture !== null) writeFrames(file, picture, video!);
  if (voice !== null) writeSamples(file, voice, sound!);
  ok(file.writeTrailerSync(), "a trailer");
  file.closeOutputSync();
}

interface Track {
  readonly context: CodecContext;
  readonly stream: Stream;
}

function videoEncoder({ codec: name, width, height, fps, options = {}, colours }: VideoTrack): CodecContext {
  const codec = Codec.findEncoderByName(name as never);
  const context = new CodecContext();
  context.allocContext3(codec);
  Object.assign(context, { width, height, pixelFormat: AV_PIX_FMT_YUV420P, threadCount: 1, maxBFrames: 0 });
  context.timeBase = new Rational(1, fps);
  context.framerate = new Rational(fps, 1);
  if (colours !== undefined) {
    const { primaries, transfer, matrix } = colours;
    Object.assign(context, { colorPrimaries: primaries, colorTrc: transfer, colorSpace: matrix });
  }
  if (name === "libx264") context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  for (const [key, value] of Object.entries(options)) context.setOption(key, value);
  ok(context.open2Sync(codec), name);
  return context;
}

function soundEncoder({ codec: name, rateHz, sampleFormat = AV_SAMPLE_FMT_FLTP }: SoundTrack): CodecContext {
  const codec = Codec.findEncoderByName(name as never);
  const context = new CodecContext();
  context.allocContext3(codec);
  Object.assign(context, { sampleRate: rateHz, sampleFormat, channelLayout: AV_CHANNEL_LAYOUT_MONO });
  context.bitRate = 64000n;
  context.timeBase = new Rational(1, rateHz);
  ok(context.open2Sync(codec), name);
  return context;
}

function writeFrames(file: FormatContext, track: Track, video: VideoTrack): void {
  const { width, height, isInterlaced, timeOf = (index) => index } = video;
  for (const [i, planes] of video.frames.entries()) {
    using frame = new Frame();
    frame.alloc();
    Object.assign(frame, { width, height, format: AV_PIX_FMT_YUV420P });
    ok(frame.getBuffer(0), "memory");
    planes.forEach((plane, p) => {
      const [stride, rowBytes] = [frame.linesize[p]!, p === 0 ? width : Math.ceil(width / 2)];
      for (let y = 0; y * rowBytes < plane.length; y++) {
        frame.data![p]!.set(plane.subarray(y * rowBytes, (y + 1) * rowBytes), y * stride);
      }
    });
    if (isInterlaced) frame.setFlags(AV_FRAME_FLAG_INTERLACED, AV_FRAME_FLAG_TOP_FIELD_FIRST);
    frame.pts = BigInt(timeOf(i));
    send(file, track, frame);
  }
  send(file, track, null);
}

function writeSamples(file: FormatContext, track: Track, { waveform, rateHz, sampleFormat }: SoundTrack): void {
  const size = track.context.frameSize || 1024;
  for (let start = 0; start < waveform.length; start += size) {
    const samples = waveform.slice(start, start + size);
    using frame = new Frame();
    frame.alloc();
    Object.assign(frame, { format: sampleFormat ?? AV_SAMPLE_FMT_FLTP, nbSamples: samples.length, sampleRate: rateHz });
    frame.channelLayout = AV_CHANNEL_LAYOUT_MONO;
    ok(frame.getBuffer(0), "memory");
    const values = sampleFormat === undefined ? samples : Int16Array.from(samples, (x) => Math.round(x * 32767));
    frame.data![0]!.set(new Uint8Array(values.buffer));
    frame.pts = BigInt(start);
    send(file, track, frame);
  }
  send(file, track, null);
}

function send(file: FormatContext, { context, stream }: Track, frame: Frame | null): void {
  ok(context.sendFrameSync(frame), "an encoder");
  using packet = new Packet();
  packet.alloc();
  for (;;) {
    const result = context.receivePacketSync(packet);
    if (result === AVERROR_EAGAIN || result === AVERROR_EOF) return;
    ok(result, "a packet");
    if (packet.duration === 0n) packet.duration = 1n;
    packet.streamIndex = stream.index;
    packet.rescaleTs(context.timeBase, stream.timeBase);
    ok(file.interleavedWriteFrameSync(packet), "a packet in the file");
  }
}

/** Frame i of one colour, so that it can be told. */
export function plainFrames(width: number, height: number, count: number, lumaOf = (i: number) => 30 + 4 * i) {
  const chroma = Math.ceil(width / 2) * Math.ceil(height / 2);
  return Array.from({ length: count }, (_, i): [Uint8Array, Uint8Array, Uint8Array] => [
    new Uint8Array(width * height).fill(lumaOf(i)),
    new Uint8Array(chroma).fill(128),
    new Uint8Array(chroma).fill(128),
  ]);
}
