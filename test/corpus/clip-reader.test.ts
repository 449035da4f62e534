// The thread that reads clips, and the clips that it keeps on the disk.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ClipReader } from "../../src/corpus/clips/reader/clip-reader.ts";
import { cacheKeyOf, FrameCache } from "../../src/corpus/clips/reader/frame-cache.ts";
import type { ReaderOptions } from "../../src/corpus/clips/reader/messages.ts";
import { decodeSample } from "../../src/corpus/clips/sample-clip.ts";
import type { MediaClip } from "../../src/media/clip.ts";
import { encodeClip } from "../../src/media/encode/encode.ts";
import { BoundedFolder } from "../../src/run/bounded-folder.ts";
import { fixtureClip } from "../media/clip-fixture.ts";

const fit = { fps: 2, minFrames: 4, maxFrames: 768, pixels: { minPixels: 28 * 28, maxPixels: 56 * 56 } };
const files = { id: "a", media: "a.mp4" };

let root: string;

before(async () => {
  root = mkdtempSync(join(tmpdir(), "oppo-reader-"));
  await encodeClip(join(root, "a.mp4"), fixtureClip());
});
after(() => rmSync(root, { recursive: true, force: true }));

function reader(cache: ReaderOptions["cache"], lines: string[] = []): ClipReader {
  return new ClipReader({ root, fit, fitKey: "fit", workers: 2, maxSeconds: 100, cache }, (line) => lines.push(line));
}

test("gives what decoding here gives, refuses what cannot be read by its code, and is gone when it is closed", async () => {
  const expected = await decodeSample(root, files, { fit });
  const read = reader(null);
  const [clip, missing] = await Promise.allSettled([read.read(files), read.read({ id: "b", media: "b.mp4" })]);
  assert.equal(clip.status, "fulfilled");
  assert.deepEqual(clip.value, expected);
  assert.equal(missing.status, "rejected");
  assert.match(missing.reason.message, /b\.mp4: expected .*no such file/);
  assert.equal(missing.reason.code, "ERR_MEDIA_NOT_FOUND");
  const late = read.read(files);
  read[Symbol.dispose]();
  await Promise.allSettled([late]);
  await assert.rejects(async () => await read.read(files), /has ended/);
});

test("a folder that takes nothing ends the keeping, not the reading", async () => {
  const lines: string[] = [];
  const place = join(root, "a-file");
  writeFileSync(place, "");
  using read = reader({ folder: join(place, "below"), maxBytes: 1e9 }, lines);
  const clips = await Promise.all([read.read(files), read.read(files)]);
  assert.ok(clips.every(({ numFrames }) => numFrames > 0));
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /below: decoded clips are no longer kept \(/);
});

test("a clip is named by its files' sizes and times and by how the model looks at it", async () => {
  const key = (fitKey: string) => cacheKeyOf(root, files, fitKey);
  const first = await key("fit");
  assert.equal(await key("fit"), first);
  assert.notEqual(await key("other"), first);
  utimesSync(join(root, "a.mp4"), 5, 5);
  assert.notEqual(await key("fit"), first);
  assert.equal(await cacheKeyOf(root, { id: "b", media: "b.mp4" }, "fit"), null);
});

test("a kept clip is the same bytes, with what was missing in it; headers that lie are refused", async () => {
  const folder = join(root, "kept");
  const cache = await FrameCache.open(folder, 1e9);
  const plain = await decodeSample(root, files, { fit });
  const clip: MediaClip = { ...plain, notices: ["sound: stated 2 s"] };
  const silent: MediaClip = { ...plain, waveform: new Float32Array(0) };
  await Promise.all([cache.put("one", clip), cache.put("two", silent)]);
  assert.deepEqual(await cache.get("one"), clip);
  assert.deepEqual(await cache.get("two"), silent);
  assert.equal(await cache.get("three"), null);
  const path = join(folder, "one.frames");
  const header = JSON.stringify({ format: 1, sha256: "0".repeat(64), clip: {}, numSamples: 2 ** 50 });
  for (const text of ["", "no header", `${header}\n`, "x".repeat(1e5)]) {
    writeFileSync(path, text);
    assert.equal(await cache.get("one"), null, text.slice(0, 20));
    assert.ok(!readdirSync(folder).includes("one.frames"));
  }
});

test("a full folder loses what was read longest ago, and what is larger than it is not kept", async () => {
  const folder = join(root, "bounded");
  const bounded = await BoundedFolder.open(folder, ".x", 1000);
  const names = () => readdirSync(folder).sort();
  for (const [i, key] of ["a", "b", "c"].entries()) {
    await bounded.put(key, [new Uint8Array(300)]);
    utimesSync(join(folder, `${key}.x`), 10 + i, 10 + i);
  }
  assert.equal((await bounded.get("a"))!.length, 300);
  assert.ok(statSync(join(folder, "a.x")).mtimeMs > 1e6);
  await bounded.put("d", [new Uint8Array(100), new Uint8Array(200)]);
  assert.deepEqual(names(), ["a.x", "c.x", "d.x"]);
  await bounded.put("large", [new Uint8Array(1001)]);
  assert.deepEqual(names(), ["a.x", "c.x", "d.x"]);
  // What lay there before counts.
  const again = await BoundedFolder.open(folder, ".x", 1000);
  await again.put("e", [new Uint8Array(300)]);
  assert.equal(names().length, 3);
  assert.ok(names().includes("e.x") && !names().includes("c.x"));
});
