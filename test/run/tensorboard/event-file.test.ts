// Event files byte by byte: against bytes that others' files begin with, and against a reader written from the format.
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { OppoError } from "../../../src/error.ts";
import { eventFileName, openEventFile } from "../../../src/run/tensorboard/event-file.ts";
import { sharedFolder } from "../../support/temporary-folder.ts";

const folder = sharedFolder();

interface ReadEvent {
  readonly wallTime: number;
  readonly step: number;
  readonly version: string | null;
  readonly values: Readonly<Record<string, number>>;
}

/** CRC-32C bit by bit, in another form than the writer's. */
function checksum(bytes: Uint8Array): number {
  let crc = ~0n & 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (crc & 1n ? 0x82f63b78n : 0n);
  }
  crc ^= 0xffffffffn;
  return Number((((crc >> 15n) | ((crc << 17n) & 0xffffffffn)) + 0xa282ead8n) & 0xffffffffn);
}

function* fields(bytes: Buffer): Generator<{ field: number; value: Buffer | number }> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, type] = [key >> 3, key & 7];
    if (type === 0) yield { field, value: varint() };
    else {
      const length = type === 1 ? 8 : type === 5 ? 4 : varint();
      yield { field, value: bytes.subarray(at, at + length) };
      at += length;
    }
  }
}

function read(path: string): ReadEvent[] {
  const file = readFileSync(path);
  const events: ReadEvent[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    assert.equal(file.readUInt32LE(at + 8), checksum(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    assert.equal(file.readUInt32LE(at + 12 + length), checksum(data));
    at += length + 16;
    const event = { wallTime: 0, step: 0, version: null as string | null, values: {} as Record<string, number> };
    for (const { field, value } of fields(data)) {
      if (field === 1) event.wallTime = (value as Buffer).readDoubleLE();
      if (field === 2) event.step = value as number;
      if (field === 3) event.version = (value as Buffer).toString();
      if (field !== 5) continue;
      for (const { value: scalar } of fields(value as Buffer)) {
        const [tag, number] = [...fields(scalar as Buffer)];
        event.values[(tag!.value as Buffer).toString()] = (number!.value as Buffer).readFloatLE();
      }
    }
    events.push(event);
  }
  return events;
}

test("the checksum is the published one", () => {
  // RFC 3720 B.4: CRC-32C of "123456789" is e3069283; here rotated and added to as TFRecord does.
  const crc = 0xe3069283;
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  assert.equal(checksum(Buffer.from("123456789")), masked);
});

test("a file begins as TensorFlow's do, and a step is the bytes that the format gives by hand", () => {
  const path = join(folder, "bytes", eventFileName);
  {
    using file = openEventFile(path, 0);
    file.append(300, 2, { a: 1.5 });
  }
  const bytes = readFileSync(path);
  // The length 24 with its masked checksum, then wall time 0 and "brain.Event:2".
  const head = `1800000000000000a37f4b22${"09"}${"0000000000000000"}1a0d${Buffer.from("brain.Event:2").toString("hex")}`;
  assert.equal(bytes.subarray(0, head.length / 2).toString("hex"), head);
  // double 2, varint 300, a summary of one value with the tag "a" and the float 1.5
  const event = "090000000000000040" + "10ac02" + "2a0a" + "0a08" + "0a0161" + "150000c03f";
  const data = bytes.subarray(head.length / 2 + 4 + 12, bytes.length - 4);
  assert.equal(data.toString("hex"), event);
});

test("numbers come back by step; what is not finite is left out", () => {
  const path = join(folder, "steps", eventFileName);
  {
    using file = openEventFile(path, 0);
    file.append(0, 1e9, { reward: 0.25, kl: Number.NaN, name: "text", "eval/recall": 1 });
    file.append(20_000, 1e9 + 60, { reward: -3 });
  }
  const [head, ...steps] = read(path);
  assert.equal(head!.version, "brain.Event:2");
  assert.deepEqual(
    steps.map(({ step, wallTime, values }) => [step, wallTime, values]),
    [
      [0, 1e9, { reward: 0.25, "eval/recall": 1 }],
      [20_000, 1e9 + 60, { reward: -3 }],
    ],
  );
});

test("a run that goes on has no step twice, and a record that was cut off goes", () => {
  const path = join(folder, "resumed", eventFileName);
  const write = (from: number, to: number) => {
    using file = openEventFile(path, from);
    for (let step = from; step < to; step++) file.append(step, 1, { step });
  };
  const steps = () =>
    read(path)
      .slice(1)
      .map(({ step }) => step);
  write(0, 6);
  write(4, 8);
  assert.deepEqual(steps(), [0, 1, 2, 3, 4, 5, 6, 7]);
  appendFileSync(path, readFileSync(path).subarray(-9));
  write(8, 9);
  assert.deepEqual(steps(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  write(0, 1);
  assert.deepEqual(steps(), [0]);
  writeFileSync(path, "something else of the same name");
  write(3, 5);
  assert.deepEqual(steps(), [3, 4]);
});

test("a full disk is named", () => {
  const full = (error: OppoError) => error.code === "ERR_DISK_FULL" && /so .* could not be written/.test(error.message);
  assert.throws(() => openEventFile("/dev/full", 0), full);
});
