// A frame as a PNG file, without loss: what a server decodes are the very pixels. RGB, eight bits, every row as the difference
// from the one above it, packed fast; frames travel once.
import { deflateSync } from "node:zlib";

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const channels = 3;
/** PNG's "up" filter. */
const filterUp = 2;
const fast = { level: 1 };

/** Example: `pngBytes(clip.frames.subarray(0, 3 * width * height), width, height)` @param pixels RGB, row by row */
export function pngBytes(pixels: Uint8Array, width: number, height: number): Buffer {
  const stride = width * channels;
  const rows = new Uint8Array(height * (stride + 1));
  for (let y = 0, to = 0; y < height; y++) {
    rows[to++] = filterUp;
    const from = y * stride;
    for (let x = 0; x < stride; x++) rows[to++] = pixels[from + x]! - (y === 0 ? 0 : pixels[from - stride + x]!);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits of colour type 2, RGB; the rest are the only methods that there are.
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, fast)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, "latin1");
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/** x^32 + x^26 + ... + 1, bits reversed. */
const polynomial = 0xedb88320;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? polynomial ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
