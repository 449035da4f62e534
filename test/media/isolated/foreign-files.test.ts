// Files that would make FFmpeg open others, or that hide behind a false size: only the file itself is opened, in usual
// containers and codecs, and what is decoded is what counts.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { createCanvas } from "@napi-rs/canvas";
import { readImageHeader } from "../../../src/media/decode/image-header.ts";
import { encodeClip } from "../../../src/media/encode/encode.ts";
import { decodeClip, decodeImage } from "../../../src/media/isolated/index.ts";
import { wavFile } from "../../support/odd-media.ts";
import { skipVideo } from "../../support/skip-video.ts";
import { sharedFolder } from "../../support/temporary-folder.ts";
import { fixtureClip } from "../clip-fixture.ts";

const folder = sharedFolder();
const at = (name: string) => join(folder, name);
/** What the files below lead to: it lies beside them and decodes. */
const target = "target.mp4";

before(async () => {
  await encodeClip(at(target), fixtureClip({ numFrames: 60 }));
});

function write(name: string, content: string | Uint8Array): string {
  writeFileSync(at(name), content);
  return at(name);
}

describe("only the file itself", () => {
  const url = () => `file://${at(target)}`;
  const lists: readonly (readonly [name: string, content: () => string])[] = [
    ["hls.m3u8", () => `#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2.0,\n${target}\n#EXT-X-ENDLIST\n`],
    ["hls-named-as-video.mp4", () => `#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2.0,\n${url()}\n#EXT-X-ENDLIST\n`],
    ["concat.txt", () => `ffconcat version 1.0\nfile ${target}\n`],
    [
      "dash.mpd",
      () =>
        `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>${target}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
    ],
    [
      "session.sdp",
      () =>
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ],
    [
      "subtitles.idx",
      () =>
        "# VobSub index file, v7 (do not modify this line!)\nsize: 64x48\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 000000000\n",
    ],
    [
      "smooth.ism",
      () =>
        `<?xml version="1.0"?><SmoothStreamingMedia MajorVersion="2"><StreamIndex Url="${target}"/></SmoothStreamingMedia>`,
    ],
    ["reference.mov", () => `rtsptextRTSP://127.0.0.1/${target}\n`],
    ["picture-%03d.png", () => "an image sequence is a pattern, and this is no picture"],
    [
      "tile.imf",
      () =>
        `<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">${target}</CompositionPlaylist>`,
    ],
  ];
  for (const [name, content] of lists) {
    test(name, async () => {
      const file = write(name, content());
      await assert.rejects(decodeClip(file), { code: "ERR_MEDIA_INVALID", file });
    });
  }

  test("control: what they lead to decodes, under any name", async () => {
    for (const name of [target, "no-suffix", "named.m3u8"]) {
      const clip = await decodeClip(write(name, readFileSync(at(target))));
      assert.equal(clip.numFrames, 4);
    }
  });

  test("no address, no protocol of FFmpeg's own, no pattern", async () => {
    for (const path of [
      `concat:${at(target)}|${at(target)}`,
      `subfile,,start,0,end,0,,:${at(target)}`,
      "pipe:0",
      url(),
      "http://127.0.0.1:9/x.mp4",
      at("targe%d.mp4"),
    ]) {
      await assert.rejects(decodeClip(path), { code: "ERR_MEDIA_NOT_FOUND" });
    }
  });

  test("a mov whose samples lie in another file gives nothing of that file", async () => {
    const whole = readFileSync(at(target));
    // A data reference of its own (flag 1 of "url ") becomes one to a path.
    const reference = whole.indexOf("url ", whole.indexOf("dref"));
    const external = Buffer.from(whole);
    external.writeUInt32BE(0, reference + 4);
    // The samples are gone: what decodes now was read elsewhere.
    external.fill(0, whole.indexOf("mdat") + 4);
    const file = write("external.mov", external);
    const result = await decodeClip(file).then(
      ({ frames }) => frames,
      (error: { code: string }) => error.code,
    );
    const own = (await decodeClip(at(target))).frames;
    assert.notDeepEqual(result, own);
    assert.match(String(result), /^ERR_MEDIA_/);
  });
});

test("a codec that is not among the usual ones is refused by its name, one among them is not", async () => {
  const whole = readFileSync(at(target));
  const renamed = Buffer.from(whole);
  for (let i = renamed.indexOf("avc1"); i >= 0; i = renamed.indexOf("avc1", i + 4)) renamed.write("cvid", i);
  await assert.rejects(decodeClip(write("cinepak.mov", renamed)), { code: "ERR_MEDIA_CODEC", message: /cinepak/ });
  assert.equal((await decodeClip(at(target))).numFrames, 4);
});

describe("sizes", () => {
  /** Of a GIF: a screen of one pixel and one frame. */
  const gif = (width: number, height: number) => {
    const bytes = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");
    const image = bytes.indexOf(0x2c, 13 + 6);
    bytes.writeUInt16LE(width, image + 5);
    bytes.writeUInt16LE(height, image + 7);
    return bytes;
  };

  test("a GIF whose frame is larger than its screen counts with the frame", async () => {
    assert.ok(gif(20000, 20000).length < 60);
    assert.deepEqual(readImageHeader(gif(20000, 20000)), { width: 20000, height: 20000 });
    const bomb = write("bomb.gif", gif(20000, 20000));
    await assert.rejects(decodeImage(bomb), { code: "ERR_MEDIA_TOO_LARGE", message: /got 20000 x 20000/ });
    assert.equal((await decodeImage(write("dot.gif", gif(1, 1)))).width, 1);
    assert.ok((await decodeImage(write("small.gif", gif(30, 20)))).width >= 1, "control: a small one decodes");
  });

  test("a JPEG with bare markers or rubbish before its size, and a second size", async () => {
    const whole = createCanvas(64, 48).toBuffer("image/jpeg");
    const size = whole.indexOf(Buffer.of(0xff, 0xc0));
    const fake = Buffer.from(whole.subarray(size, size + 2 + whole.readUInt16BE(size + 2)));
    fake.writeUInt16BE(8, 5);
    fake.writeUInt16BE(8, 7);
    const large = Buffer.from(fake);
    large.writeUInt16BE(20000, 5);
    large.writeUInt16BE(20000, 7);
    const real = (header: Buffer) => Buffer.concat([header, whole.subarray(size + fake.length)]);
    // A restart marker has no length: its "length" would lead past the true size, to the fake one.
    const hidden = Buffer.concat([Buffer.of(0xff, 0xd0), large]);
    const lead = Buffer.from(hidden.subarray(0, 2));
    for (const [name, bytes] of [
      ["restart", Buffer.concat([whole.subarray(0, size), lead, real(large)])],
      ["rubbish", Buffer.concat([whole.subarray(0, size), Buffer.of(1, 2, 3), real(large)])],
      ["two sizes", Buffer.concat([whole.subarray(0, size), fake, real(large)])],
    ] as const) {
      assert.deepEqual(readImageHeader(bytes), { width: 20000, height: 20000 }, name);
      await assert.rejects(decodeImage(write("fake.jpg", bytes)), { code: "ERR_MEDIA_TOO_LARGE" });
    }
    assert.deepEqual(readImageHeader(whole), { width: 64, height: 48 });
    assert.equal((await decodeImage(write("whole.jpg", whole))).width, 64);
  });

  test("a WebP frame larger than its canvas counts; BMP cores have sides of 16 bits", async () => {
    const webp = createCanvas(64, 48).toBuffer("image/webp");
    assert.deepEqual(readImageHeader(webp), { width: 64, height: 48 });
    const head = Buffer.alloc(18);
    head.write("VP8X", 0);
    head.writeUInt32LE(10, 4);
    const extended = Buffer.concat([webp.subarray(0, 12), head, webp.subarray(12)]);
    assert.deepEqual(readImageHeader(extended), { width: 64, height: 48 }, "not the canvas of one pixel");
    const core = Buffer.alloc(26 + 4 * 3 * 4);
    core.write("BM", 0);
    core.writeUInt32LE(core.length, 2);
    core.writeUInt32LE(26, 10);
    core.writeUInt32LE(12, 14);
    for (const [i, value] of [3, 4, 1, 24].entries()) core.writeUInt16LE(value, 18 + 2 * i);
    assert.deepEqual(readImageHeader(core), { width: 3, height: 4 });
    const { width, height } = await decodeImage(write("core.bmp", core));
    assert.deepEqual([width, height], [3, 4]);
  });

  test("a video that grows on the way is refused where it does", async () => {
    const grows = write("grows.h264", Buffer.concat([skipVideo(64, 48, 6), skipVideo(640, 480, 6)]));
    await assert.rejects(decodeClip(grows, { maxPixels: 10_000 }), (error: { code: string }) =>
      ["ERR_MEDIA_TOO_LARGE", "ERR_MEDIA_TOO_FEW_FRAMES", "ERR_MEDIA_BROKEN"].includes(error.code),
    );
    assert.equal((await decodeClip(grows)).width, 64, "control: within the usual limit");
  });

  test("pixels to decode and pixels to keep are bounded, whatever the bytes are", async () => {
    const skips = write("skips.h264", skipVideo(320, 240, 500));
    const pixels = 500 * 320 * 240;
    await assert.rejects(decodeClip(skips, { maxDecodedPixels: pixels - 1 }), {
      code: "ERR_MEDIA_TOO_LARGE",
      message: new RegExp(`at most ${pixels - 1} pixels in all frames to decode`),
    });
    assert.equal((await decodeClip(skips, { maxDecodedPixels: pixels })).numFrames, 40);
    await assert.rejects(decodeClip(skips, { maxClipPixels: 40 * 320 * 240 - 1 }), { code: "ERR_MEDIA_TOO_LARGE" });
    const fit = { fps: 2, minFrames: 4, maxFrames: 768, pixels: { minPixels: 784, maxPixels: 3136 } };
    assert.equal((await decodeClip(skips, { maxClipPixels: 40 * 3136, fit })).numFrames, 40);
  });

  test("a sound of one sample per second is as long as it says", async () => {
    const wav = wavFile([new Float32Array(5000)], 16000);
    wav.writeUInt32LE(1, 24);
    wav.writeUInt32LE(2, 28);
    await assert.rejects(decodeClip(write("slow.wav", wav)), { code: "ERR_MEDIA_TOO_LONG" });
  });
});
