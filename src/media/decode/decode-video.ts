// The selected frames of a video as RGB. Two readings: the index of all packets (made while the audio is decoded), then
// the frames. Groups of pictures without a selected frame are skipped, frames that are not selected are never converted.

import {
  AV_FRAME_DATA_DISPLAYMATRIX,
  AV_FRAME_FLAG_INTERLACED,
  AV_NOPTS_VALUE,
  AV_PIX_FMT_RGB24,
  AV_PKT_FLAG_DISCARD,
  AVCOL_PRI_UNSPECIFIED,
  AVCOL_TRC_UNSPECIFIED,
  AVERROR_EAGAIN,
  AVERROR_ENOMEM,
  AVERROR_EOF,
  FF_DECODE_ERROR_INVALID_BITSTREAM,
  FF_DECODE_ERROR_MISSING_REFERENCE,
} from "node-av/constants";
import { type CodecContext, Frame, Packet, SoftwareScaleContext, type Stream } from "node-av/lib";
import { MediaError } from "../media-error.ts";
import { createResizer, type FrameResizer } from "../resize.ts";
import type { FrameSize } from "../sampling.ts";
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
import { isUpright, matrixOrientation, shownSize, turnPixels, upright } from "./orientation.ts";

/** As of sound: single frames may be broken (a cut at the start or the end); a larger share means that the file is. */
export const maxBrokenShare = 0.05;
export const fewBroken = 2;

/** All packets of a video stream in the order of the file. */
export interface PacketIndex {
  /** Presentation time stamps, in ticks. */
  readonly timestamps: number[];
  readonly isKey: boolean[];
  /** False for packets that the container wants decoded but not shown. */
  readonly isShown: boolean[];
  /** False where a packet has no time stamp, or time goes back (joined files): then frames can only be counted. */
  isTimed: boolean;
  /** Of the shown packets: the first time stamp, the end of the last one, and the decoding time of the last one read. */
  firstTick: number;
  endTick: number;
  lastDecoded: bigint;
}

/** The size that frames are brought to, given their own and how many there are. */
export type FitFrames = (size: FrameSize, numFrames: number) => FrameSize;

export interface VideoOptions extends ReadLimits {
  /** Default: frames keep their size. Saves memory where frames are large and many. */
  readonly fit?: FitFrames;
  /** Brings a frame to the size that `fit` gave. Default: as videos are resized. */
  readonly resizer?: (from: FrameSize, to: FrameSize) => FrameResizer;
}

export interface SelectedFrames {
  /** RGB, row-major [frames, height, width, 3]. */
  readonly frames: Uint8Array;
  readonly height: number;
  readonly width: number;
  /** What was not as it should be. */
  readonly notices: readonly string[];
}

export function emptyPacketIndex(): PacketIndex {
  const ticks = { firstTick: Number.POSITIVE_INFINITY, endTick: Number.NEGATIVE_INFINITY, lastDecoded: AV_NOPTS_VALUE };
  return { timestamps: [], isKey: [], isShown: [], isTimed: true, ...ticks };
}

/** @param path for the error when there are too many */
export function addToIndex(index: PacketIndex, packet: Packet, path: string): void {
  checkPackets(path, index.timestamps.length);
  const { pts, dts, duration } = packet;
  const isShown = (packet.flags & AV_PKT_FLAG_DISCARD) === 0;
  if (pts === AV_NOPTS_VALUE) index.isTimed = false;
  else if (isShown) {
    index.firstTick = Math.min(index.firstTick, Number(pts));
    index.endTick = Math.max(index.endTick, Number(pts + duration));
  }
  if (dts !== AV_NOPTS_VALUE) {
    if (index.lastDecoded !== AV_NOPTS_VALUE && dts < index.lastDecoded) index.isTimed = false;
    index.lastDecoded = dts;
  }
  index.timestamps.push(Number(pts));
  index.isKey.push(packet.isKeyframe);
  index.isShown.push(isShown);
}

/** The time stamps of the shown frames in the order they are shown: frame i has the i-th. null: frames must be counted. */
export function presentationTimes(index: PacketIndex): Float64Array | null {
  if (!index.isTimed) return null;
  const shown = index.timestamps.filter((_, i) => index.isShown[i]);
  const times = Float64Array.from(new Set(shown)).sort();
  return times.length === shown.length ? times : null;
}

/** Counts by decoding, for files whose packets carry no time stamps or do not all decode. */
export function countFrames(container: MediaContainer, stream: Stream, limits: ReadLimits): number {
  let count = 0;
  decodeFrames(container, stream, limits, null, () => {
    count++;
    return true;
  });
  return count;
}

/**
 * Decodes the frames numbered `indices` (ascending, counted in the order they are shown; `byCount`: among those that
 * decode). A frame that does not decode is replaced by the next one; null where there is no next one.
 */
