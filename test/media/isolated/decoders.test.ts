// Decoding in a process of its own: the same clips, and whatever a file does to the process is an error of that file, told in
// time, with nothing left behind; the next file decodes as ever.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { decodeClip as decodeHere } from "../../../src/media/decode.ts";
import { decodeImage as decodeImageHere } from "../../../src/media/decode-image.ts";
import { encodeClip } from "../../../src/media/encode/encode.ts";
import { fitPicture, fitVideo, type VideoFit } from "../../../src/media/fit.ts";
import { Decoders, defaultDecoderLimits } from "../../../src/media/isolated/decoders.ts";
import { decodeClip, decodeImage, probeClip } from "../../../src/media/isolated/index.ts";
import { MediaError } from "../../../src/media/media-error.ts";
import { gifFile } from "../../support/odd-media.ts";
import { childrenOf, hasProcesses, isRunning } from "../../support/processes.ts";
import { skipVideo } from "../../support/skip-video.ts";
import { sharedFolder } from "../../support/temporary-folder.ts";
import { fixtureClip } from "../clip-fixture.ts";

const fit: VideoFit = { fps: 2, minFrames: 4, maxFrames: 768, pixels: { minPixels: 12544, maxPixels: 12544 } };
const second = 1000;

const folder = sharedFolder();
const at = (name: string) => join(folder, name);
/** Decodes for several seconds, in which no message is read. */
const slowFile = at("slow.h264");
const goodFile = at("good.mp4");

before(async () => {
  writeFileSync(slowFile, skipVideo(1920, 1088, 3000));
  await encodeClip(goodFile, fixtureClip({ numFrames: 60 }));
});

const decodersOf = (limits: Partial<typeof defaultDecoderLimits>) =>
  new Decoders({ ...defaultDecoderLimits, ...limits }, 1);
const request = (path: string) => ({ kind: "clip", path, options: { fit } }) as const;

/** Folders of the decoder processes that a process started. */
const decoderFolders = (pid: number) => readdirSync(tmpdir()).filter((name) => name.startsWith(`oppo-decode-${pid}-`));

