// The selected frames of a video as RGB. Two readings: the index of all packets (made while the audio is decoded), then
// the frames. Groups of pictures without a selected frame are skipped, frames that are not selected are never converted.

import {
  AV_NOPTS_VALUE,
  AV_PIX_FMT_RGB24,
  AV_PKT_FLAG_DISCARD,
  AVERROR_EAGAIN,
  AVERROR_ENOMEM,
  AVERROR_EOF,
  FF_DECODE_ERROR_INVALID_BITSTREAM,
  FF_DECODE_ERROR_MISSING_REFERENCE,
} from "node-av/constants";
import { type CodecContext, Frame, Packet, SoftwareScaleContext, type Stream } from "node-av/lib";
import {
  check,
  checkClipPixels,
  checkDecodedPixels,
  checkFrameSize,
  checkPackets,
  isEndOfFile,
  type MediaContainer,
  openDecoder,
  type ReadLimits,
} from "./container.ts";
import { MediaError } from "./media-error.ts";
import { createResizer, type FrameResizer } from "./resize.ts";
import type { FrameSize } from "./sampling.ts";

/** All packets of a video stream in the order of the file. */
export interface PacketIndex {
  /** Presentation time stamps, in ticks. */
  readonly timestamps: number[];
  readonly isKey: boolean[];
  /** False for packets that the container wants decoded but not shown. */
  readonly isShown: boolean[];
  /** False where a packet has no time stamp: then frames can only be counted. */
  isTimed: boolean;
}

/** The size that frames are brought to, given their own and how many there are. */
export type FitFrames = (size: FrameSize, numFrames: number) => FrameSize;

export interface VideoOptions extends ReadLimits {
  /** Default: frames keep their size. Saves memory where frames are large and many. */
  readonly fit?: FitFrames;
}

export interface SelectedFrames {
  /** RGB, row-major [frames, height, width, 3]. */
  readonly frames: Uint8Array;
  readonly height: number;
  readonly width: number;
}

export function emptyPacketIndex(): PacketIndex {
  return { timestamps: [], isKey: [], isShown: [], isTimed: true };
}

/** @param path for the error when there are too many */
export function addToIndex(index: PacketIndex, packet: Packet, path: string): void {
  checkPackets(path, index.timestamps.length);
  if (packet.pts === AV_NOPTS_VALUE) index.isTimed = false;
  index.timestamps.push(Number(packet.pts));
  index.isKey.push(packet.isKeyframe);
  index.isShown.push((packet.flags & AV_PKT_FLAG_DISCARD) === 0);
}

/** The time stamps of the shown frames in the order they are shown: frame i has the i-th. */
export function presentationTimes(index: PacketIndex): Float64Array {
  const shown = index.timestamps.filter((_, i) => index.isShown[i]);
  return Float64Array.from(new Set(shown)).sort();
}

/** Counts by decoding, for files whose packets carry no time stamps. */
export function countFrames(container: MediaContainer, stream: Stream, limits: ReadLimits): number {
  let count = 0;
  decodeFrames(container, stream, limits, null, () => {
    count++;
    return true;
  });
  return count;
}

/**
 * Decodes the frames numbered `indices` (ascending, counted in the order they are shown). A frame that the decoder
 * drops is replaced by the next one; frames missing at the end are an error.
 */
export function decodeSelectedFrames(
  container: MediaContainer,
  stream: Stream,
  options: VideoOptions,
  index: PacketIndex,
  indices: Uint32Array,
): SelectedFrames {
  const times = index.isTimed ? presentationTimes(index) : null;
  const wanted = Float64Array.from(indices, (i) => (times === null ? i : times[i]!));
  const needed = times && groupsNeeded(index, wanted);
  checkPrice(container.path, stream, options, index, needed);
  using painter = new RgbPainter(container.path, options, wanted.length);
  let shown = 0;
  decodeFrames(container, stream, options, needed, (frame) => {
    const position = times === null ? shown : Number(frame.pts);
    shown++;
    while (painter.numFrames < wanted.length && wanted[painter.numFrames]! <= position) painter.paint(frame);
    return painter.numFrames < wanted.length;
  });
  if (painter.numFrames < wanted.length) {
    throw new MediaError(
      "ERR_MEDIA_BROKEN",
      container.path,
      `expected frame ${indices[painter.numFrames]}, got the end of the decodable frames after ${shown}. Make the file again.`,
    );
  }
  return painter.finish();
}

