// The picture of a clip for somebody else's decoder: its own video packets in a file without the sound, not encoded again, so
// that whoever decodes it sees the very same frames; or a black video of the same size, rate and length.
import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { AV_NOPTS_VALUE, AVFMT_FLAG_BITEXACT } from "node-av/constants";
import { FormatContext, Packet, type Stream } from "node-av/lib";
import { makeTemporaryFolder } from "../temporary-files.ts";
import { isEndOfFile, type MediaContainer, openContainer, orientationOf, type ReadLimits } from "./decode/container.ts";
import { addToIndex, emptyPacketIndex, presentationTimes } from "./decode/decode-video.ts";
import { shownSize } from "./decode/orientation.ts";
import { encodeClip } from "./encode/encode.ts";
import { checkEncoding } from "./encode/encoders.ts";
import { MediaError } from "./media-error.ts";

/** A part of a request is held in memory as a whole. */
const maxPartBytes = 256 * 1024 * 1024;

/** FFmpeg's names: the demuxer of a file (how it starts) -> a muxer that keeps times and codecs as they are. */
const muxers = [
  { demuxer: "mov", muxer: "mp4", mimeType: "video/mp4" },
  { demuxer: "matroska", muxer: "matroska", mimeType: "video/x-matroska" },
  { demuxer: "avi", muxer: "avi", mimeType: "video/x-msvideo" },
] as const;

/** Example: `{ bytes, mimeType: "video/mp4" }` */
export interface VideoFile {
  readonly bytes: Uint8Array;
  readonly mimeType: string;
}

/**
 * The video stream of `path` alone, in a container of the same kind (mp4 for rare ones); null where it has none.
 * @throws MediaError ERR_MEDIA_TOO_LARGE, ERR_MEDIA_ENCODE when mp4 cannot hold the codec, and those of reading
 */
export async function soundlessVideo(path: string, limits: ReadLimits = {}): Promise<VideoFile | null> {
  // FFmpeg's objects are released by finalizers, which run only when the event loop turns.
  await setImmediate();
  using container = openContainer(path, limits);
  if (container.video === null) return null;
  if (statSync(path).size > maxPartBytes) {
    const got = `${Math.round(statSync(path).size / 1024 / 1024)} MB`;
    throw new MediaError("ERR_MEDIA_TOO_LARGE", path, `expected at most 256 MB to send, got ${got}. Cut the file.`);
  }
  const name = container.format.iformat?.name ?? "";
  const { muxer, mimeType } = muxers.find(({ demuxer }) => name.startsWith(demuxer)) ?? muxers[0];
  const bytes = await inTemporaryFile((file) => {
    using packet = new Packet();
    packet.alloc();
    copyPackets(container, container.video!, packet, { muxer, file });
  });
  return { bytes, mimeType };
}

function copyPackets(
  container: MediaContainer,
  from: Stream,
  packet: Packet,
  { muxer, file }: { readonly muxer: string; readonly file: string },
): void {
  const { path } = container;
  const check = (result: number, expected: string) => checkEncoding(result, path, expected);
  const format = new FormatContext();
  check(format.allocOutputContext2(null, muxer, `file:${file}`), `a writer of ${muxer}`);
  try {
    const to = format.newStream();
    check(from.codecpar.copy(to.codecpar), "stream parameters");
    // Names of codecs differ between containers.
    to.codecpar.codecTag = 0;
    to.timeBase = from.timeBase;
    to.avgFrameRate = from.avgFrameRate;
    to.sampleAspectRatio = from.sampleAspectRatio;
    format.setFlags(AVFMT_FLAG_BITEXACT);
    if (muxer === "mp4") format.setOption("movflags", "+faststart");
    check(format.openOutputSync(), "a file that can be written");
    check(format.writeHeaderSync(), `a codec that ${muxer} can hold`);
    const clock = new ForwardClock();
    while (!isEndOfFile(container.format.readFrameSync(packet), path)) {
      if (packet.streamIndex === from.index) {
        packet.streamIndex = to.index;
        packet.rescaleTs(from.timeBase, to.timeBase);
        clock.advance(packet);
        check(format.interleavedWriteFrameSync(packet), `a packet that ${muxer} can hold`);
      }
      packet.unref();
    }
    check(format.writeTrailerSync(), "room for the end of the file");
    format.closeOutputSync();
  } finally {
    format.freeContext();
  }
}

/** Where files were joined, time starts again: it goes on instead. */
class ForwardClock {
  #shift = 0n;
  #last = AV_NOPTS_VALUE;

  advance(packet: Packet): void {
    const { pts, dts, duration } = packet;
    if (dts === AV_NOPTS_VALUE) return;
    if (this.#last !== AV_NOPTS_VALUE && dts + this.#shift < this.#last) {
      this.#shift = this.#last - dts + (duration > 0n ? duration : 1n);
    }
    packet.dts = this.#last = dts + this.#shift;
    if (pts !== AV_NOPTS_VALUE) packet.pts = pts + this.#shift;
  }
}

/** What a black video has in common with the one that it stands for. */
export interface VideoShape {
  readonly width: number;
  readonly height: number;
  /** Exact, as a fraction. */
  readonly fps: { readonly num: number; readonly den: number };
  readonly numFrames: number;
}

/** The shape of a file's video stream as it decodes; null where it has none. Reads all packets, decodes none. */
export async function videoShape(path: string, limits: ReadLimits = {}): Promise<VideoShape | null> {
  await setImmediate();
  using container = openContainer(path, limits);
  const { video, format } = container;
  if (video === null) return null;
  using packet = new Packet();
  packet.alloc();
  const index = emptyPacketIndex();
  while (!isEndOfFile(format.readFrameSync(packet), path)) {
    if (packet.streamIndex === video.index) addToIndex(index, packet, path);
    packet.unref();
  }
  const numFrames = presentationTimes(index)?.length ?? index.timestamps.length;
  const { num, den } = video.avgFrameRate;
  const { width, height } = shownSize(video.codecpar, orientationOf(video));
  return numFrames === 0 || num <= 0 || den <= 0 ? null : { width, height, fps: { num, den }, numFrames };
}

/** A black mp4 that decodes to zeros. Sizes are rounded up to even ones. */
export async function blackVideo({ width, height, fps, numFrames }: VideoShape): Promise<VideoFile> {
  const even = { width: width + (width % 2), height: height + (height % 2) };
  const frame = new Uint8Array(even.width * even.height * 3);
  const frames = (function* () {
    for (let i = 0; i < numFrames; i++) yield frame;
  })();
  const bytes = await inTemporaryFile((file) =>
    encodeClip(file, { ...even, fps, frames, waveform: new Float32Array(0), sampleRateHz: 16000 }),
  );
  return { bytes, mimeType: "video/mp4" };
}

async function inTemporaryFile(write: (file: string) => void | Promise<void>): Promise<Uint8Array> {
  const folder = makeTemporaryFolder("part");
  try {
    const file = join(folder, "part.mp4");
    await write(file);
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