async function until(what: string, isSo: () => boolean, milliseconds = second): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!isSo()) {
    if (Date.now() > end) assert.fail(`waited for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("the same clips as in this process, fitted as they come: bytes, rates, lengths", async () => {
  const files = [goodFile, at("wide.mp4"), at("long.mp4")];
  await encodeClip(files[1]!, fixtureClip({ width: 320, height: 90, numFrames: 33, fps: 30 }));
  await encodeClip(files[2]!, fixtureClip({ numFrames: 200, fps: 10, seconds: 20 }));
  const fits: VideoFit[] = [fit, { ...fit, maxFrames: 6 }, { fps: 1, minFrames: 2, maxFrames: 8 }];
  const square = { side: 48, shape: "pad" } as const;
  fits.push({ parts: 8, square, sound: { maxSeconds: 1, stereo: "mean" } }, { parts: "seconds", square });
  for (const file of files) {
    for (const one of fits) {
      const { pixels: _, square: __, sound: ___, ...sampling } = one;
      const afterwards = fitVideo(await decodeHere(file, sampling), one);
      assert.deepEqual(await decodeClip(file, { fit: one }), afterwards);
    }
  }
  assert.notDeepEqual(
    (await decodeClip(goodFile, { fit })).frames,
    (await decodeClip(goodFile, { fit: { ...fit, pixels: { minPixels: 50176, maxPixels: 50176 } } })).frames,
  );
  writeFileSync(at("picture.gif"), gifFile(90, 40, [50]));
  const range = { minPixels: 3136, maxPixels: 3136 };
  assert.deepEqual(
    await decodeImage(at("picture.gif"), { range }),
    fitPicture(await decodeImageHere(at("picture.gif")), range),
  );
  assert.equal((await probeClip(goodFile)).video!.width, 64);
});

test("errors are what they are in this process", async () => {
  writeFileSync(at("text.mp4"), "this is no clip");
  for (const [path, options] of [
    [at("nothing.mp4"), {}],
    [at("text.mp4"), {}],
    [goodFile, { maxPixels: 1000 }],
    [goodFile, { maxDurationSeconds: 1 }],
  ] as const) {
    const here = await refusal(decodeHere(path, options));
    const there = await refusal(decodeClip(path, options));
    assert.deepEqual([there.name, there.code, there.message], [here.name, here.code, here.message]);
    assert.equal(there.file, path);
  }
});

async function refusal(decoding: Promise<unknown>): Promise<MediaError> {
  const error = await decoding.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof MediaError);
  return error;
}

describe("a process that ends", () => {
  test("is the file's error, and the next file gets a new process", { skip: !hasProcesses }, async () => {
    const decoders = decodersOf({});
    const others = childrenOf(process.pid);
    const lost = assert.rejects(decoders.run(request(slowFile)), {
      ...{ code: "ERR_MEDIA_CRASH", file: slowFile, message: /SIGSEGV/ },
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const own = childrenOf(process.pid).filter((pid) => !others.includes(pid));
    assert.equal(own.length, 1);
    process.kill(own[0]!, "SIGSEGV");
    await lost;
    assert.equal((await decoders.run(request(goodFile))).numFrames, 4);
    const next = decoders.idlePid!;
    assert.notEqual(next, own[0]);
    // One that ends between two files is nobody's fault, even where it is noticed with the next one.
    process.kill(next, "SIGKILL");
    assert.equal((await decoders.run(request(goodFile))).numFrames, 4);
    assert.notEqual(decoders.idlePid, next);
  });

  test("at its limits of processor time, of time and of memory", async () => {
    for (const [limits, code] of [
      [{ maxCpuSeconds: 0.5 }, "ERR_MEDIA_TIME"],
      [{ maxSeconds: 0.5 }, "ERR_MEDIA_TIME"],
    ] as const) {
      const decoders = decodersOf(limits);
      await assert.rejects(decoders.run(request(slowFile)), { code, file: slowFile });
      assert.equal(decoders.idlePid, undefined);
    }
    // Pixels, a canvas and a copy of each: more than this leaves.
    writeFileSync(at("large.gif"), gifFile(4000, 3000, [50]));
    const picture = { kind: "image", path: at("large.gif"), options: { range: fit.pixels! } } as const;
    // Skia says of memory that it does not get that the picture is broken.
    const tooLarge = await refusal(decodersOf({ maxBytes: 200 * 2 ** 20 }).run(picture));
    assert.match(tooLarge.code, /^ERR_MEDIA_(MEMORY|BROKEN)$/);
    assert.equal((await decodersOf({}).run(picture)).numFrames, 1, "control: within the usual limit");
  });

  test("when nobody waits any more: at once, and nothing is left", async () => {
    const folders = decoderFolders(process.pid);
    const decoders = decodersOf({});
    const stop = new AbortController();
    const lost = decoders.run(request(slowFile), stop.signal);
    await until("a decoder", () => decoderFolders(process.pid).length > folders.length);
    const start = performance.now();
    setTimeout(() => stop.abort(new Error("enough")), 300);
    await assert.rejects(lost, /enough/);
    assert.ok(performance.now() - start < second);
    assert.ok(decoderFolders(process.pid).every((name) => folders.includes(name)));
    await assert.rejects(decoders.run(request(goodFile), stop.signal), /enough/);
    assert.equal((await decoders.run(request(goodFile))).numFrames, 4);
  });

  test("when its parent is killed or interrupted, busy or idle", { skip: !hasProcesses }, async () => {
    const script = `
      const { decodeClip } = await import(${JSON.stringify(moduleUrl)});
      const [, good, slow] = process.argv;
      await decodeClip(good);
      console.log("decoded");
      if (slow) await decodeClip(slow);
      setInterval(() => undefined, 1000);`;
    for (const [signal, files] of [
      ["SIGKILL", [goodFile, slowFile]],
      ["SIGINT", [goodFile, slowFile]],
      ["SIGKILL", [goodFile]],
    ] as const) {
      const parent = spawn(process.execPath, ["--input-type=module", "-e", script, ...files], { stdio: "pipe" });
      await new Promise((resolve) => parent.stdout.once("data", resolve));
      await new Promise((resolve) => setTimeout(resolve, 200));
      const own = decoderFolders(parent.pid!);
      const pids = childrenOf(parent.pid!);
      assert.ok(own.length === 1 && pids.length === 1, `${own.join()} ${pids.join()}`);
      parent.kill(signal);
      await until(
        "the decoder's end",
        () => !pids.some(isRunning) && !own.some((name) => existsSync(join(tmpdir(), name))),
      );
    }
  });
});

const moduleUrl = new URL("../../../src/media/isolated/index.js", import.meta.url).href;
