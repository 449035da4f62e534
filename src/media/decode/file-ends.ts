// What FFmpeg does not tell of a file's frame: whether it ends inside what it says it holds, and which length its header
// states before FFmpeg corrects it. Only the headers are read.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Calls `body` with a reader of `length` bytes at a place (fewer at the end of the file) and the file's size. */
function withFile<T>(path: string, body: (read: (at: number, length: number) => Buffer, size: number) => T): T {
  const descriptor = openSync(path, "r");
  try {
    const read = (at: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, at));
    };
    return body(read, fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
}

/** More parts than this at the top of a file are not walked. */
const maxParts = 100_000;
const movieBoxes = new Set(["moov", "moof", "mdat", "ftyp", "free", "skip", "wide", "styp", "sidx", "uuid", "meta"]);

/** True where a box at the top of an mp4 or mov reaches beyond the end of the file (ISO 14496-12, 4.2). */
export function isCutMovie(path: string): boolean {
  return withFile(path, (read, size) => {
    let at = 0;
    for (let i = 0; i < maxParts && at + 8 <= size; i++) {
      const head = read(at, 16);
      // Behind the last box there may be anything.
      if (!movieBoxes.has(head.toString("latin1", 4, 8))) return false;
      let length = head.readUInt32BE(0);
      if (length === 1 && head.length === 16) length = Number(head.readBigUInt64BE(8));
      if (length === 0) return false;
      if (length < 8) return false;
      at += length;
      if (at > size) return true;
    }
    return false;
  });
}

export interface WavStatement {
  /** 0 where the header says nothing, or has a placeholder. */
  readonly seconds: number;
  /** Behind the stated end of the sound, and no chunks of the same file. */
  readonly unreadBytes: number;
}

/** Sizes from here on are what writers put down before they know: 2^31 and 2^32, less a header. */
const placeholderBytes = 2 ** 31 - 2 ** 16;
/** Fewer are the padding of whoever copied the file. */
const paddingBytes = 4096;

/** The length in a WAV's header (RIFF, or RF64 with sizes of 64 bits). */
export function wavStatement(path: string): WavStatement {
  return withFile(path, (read, size) => {
    const isWide = ["RF64", "BW64"].includes(read(0, 4).toString("latin1"));
    let at = 12;
    let bytesPerSecond = 0;
    let wideSize = 0;
    for (let i = 0; i < maxParts && at + 8 <= size; i++) {
      const head = read(at, 28);
      const name = head.toString("latin1", 0, 4);
      const length = head.readUInt32LE(4);
      if (name === "fmt " && head.length >= 20) bytesPerSecond = head.readUInt32LE(16);
      if (name === "ds64" && head.length >= 24) wideSize = Number(head.readBigUInt64LE(16));
      if (name === "data") {
        const stated = isWide && length === 0xffffffff ? wideSize : length;
        if (stated === 0 || bytesPerSecond === 0 || (!isWide && stated >= placeholderBytes)) break;
        const unread = size - chunksEnd(read, at + 8 + stated, size);
        return { seconds: stated / bytesPerSecond, unreadBytes: unread > paddingBytes ? unread : 0 };
      }
      at += 8 + length + (length % 2);
    }
    return { seconds: 0, unreadBytes: 0 };
  });
}

/** The end of the chunks that lie from `start` on; `size` where they fill the file. */
function chunksEnd(read: (at: number, length: number) => Buffer, start: number, size: number): number {
  let at = start + (start % 2);
  for (let i = 0; i < maxParts && at + 8 <= size; i++) {
    const head = read(at, 8);
    const name = head.toString("latin1", 0, 4);
    const next = at + 8 + head.readUInt32LE(4);
    if (name === "RIFF" || !/^[\x20-\x7e]{4}$/.test(name) || next > size) return at;
    at = next + (next % 2);
  }
  return Math.max(size, start);
}

/** A first frame is looked for here; what FFmpeg skips before it is no sound. */
const mp3SearchBytes = 8192;

/** True where an MP3 counts its frames in a Xing, Info or VBRI header; otherwise its length is an estimate. */
export function statesMp3Length(path: string): boolean {
  return withFile(path, (read) => {
    const tag = read(0, 10);
    let at = 0;
    if (tag.length === 10 && tag.toString("latin1", 0, 3) === "ID3") {
      // Seven bits in a byte (ID3v2.4, 3.1).
      at = 10 + (tag[6]! << 21) + (tag[7]! << 14) + (tag[8]! << 7) + tag[9]!;
    }
    const head = read(at, mp3SearchBytes);
    return ["Xing", "Info", "VBRI"].some((name) => head.includes(name, 0, "latin1"));
  });
}
