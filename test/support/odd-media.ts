// Media files that our encoder does not write, by hand or small enough to be here: WAV of any rate and number of channels, GIF of any size.

import { brotliDecompressSync } from "node:zlib";

/** 16-bit PCM. `channels` are sample rows of equal length, in -1 .. 1. */
export function wavFile(channels: readonly Float32Array[], rateHz: number): Buffer {
  const numChannels = channels.length;
  const numSamples = channels[0]!.length;
  const data = Buffer.alloc(2 * numChannels * numSamples);
  for (let i = 0; i < numSamples; i++) {
    for (let c = 0; c < numChannels; c++) {
      data.writeInt16LE(Math.round(channels[c]![i]! * 32767), 2 * (i * numChannels + c));
    }
  }
  return Buffer.concat([wavHeader(numChannels, rateHz, data.length), data]);
}

/** More than two channels need the long form, which says where their loudspeakers stand. */
export function wavHeader(numChannels: number, rateHz: number, dataBytes: number): Buffer {
  const isLong = numChannels > 2;
  const format = Buffer.alloc(isLong ? 40 : 16);
  format.writeUInt16LE(isLong ? 0xfffe : 1, 0);
  format.writeUInt16LE(numChannels, 2);
  format.writeUInt32LE(rateHz, 4);
  format.writeUInt32LE(2 * numChannels * rateHz, 8);
  format.writeUInt16LE(2 * numChannels, 12);
  format.writeUInt16LE(16, 14);
  if (isLong) {
    format.writeUInt16LE(22, 16);
    format.writeUInt16LE(16, 18);
    // 7.1: front left and right, centre, low, back left and right, side left and right
    format.writeUInt32LE(numChannels === 8 ? 0x63f : 0, 20);
    Buffer.from("0100000000001000800000aa00389b71", "hex").copy(format, 24);
  }
  const head = Buffer.alloc(12);
  head.write("RIFF", 0);
  head.writeUInt32LE((4 + 8 + format.length + 8 + dataBytes) >>> 0, 4);
  head.write("WAVE", 8);
  return Buffer.concat([head, chunk("fmt ", format.length), format, chunk("data", dataBytes)]);
}

function chunk(name: string, size: number): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 0);
  head.writeUInt32LE(size >>> 0, 4);
  return head;
}

const numGrays = 128;
const clearCode = 128;
const endCode = 129;
/** Codes stay 8 bits wide while the decoder has learned fewer words than this since the last clear code. */
const pixelsPerClear = 120;
const blockBytes = 255;

/** Every frame one gray level of 0 .. 127 (shown as twice that), ten per second. */
export function gifFile(width: number, height: number, grays: readonly number[]): Buffer {
  const screen = Buffer.alloc(13);
  screen.write("GIF89a", 0);
  screen.writeUInt16LE(width, 6);
  screen.writeUInt16LE(height, 8);
  screen[10] = 0xf6; // a table of 128 colours
  const palette = Buffer.from(Array.from({ length: numGrays }, (_, i) => [2 * i, 2 * i, 2 * i]).flat());
  const frames = grays.flatMap((gray) => {
    const control = Buffer.from([0x21, 0xf9, 4, 0, 10, 0, 0, 0]);
    const image = Buffer.alloc(11);
    image[0] = 0x2c;
    image.writeUInt16LE(width, 5);
    image.writeUInt16LE(height, 7);
    image[10] = 7;
    return [control, image, ...blocks(codesOf(width * height, gray)), Buffer.from([0])];
  });
  return Buffer.concat([screen, palette, ...frames, Buffer.from([0x3b])]);
}

/** LZW without a single word: one code per pixel, one byte per code. */
function codesOf(numPixels: number, gray: number): number[] {
  const codes: number[] = [];
  for (let i = 0; i < numPixels; i++) {
    if (i % pixelsPerClear === 0) codes.push(clearCode);
    codes.push(gray);
  }
  return [...codes, endCode];
}

function blocks(codes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < codes.length; at += blockBytes) {
    const piece = codes.slice(at, at + blockBytes);
    pieces.push(Buffer.from([piece.length, ...piece]));
  }
  return pieces;
}

/**
 * 0.3 s of 440 Hz at -18 dB in all of sixteen channels, Ogg Opus, made by FFmpeg 5.1:
 * ffmpeg -f lavfi -i sine=440:d=0.3:r=48000 -af "pan=hexadecagonal|c0=c0|...|c15=c0" -c:a libopus -b:a 100k -mapping_family 255
 */
export function sixteenChannels(): Buffer {
  return brotliDecompressSync(Buffer.from(packedOpus.join(""), "base64"));
}

const packedOpus = [
  "GyISIGZAT5NOSmd+vGTo8BZnWEYZ7ntBEwjs7oYUWFFinM7xrOHg36315m/NkyCpeAj0JHRN3txcGYAB8aCvy/0EMsg7uDqfJFqDEAcY0A0c/x",
  "CwRbjNQs8BiSAbydQ+FZBZHeGKyI0nMzNbB1Pz7ohf2b+93Dnxyhi6GVPbWBrZD9aT7RA9OBfYm1G+rzHF/r/DP+s/9f0/UMsQbxmKADxh335+",
  "VMxg26AF8t8ryT+QfyBDTfYJykl1ozKY9e2RpqVIb9ufJ9aQ5L4Eeho0UYQXskAnut87Sn69t5soegt0AUFofIMKZQZ4rx0bmHXOdJ1H118GLl",
  "yDBlYhx4I7e5WOfFK5HXaHI0rYMBsW8TjpYy9JTWeDG6NAS4S5jTTe8HqKbAQL45eGUeyt+CNw5L6Cm4nRfIkDnApfTkyR+e/TSFQSdekhoJVI",
  "BYc+pRe/Km5V4FGl6ajGN6hQAkFsVcl5K6SJSNO9NBwl4VagT8bctB/82fVTygrZCQ23gk230ZNtlt/JaJlzTAUOV9SRrk7HXkxqQs4xyYQKJp",
  "9fTynBpTypAWqYwgnOAaOSrYg7ZkTdJQOZagsm",
];
