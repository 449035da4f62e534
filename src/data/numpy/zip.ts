// Members of a zip archive held in memory, as numpy.savez writes them: stored or deflated, no encryption, one disk. Sizes
// are bounded by what really comes out of the decompressor, not by what the archive says about itself.
import { inflateRawSync } from "node:zlib";
import { archiveError, damaged } from "./archive-error.ts";

export interface ZipBounds {
  readonly maxMembers: number;
  /** Of all members together, after decompression. */
  readonly maxBytes: number;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  readonly offset: number;
}

const endSignature = 0x06054b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
const endSize = 22;
const centralSize = 46;
const localSize = 30;
const maxCommentSize = 0xffff;
const zip64Marker = 0xffffffff;
const stored = 0;
const deflated = 8;
const encryptedFlag = 1;

/** @throws DatasetError ERR_NPZ_UNREADABLE, ERR_NPZ_TOO_LARGE */
export function readZip(bytes: Uint8Array, file: string, bounds: ZipBounds): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = readDirectory(view, bytes, file, bounds);
  const claimed = entries.reduce((sum, entry) => sum + entry.size, 0);
  if (claimed > bounds.maxBytes) throw tooLarge(file, `${claimed} bytes`, bounds);
  const members = new Map<string, Uint8Array>();
  for (const entry of entries) {
    if (members.has(entry.name)) throw damaged(file, "every member once", `"${entry.name}" twice`);
    members.set(entry.name, readMember(view, bytes, file, entry, bounds));
  }
  return members;
}

function tooLarge(file: string, got: string, bounds: ZipBounds): Error {
  return archiveError(
    "ERR_NPZ_TOO_LARGE",
    file,
    `expected at most ${bounds.maxBytes} bytes after decompression, got ${got}`,
    "It may be a decompression bomb; if it is yours, split it.",
  );
}

function readDirectory(view: DataView, bytes: Uint8Array, file: string, bounds: ZipBounds): Entry[] {
  const end = findEnd(view, file);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count > bounds.maxMembers) throw damaged(file, `at most ${bounds.maxMembers} members`, String(count));
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    if (at + centralSize > end || view.getUint32(at, true) !== centralSignature) {
      throw damaged(file, `a directory of ${count} members`, `a broken one after ${i}`);
    }
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const name = new TextDecoder().decode(bytes.subarray(at + centralSize, at + centralSize + nameLength!));
    const entry = {
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    };
    if ((view.getUint16(at + 8, true) & encryptedFlag) !== 0) throw damaged(file, "no encryption", `it in "${name}"`);
    if (entry.size === zip64Marker || entry.packedSize === zip64Marker) throw tooLarge(file, "4 GiB or more", bounds);
    entries.push(entry);
    at += centralSize + nameLength! + extraLength! + commentLength!;
  }
  return entries;
}

function findEnd(view: DataView, file: string): number {
  const last = view.byteLength - endSize;
  for (let at = last; at >= Math.max(0, last - maxCommentSize); at--) {
    if (view.getUint32(at, true) === endSignature) return at;
  }
  throw damaged(file, "a zip archive (.npz)", `${view.byteLength} bytes without a zip directory`);
}

function readMember(view: DataView, bytes: Uint8Array, file: string, entry: Entry, bounds: ZipBounds): Uint8Array {
  const { offset, name } = entry;
  if (offset + localSize > bytes.length || view.getUint32(offset, true) !== localSignature) {
    throw damaged(file, `member "${name}" at byte ${offset}`, "something else");
  }
  const start = offset + localSize + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  const packed = bytes.subarray(start, start + entry.packedSize);
  if (packed.length !== entry.packedSize) throw damaged(file, `all of member "${name}"`, "a file that ends before");
  const data = unpack(packed, file, entry, bounds);
  if (data.length !== entry.size || crc32(data) !== entry.crc) {
    throw damaged(file, `member "${name}" as its checksum says`, "other bytes");
  }
  return data;
}

function unpack(packed: Uint8Array, file: string, entry: Entry, bounds: ZipBounds): Uint8Array {
  if (entry.method === stored) return packed;
  if (entry.method !== deflated)
    throw damaged(file, "stored or deflated members", `compression method ${entry.method}`);
  try {
    // One byte more than promised is enough to see that the promise was false.
    return inflateRawSync(packed, { maxOutputLength: entry.size + 1 });
  } catch (cause) {
    if (/BUFFER_TOO_LARGE$/.test((cause as NodeJS.ErrnoException).code ?? "")) {
      throw tooLarge(file, `more than the ${entry.size} that member "${entry.name}" announces`, bounds);
    }
    throw damaged(file, `member "${entry.name}" to be deflated data`, (cause as Error).message);
  }
}

/** Node has one only from 20.15 on. */
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