/** What decoding will cost at least, as the header states the size. */
function checkPrice(
  path: string,
  { codecpar: { width, height } }: Stream,
  limits: ReadLimits,
  { isKey }: PacketIndex,
  needed: boolean[] | null,
): void {
  let numFrames = 0;
  let group = 0;
  for (let i = 0; i < isKey.length; i++) {
    if (isKey[i] && i > 0) group++;
    if (needed === null || needed[group] === true) numFrames++;
  }
  checkDecodedPixels(path, numFrames * width * height, limits);
}

/** Per group of pictures (a key frame and what follows it in the file): must it be decoded? */
function groupsNeeded(index: PacketIndex, wanted: Float64Array): boolean[] {
  const isWanted = new Set(wanted);
  const needed: boolean[] = [false];
  let group = 0;
  let keyTime = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < index.timestamps.length; i++) {
    if (index.isKey[i] && i > 0) {
      group++;
      needed.push(false);
    }
    const time = index.timestamps[i]!;
    if (index.isKey[i]) keyTime = time;
    if (!isWanted.has(time) || !index.isShown[i]) continue;
    needed[group] = true;
    // Shown before its key frame: an open group, which also refers to the group before.
    if (time < keyTime && group > 0) needed[group - 1] = true;
  }
  return needed;
}

/** Decodes the needed groups (null: all) in order until `visit` says false. */
function decodeFrames(
  container: MediaContainer,
  stream: Stream,
  limits: ReadLimits,
  needed: boolean[] | null,
  visit: (frame: Frame) => boolean,
): void {
  const decoder = openDecoder(container, stream, limits);
  const bounded = boundedVisit(container.path, limits, visit);
  using packet = new Packet();
  using frame = new Frame();
  packet.alloc();
  frame.alloc();
  let group = 0;
  let first = true;
  let isSkipping = false;
  try {
    while (!isEndOfFile(container.format.readFrameSync(packet), container.path)) {
      if (packet.streamIndex === stream.index) {
        if (packet.isKeyframe && !first) group++;
        first = false;
        const isNeeded = needed === null || needed[group] === true;
        if (isNeeded) {
          // A packet that does not decode shows as a missing frame, which is judged above.
          const sent = decoder.sendPacketSync(packet);
          if (sent === AVERROR_ENOMEM)
            check(sent, "ERR_MEDIA_MEMORY", container.path, "memory for the decoder's frames");
          if (!receiveFrames(container.path, decoder, frame, bounded)) return;
        } else if (!isSkipping) {
          decoder.sendPacketSync(null);
          if (!receiveFrames(container.path, decoder, frame, bounded)) return;
          decoder.flushBuffers();
        }
        isSkipping = !isNeeded;
      }
      packet.unref();
    }
    decoder.sendPacketSync(null);
    receiveFrames(container.path, decoder, frame, bounded);
  } finally {
    decoder.freeContext();
  }
}

/** Looks at every decoded frame: whatever the headers said, it is of an allowed size, and all together are affordable. */
function boundedVisit(path: string, limits: ReadLimits, visit: (frame: Frame) => boolean): (frame: Frame) => boolean {
  let pixels = 0;
  return (frame) => {
    const { width, height } = frame;
    checkFrameSize(path, width, height, limits);
    pixels += width * height;
    checkDecodedPixels(path, pixels, limits);
    return visit(frame);
  };
}

