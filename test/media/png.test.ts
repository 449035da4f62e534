// PNG files of frames: what a decoder makes of them are the pixels that went in.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeImageBytes } from "../../src/media/decode-image.ts";
import { pngBytes } from "../../src/media/encode/png.ts";
import { createRandom } from "../../src/random.ts";

for (const [width, height] of [
  [1, 1],
  [28, 56],
  [33, 17],
] as const) {
  test(`${width} x ${height} pixels come back as they were`, async () => {
    const random = createRandom(width);
    const pixels = Uint8Array.from({ length: 3 * width * height }, () => random.int(256));
    const png = pngBytes(pixels, width, height);
    const decoded = await decodeImageBytes(png, "picture");
    assert.deepEqual([decoded.width, decoded.height, decoded.frames.length], [width, height, pixels.length]);
    assert.ok(Buffer.from(decoded.frames).equals(Buffer.from(pixels)));
    pixels[0]! ^= 1;
    assert.ok(!Buffer.from(decoded.frames).equals(Buffer.from(pixels)), "one bit is seen");
  });
}
