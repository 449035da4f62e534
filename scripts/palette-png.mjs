// A picture of a page with at most 256 colours, as a PNG with a palette: a third of what a browser writes. Colours are parted by median
// cut: the box of colours that spreads most is halved until there are enough; each box becomes its mean.
import { crc32, deflateSync } from "node:zlib";
import { createCanvas, loadImage } from "@napi-rs/canvas";

const maxColors = 256;
/** Bits of each channel that tell colours apart. */
const keptBits = 6;

/** @param bytes of a PNG without transparency @returns those of another one */
export async function palettePng(bytes) {
  const image = await loadImage(bytes);
  const { width, height } = image;
  const context = createCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const boxes = medianCut(countColors(data));
  const palette = boxes.map(meanOf);
  const indexOf = new Map(boxes.flatMap((box, i) => box.map(({ key }) => [key, i])));
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0, at = 0; y < height; y++) {
    const row = y * (width + 1) + 1;
    for (let x = 0; x < width; x++, at += 4) rows[row + x] = indexOf.get(keyOf(data, at));
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // eight bits a pixel, each the number of a colour
  header.set([8, 3, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [
    ["IHDR", header],
    ["PLTE", Buffer.from(palette.flat())],
    ["IDAT", deflateSync(rows, { level: 9, memLevel: 9 })],
    ["IEND", Buffer.alloc(0)],
  ];
  return Buffer.concat([signature, ...parts.map(([name, body]) => chunk(name, body))]);
}

function keyOf(data, at) {
  const drop = 8 - keptBits;
  return ((data[at] >> drop) << (2 * keptBits)) | ((data[at + 1] >> drop) << keptBits) | (data[at + 2] >> drop);
}

/** Every colour that is there, how often, and the sums of what was taken for it. */
function countColors(data) {
  const colors = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const key = keyOf(data, at);
    let color = colors.get(key);
    if (color === undefined) {
      color = { key, count: 0, sums: [0, 0, 0] };
      colors.set(key, color);
    }
    color.count++;
    for (let c = 0; c < 3; c++) color.sums[c] += data[at + c];
  }
  return [...colors.values()];
}

function medianCut(colors) {
  const boxes = [colors];
  while (boxes.length < maxColors) {
    let [best, widest, channel] = [-1, 0, 0];
    for (const [i, box] of boxes.entries()) {
      if (box.length < 2) continue;
      const weight = Math.sqrt(box.reduce((sum, { count }) => sum + count, 0));
      for (let c = 0; c < 3; c++) {
        let [low, high] = [255, 0];
        for (const { sums, count } of box) {
          const value = sums[c] / count;
          low = Math.min(low, value);
          high = Math.max(high, value);
        }
        const spread = (high - low) * weight;
        if (spread > widest) [best, widest, channel] = [i, spread, c];
      }
    }
    if (best < 0) break;
    const box = boxes[best].toSorted((a, b) => a.sums[channel] / a.count - b.sums[channel] / b.count);
    const half = box.reduce((sum, { count }) => sum + count, 0) / 2;
    let [at, passed] = [0, 0];
    while (at < box.length - 1 && passed + box[at].count <= half) passed += box[at++].count;
    at = Math.max(1, at);
    boxes.splice(best, 1, box.slice(0, at), box.slice(at));
  }
  return boxes;
}

function meanOf(box) {
  const count = box.reduce((sum, one) => sum + one.count, 0);
  return [0, 1, 2].map((c) => Math.round(box.reduce((sum, { sums }) => sum + sums[c], 0) / count));
}

function chunk(name, body) {
  const named = Buffer.concat([Buffer.from(name, "latin1"), body]);
  const out = Buffer.alloc(named.length + 8);
  out.writeUInt32BE(body.length, 0);
  named.copy(out, 4);
  out.writeUInt32BE(crc32(named), named.length + 4);
  return out;
}