function receiveFrames(path: string, decoder: CodecContext, frame: Frame, visit: (frame: Frame) => boolean): boolean {
  for (;;) {
    const result = decoder.receiveFrameSync(frame);
    if (result === AVERROR_ENOMEM) check(result, "ERR_MEDIA_MEMORY", path, "memory for the decoder's frames");
    if (result === AVERROR_EAGAIN || result === AVERROR_EOF || result < 0) return true;
    const goOn = visit(frame);
    frame.unref();
    if (!goOn) return false;
  }
}

/** Converts frames to RGB into one array. A frame of another size than the first one is scaled to it. */
class RgbPainter {
  numFrames = 0;
  readonly #path: string;
  readonly #options: VideoOptions;
  readonly #capacity: number;
  readonly #scaler = new SoftwareScaleContext();
  readonly #rgb = new Frame();
  #size: FrameSize = { height: 0, width: 0 };
  #frames = new Uint8Array(0);
  /** Set where frames are resized: a frame as decoded, and what brings it to `#size`. */
  #resizing: { readonly decoded: Uint8Array; readonly resize: FrameResizer } | null = null;

  constructor(path: string, options: VideoOptions, capacity: number) {
    this.#path = path;
    this.#options = options;
    this.#capacity = capacity;
    this.#scaler.allocContext();
    this.#rgb.alloc();
  }

  paint(frame: Frame): void {
    if (frame.decodeErrorFlags & (FF_DECODE_ERROR_INVALID_BITSTREAM | FF_DECODE_ERROR_MISSING_REFERENCE)) {
      throw new MediaError(
        "ERR_MEDIA_BROKEN",
        this.#path,
        `expected an intact frame, got one with decoding errors (flags ${frame.decodeErrorFlags}). Make the file again.`,
      );
    }
    if (this.numFrames === 0) this.#start({ height: frame.height, width: frame.width });
    check(
      this.#scaler.scaleFrameSync(this.#rgb, frame),
      "ERR_MEDIA_BROKEN",
      this.#path,
      "a frame that converts to RGB",
    );
    const frameBytes = this.#size.height * this.#size.width * 3;
    const out = this.#frames.subarray(this.numFrames * frameBytes, (this.numFrames + 1) * frameBytes);
    this.#copyRows(this.#resizing?.decoded ?? out);
    this.#resizing?.resize(this.#resizing.decoded, out);
    this.numFrames++;
  }

  finish(): SelectedFrames {
    return { frames: this.#frames, ...this.#size };
  }

  [Symbol.dispose](): void {
    this.#scaler.freeContext();
    this.#rgb.free();
  }

  #start(decoded: FrameSize): void {
    this.#size = this.#options.fit?.(decoded, this.#capacity) ?? decoded;
    const { height, width } = this.#size;
    checkClipPixels(this.#path, this.#capacity, this.#size, this.#options);
    this.#frames = new Uint8Array(this.#capacity * height * width * 3);
    if (height !== decoded.height || width !== decoded.width) {
      const resize = createResizer(decoded, this.#size);
      this.#resizing = { decoded: new Uint8Array(decoded.height * decoded.width * 3), resize };
    }
    this.#rgb.width = decoded.width;
    this.#rgb.height = decoded.height;
    this.#rgb.format = AV_PIX_FMT_RGB24;
    check(this.#rgb.getBuffer(0), "ERR_MEDIA_MEMORY", this.#path, "memory for one frame");
  }

  /** FFmpeg pads rows. */
  #copyRows(out: Uint8Array): void {
    const rowBytes = this.#rgb.width * 3;
    const stride = this.#rgb.linesize[0]!;
    const pixels = this.#rgb.data![0]!;
    for (let y = 0; y < this.#rgb.height; y++) {
      out.set(pixels.subarray(y * stride, y * stride + rowBytes), y * rowBytes);
    }
  }
}
