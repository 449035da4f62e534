// Numbers of a run as TensorBoard reads them: an event file, which is TFRecord frames around protobuf messages. Two messages
// and one checksum of a format that does not change: no library for Node that is kept writes them.
//
//   frame    uint64 length | uint32 mask(crc32c(length)) | data | uint32 mask(crc32c(data))               little-endian
//   Event    1: double wall_time   2: int64 step   3: string file_version   5: Summary summary
//   Summary  1: repeated Value     Value  1: string tag   2: float simple_value
import { closeSync, mkdirSync, openSync, readFileSync, statSync, truncateSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { diskFullError, isDiskFull } from "../disk.ts";

/** TensorBoard takes every file below its folder with "tfevents" in the name. */
export const eventFileName = "events.out.tfevents.0000000000.oppo";

export interface EventFile extends Disposable {
  /** Numbers of a step; what is not a finite number is left out. @param wallTime seconds since 1970 @throws OppoError ERR_DISK_FULL */
  append(step: number, wallTime: number, numbers: Readonly<Record<string, unknown>>): void;
}

/** Opens the file for steps from `nextStep` on: what it has of later ones, and a record that was cut off, go. */
export function openEventFile(path: string, nextStep: number): EventFile {
  mkdirSync(dirname(path), { recursive: true });
  // A device such as /dev/full would be read for ever.
  const hasEarlier = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  const kept = hasEarlier ? lengthBefore(readFileSync(path), nextStep) : 0;
  if (hasEarlier) truncateSync(path, kept);
  const file = openSync(path, "a");
  const write = (bytes: Buffer, what: string): void => {
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    } catch (error) {
      throw isDiskFull(error) ? diskFullError(path, what, error) : error;
    }
  };
  if (kept === 0) write(frame(Buffer.concat([doubleField(1, 0), bytesField(3, Buffer.from("brain.Event:2"))])), "it");
  return {
    append(step, wallTime, numbers) {
      const values = Object.entries(numbers).flatMap(([tag, value]) =>
        isFiniteNumber(value) ? [summaryValue(tag, value)] : [],
      );
      const event = [doubleField(1, wallTime), varintField(2, step), bytesField(5, Buffer.concat(values))];
      write(frame(Buffer.concat(event)), `the events of step ${step}`);
    },
    [Symbol.dispose]() {
      closeSync(file);
    },
  };
}

const isFiniteNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

function summaryValue(tag: string, value: number): Buffer {
  const number = Buffer.alloc(5);
  number[0] = (2 << 3) | 5;
  number.writeFloatLE(value, 1);
  return bytesField(1, Buffer.concat([bytesField(1, Buffer.from(tag)), number]));
}

function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (field << 3) | 1;
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

function varintField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function bytesField(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

/** Seven bits a byte, the lowest first. Not negative. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}

const lengthBytes = 8;
const checksumBytes = 4;

function frame(data: Buffer): Buffer {
  const framed = Buffer.alloc(lengthBytes + data.length + 2 * checksumBytes);
  framed.writeBigUInt64LE(BigInt(data.length), 0);
  framed.writeUInt32LE(maskedChecksum(framed.subarray(0, lengthBytes)), lengthBytes);
  data.copy(framed, lengthBytes + checksumBytes);
  framed.writeUInt32LE(maskedChecksum(data), lengthBytes + checksumBytes + data.length);
  return framed;
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1;
  return rest;
});

/** CRC-32C (Castagnoli). */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Rotated by 15 bits and added to a constant, because data that holds its own checksum has a weak one. */
function maskedChecksum(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Bytes of the whole records before the first of `nextStep` or later; 0 for a file that is none of ours. */
function lengthBefore(file: Buffer, nextStep: number): number {
  let at = 0;
  while (at + lengthBytes + checksumBytes <= file.length) {
    const length = Number(file.readBigUInt64LE(at));
    const start = at + lengthBytes + checksumBytes;
    const isWhole = start + length + checksumBytes <= file.length;
    if (!isWhole || file.readUInt32LE(at + lengthBytes) !== maskedChecksum(file.subarray(at, at + lengthBytes))) break;
    if (stepOf(file.subarray(start, start + length)) >= nextStep) break;
    at = start + length + checksumBytes;
  }
  return at;
}

/** Of an event as we write it: the wall time's nine bytes, then the step; -1 for the first record, which has none. */
function stepOf(event: Buffer): number {
  const after = 9;
  if (event[after] !== 2 << 3) return -1;
  let step = 0;
  for (let at = after + 1, scale = 1; at < event.length; at++, scale *= 0x80) {
    step += (event[at]! & 0x7f) * scale;
    if (event[at]! < 0x80) break;
  }
  return step;
}
