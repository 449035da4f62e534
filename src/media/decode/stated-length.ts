// What a file says about its own length, against what was found in it. A stated length never outvotes what decodes; where a
// file gave less than it states, that is told with figures. Estimates (from a bit rate, from the first and the last time
// stamp) state nothing.

import { MediaError } from "../media-error.ts";
import { type MediaContainer, secondsPerTick, streamDuration } from "./container.ts";
import { isCutMovie, statesMp3Length, wavStatement } from "./file-ends.ts";

/** Seconds; 0 where a file says nothing that can be relied on. */
export interface StatedLengths {
  readonly video: number;
  readonly sound: number;
  /** Of the file, where its streams have no lengths of their own. */
  readonly whole: number;
}

/** Seconds that were found, from zero on the file's own clock. */
export interface FoundLengths {
  readonly video: number;
  /** Decoded. */
  readonly sound: number;
  /** By the time stamps of the sound. */
  readonly sentSound: number;
}

/** Less than this, or a frame and a half, may be missing without a word: containers round. */
const roundingSeconds = 0.1;
/** So much may be missing at the end of a film that was cut off before it is refused, besides 2 % of its length. */
const missingSecondsAllowed = 0.25;
const missingShareAllowed = 0.02;
/** A longer length that is so many times what was found was written before it was known. */
const placeholderSeconds = 3600;
const placeholderRatio = 10;

const nothing: StatedLengths = { video: 0, sound: 0, whole: 0 };

/** By FFmpeg's name of the container. */
export function statedLengths({ format, path, video, audio }: MediaContainer): StatedLengths {
  const name = format.iformat?.name?.split(",")[0] ?? "";
  const seconds = (stream: typeof video) => (stream === null ? 0 : streamDuration(stream));
  const counted = (stream: typeof video) => (stream === null ? 0 : Number(stream.nbFrames) * secondsPerTick(stream));
  switch (name) {
    case "mov":
      return { ...nothing, video: seconds(video), sound: seconds(audio) };
    case "aiff":
    case "au":
    case "flac":
      return { ...nothing, sound: seconds(audio) };
    case "avi":
      return { ...nothing, video: counted(video), sound: counted(audio) };
    case "caf":
      // Of compressed sound it counts packets.
      return { ...nothing, sound: audio?.codecpar.frameSize === 0 ? counted(audio) : 0 };
    case "mp3":
      return { ...nothing, sound: statesMp3Length(path) ? seconds(audio) : 0 };
    case "wav":
      return { ...nothing, sound: wavStatement(path).seconds };
    case "matroska":
    case "flv":
    case "asf":
      return { ...nothing, whole: Number(format.duration) > 0 ? Number(format.duration) / 1e6 : 0 };
    default:
      return nothing;
  }
}

/**
 * Where a file gave less than it states, in words.
 * @throws MediaError ERR_MEDIA_TRUNCATED for an mp4 that ends inside its own data
 */
export function shortfalls(
  container: MediaContainer,
  stated: StatedLengths,
  found: FoundLengths,
  frameSeconds: number,
): string[] {
  const pairs = [
    ["video", stated.video, found.video, Math.max(roundingSeconds, 1.5 * frameSeconds)],
    ["sound", stated.sound, found.sound, roundingSeconds],
    ["file", stated.whole, Math.max(found.video, found.sound, found.sentSound), allowedMissing(stated.whole)],
  ] as const;
  const short = pairs.filter(([, said, got, allowed]) => said - got > allowed && !isPlaceholder(said, got));
  const cut = short.find(([, said, got]) => said - got > allowedMissing(said));
  if (cut !== undefined && container.format.iformat?.name?.startsWith("mov") && isCutMovie(container.path)) {
    throw new MediaError(
      "ERR_MEDIA_TRUNCATED",
      container.path,
      `expected a complete file, got the end at ${cut[2].toFixed(2)} s of ${cut[1].toFixed(2)} s. It was cut off; copy or download it again.`,
    );
  }
  const unread = container.format.iformat?.name === "wav" ? wavStatement(container.path).unreadBytes : 0;
  return [
    ...short.map(([what, said, got]) => `${what}: stated ${said.toFixed(2)} s, decoded ${got.toFixed(2)} s`),
    ...(unread > 0 ? [`sound: ${unread} bytes behind the stated end were not read`] : []),
  ];
}

function allowedMissing(stated: number): number {
  return missingSecondsAllowed + missingShareAllowed * stated;
}

function isPlaceholder(stated: number, found: number): boolean {
  return stated > placeholderSeconds && stated > placeholderRatio * found;
}