export function decodeSelectedFrames(
  container: MediaContainer,
  stream: Stream,
  options: VideoOptions,
  index: PacketIndex,
  { indices, byCount }: { readonly indices: Uint32Array; readonly byCount: boolean },
): SelectedFrames | null {
  const times = byCount ? null : presentationTimes(index);
  const wanted = Float64Array.from(indices, (i) => (times === null ? i : times[i]!));
  const needed = times && groupsNeeded(index, wanted);
  checkPrice(container.path, stream, options, index, needed);
  using painter = new RgbPainter(container.path, options, wanted.length);
  let shown = 0;
  const numBroken = decodeFrames(container, stream, options, needed, (frame) => {
    const position = times === null ? shown : Number(frame.pts);
    shown++;
    while (painter.numFrames < wanted.length && wanted[painter.numFrames]! <= position) painter.paint(frame);
    return painter.numFrames < wanted.length;
  });
  if (numBroken > Math.max(fewBroken, shown * maxBrokenShare)) {
    throw new MediaError(
      "ERR_MEDIA_BROKEN",
      container.path,
      `expected decodable video, got ${numBroken} broken frames beside ${shown}. Make the file again.`,
    );
  }
  return painter.numFrames < wanted.length ? null : painter.finish(numBroken);
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

const brokenFlags = FF_DECODE_ERROR_INVALID_BITSTREAM | FF_DECODE_ERROR_MISSING_REFERENCE;

/** Decodes the needed groups (null: all) in order until `visit` says false; returns how many frames were broken. */
function decodeFrames(
  container: MediaContainer,
  stream: Stream,
  limits: ReadLimits,
  needed: boolean[] | null,
  visit: (frame: Frame) => boolean,
): number {
  const decoder = openDecoder(container, stream, limits);
  let numBroken = 0;
  const bounded = boundedVisit(container.path, limits, (frame) => {
    const isBroken = (frame.decodeErrorFlags & brokenFlags) !== 0;
    if (isBroken) numBroken++;
    return isBroken || visit(frame);
  });
  using packet = new Packet();
  using frame = new Frame();
  packet.alloc();
  frame.alloc();
  let group = 0;
  let first = true;
  let isSkipping = false;
  const receive = () => receiveFrames(container.path, decoder, frame, bounded);
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
          if (!receive()) return numBroken;
        } else if (!isSkipping) {
          decoder.sendPacketSync(null);
          if (!receive()) return numBroken;
          decoder.flushBuffers();
        }
        isSkipping = !isNeeded;
      }
      packet.unref();
    }
    decoder.sendPacketSync(null);
    receive();
    return numBroken;
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
  #orientation = upright;
  readonly #notices: string[] = [];
  /** Set where frames are turned or resized: a frame as decoded. */
  #decoded: Uint8Array | null = null;
  /** Brings a frame that stands upright to `#size`. */
  #resize: FrameResizer | null = null;

  constructor(path: string, options: VideoOptions, capacity: number) {
    this.#path = path;
    this.#options = options;
    this.#capacity = capacity;
    this.#scaler.allocContext();
    this.#scaler.setOption("sws_flags", "bilinear");
    this.#rgb.alloc();
  }

  paint(frame: Frame): void {
    this.#describe(frame);
    if (this.numFrames === 0) this.#start(frame);
    check(
      this.#scaler.scaleFrameSync(this.#rgb, frame),
      "ERR_MEDIA_BROKEN",
      this.#path,
      "a frame that converts to RGB",
    );
    const frameBytes = this.#size.height * this.#size.width * 3;
    const out = this.#frames.subarray(this.numFrames * frameBytes, (this.numFrames + 1) * frameBytes);
    const target = this.#decoded ?? out;
    this.#copyRows(target);
    const shown = turnPixels(target, this.#rgb, this.#orientation);
    if (this.#resize !== null) this.#resize(shown, out);
    else if (shown !== out) out.set(shown);
    this.numFrames++;
  }

  finish(numBroken: number): SelectedFrames {
    const notices = [...this.#notices];
    if (numBroken > fewBroken) notices.push(`video: ${numBroken} frames did not decode`);
    return { frames: this.#frames, ...this.#size, notices };
  }

  [Symbol.dispose](): void {
    this.#scaler.freeContext();
    this.#rgb.free();
  }

  /** As PyAV does it: fields are converted as fields, and the matrix is undone but neither primaries nor transfer curve. */
  #describe(frame: Frame): void {
    frame.colorPrimaries = AVCOL_PRI_UNSPECIFIED;
    frame.colorTrc = AVCOL_TRC_UNSPECIFIED;
    if (frame.hasFlags(AV_FRAME_FLAG_INTERLACED)) this.#rgb.setFlags(AV_FRAME_FLAG_INTERLACED);
    else this.#rgb.clearFlags(AV_FRAME_FLAG_INTERLACED);
  }

  #start(frame: Frame): void {
    const decoded = { height: frame.height, width: frame.width };
    const orientation = matrixOrientation(frame.getSideData(AV_FRAME_DATA_DISPLAYMATRIX) ?? new Uint8Array(0));
    if (orientation === null) this.#notices.push("video: its turn is no quarter turn and was left out");
    this.#orientation = orientation ?? upright;
    const shown = shownSize(decoded, this.#orientation);
    this.#size = this.#options.fit?.(shown, this.#capacity) ?? shown;
    const { height, width } = this.#size;
    checkClipPixels(this.#path, this.#capacity, this.#size, this.#options);
    this.#frames = new Uint8Array(this.#capacity * height * width * 3);
    if (height !== shown.height || width !== shown.width)
      this.#resize = (this.#options.resizer ?? createResizer)(shown, this.#size);
    if (this.#resize !== null || !isUpright(this.#orientation)) {
      this.#decoded = new Uint8Array(decoded.height * decoded.width * 3);
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
