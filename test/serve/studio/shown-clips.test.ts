// What a model gets of a clip, as a file that people play: against the masks and the sounds of this process, and in a browser, where the
// player shows and sounds what the model is asked about.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import type { MediaClip } from "../../../src/media/clip.ts";
import { decodeClip } from "../../../src/media/decode.ts";
import { applyLocalMask } from "../../../src/media/local-mask.ts";
import { loadModel } from "../../../src/models/registry.ts";
import type { ChangeView, MaskView } from "../../../src/serve/studio/api.ts";
import type { StudioServer } from "../../../src/serve/studio/serve-studio.ts";
import { chromiumPath, desk, launchChromium, noChromium, overflow, phone, visit } from "../../support/chromium.ts";
import type { SmallTheatre } from "../../support/small-theatre.ts";
import { openXrayStudio, type XrayStudio } from "../../support/xray-studio.ts";

const headers = { authorization: "Bearer t" };
/** Of 255: x264 at its best is not the picture itself. */
const pixelTolerance = 6;
const heardAs = 0.95;
const none: ChangeView = { swap: null, masks: [] };
const everything = { from: 0, to: 1, left: 0, top: 0, right: 1, bottom: 1 };
const masked = (modality: MaskView["modality"], kind: string, part = everything): MaskView => ({
  ...{ modality, kind, ratio: 1, seed: 0 },
  part,
});

let theatre: SmallTheatre;
let server: StudioServer;
let model: string;
let run: string;
let ids: readonly string[];

let studio: XrayStudio;

before(async () => {
  studio = await openXrayStudio();
  ({ theatre, server, run, model, ids } = studio);
});
after(() => studio.close());

const mediaOf = (id: string) => join(theatre.corpus, theatre.samples.find((sample) => sample.id === id)!.media);

function ask(change: unknown, sample = ids[0]!): Promise<Response> {
  const question = encodeURIComponent(JSON.stringify({ model, run, sample, change }));
  return fetch(`${server.address}/api/xray/shown?question=${question}`, { headers });
}

async function shown(change: ChangeView): Promise<MediaClip> {
  const response = await ask(change);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "video/mp4");
  const file = join(theatre.root, "shown.mp4");
  writeFileSync(file, Buffer.from(await response.arrayBuffer()));
  return decodeClip(file, { fps: 25 });
}

/** Mean distance of pixels; sizes and numbers of frames have to be the same. */
function distance(a: MediaClip, b: MediaClip): number {
  assert.deepEqual([a.numFrames, a.height, a.width], [b.numFrames, b.height, b.width]);
  return a.frames.reduce((sum, value, i) => sum + Math.abs(value - b.frames[i]!), 0) / a.frames.length;
}

/** Of the two sounds at the best of the lags that an encoder may add. */
function alike(a: Float32Array, b: Float32Array): number {
  const at = (lag: number) => {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = 0; i < Math.min(a.length - 2000, b.length); i++) {
      const [x, y] = [a[i + lag]!, b[i]!];
      ab += x * y;
      aa += x * x;
      bb += y * y;
    }
    return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
  };
  return Math.max(...[0, 1, 2, 1023, 1024, 1025].map(at));
}

/** How far the colours that the player shows are from their mean: one colour has 0. */
const colorSpread = `(() => {
  const video = document.querySelector(".clip video");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let [sum, spread] = [0, 0];
  for (let i = 0; i < data.length; i++) if (i % 4 < 3) sum += data[i];
  const mean = sum / (data.length * 0.75);
  for (let i = 0; i < data.length; i++) if (i % 4 < 3) spread += Math.abs(data[i] - mean);
  return spread / (data.length * 0.75);
})()`;

async function eventually(page: Page, expression: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await page.evaluate(expression)) return;
    await page.waitForTimeout(50);
  }
  assert.fail(`never: ${expression}`);
}

describe("what a model gets of a clip", () => {
  test("its frames and masks are those of this process, its sound is the other clip's or what a mask leaves", async () => {
    using loaded = await loadModel(join(theatre.root, "runs", "mine", "model"));
    const fitted = async (id: string) => loaded.fitClip(await decodeClip(mediaOf(id), loaded.sampling));
    const [own, other] = [await fitted(ids[0]!), await fitted(ids[1]!)];
    const whole = await shown(none);
    assert.ok(distance(whole, own) < pixelTolerance);
    assert.ok(alike(whole.waveform, own.waveform) > heardAs);
    const corner = masked("video", "grey", { ...everything, right: 0.5, bottom: 0.5 });
    const seen = await shown({ swap: null, masks: [corner] });
    assert.ok(distance(seen, applyLocalMask(own, corner)) < pixelTolerance);
    assert.ok(distance(seen, own) > pixelTolerance, "the mask is not to be seen");
    const swapped = await shown({ swap: ids[1]!, masks: [] });
    assert.ok(alike(swapped.waveform, other.waveform) > heardAs);
    assert.ok(alike(swapped.waveform, own.waveform) < heardAs / 2, "the clip's own sound is heard");
    const half = masked("audio", "quiet", { ...everything, to: 0.5 });
    const { waveform } = await shown({ swap: null, masks: [half] });
    assert.ok(alike(waveform, applyLocalMask(own, half).waveform) > heardAs);
    assert.ok(waveform.subarray(2000, own.waveform.length / 2 - 2000).every((value) => Math.abs(value) < 0.01));
  });

  test("the same question gets the same file, also a part of it; what cannot be asked is said", async () => {
    const [first, again] = [await ask(none), await ask(none)];
    assert.deepEqual(await first.arrayBuffer(), await again.arrayBuffer());
    const question = encodeURIComponent(JSON.stringify({ model, run, sample: ids[0], change: none }));
    const part = await fetch(`${server.address}/api/xray/shown?question=${question}`, {
      headers: { ...headers, range: "bytes=4-7" },
    });
    assert.equal(part.status, 206);
    assert.equal(await part.text(), "ftyp");
    const refused = async (response: Promise<Response>, status: number, code: string) => {
      const got = await response;
      assert.deepEqual([got.status, ((await got.json()) as { error: { code: string } }).error.code], [status, code]);
    };
    await refused(ask(none, "nobody"), 404, "ERR_STUDIO_CLIP");
    await refused(ask({ swap: "nobody", masks: [] }), 404, "ERR_STUDIO_CLIP");
    await refused(ask({ swap: null, masks: [masked("video", "evil")] }), 400, "ERR_REQUEST_FIELD");
    const bare = fetch(`${server.address}/api/xray/shown?question=${encodeURIComponent("{")}`, { headers });
    await refused(bare, 400, "ERR_REQUEST_FIELD");
  });

  test("the player shows what the model gets once something is changed, and the clip itself when asked for it", {
    skip: chromiumPath === null ? noChromium : false,
  }, async () => {
    const browser = await launchChromium();
    try {
      const context = await browser.newContext();
      const first = await context.newPage();
      await first.goto(server.link);
      await first.close();
      const allowed = new RegExp(`^(${server.address}/|data:|blob:)`);
      const url = `${server.address}/#/xray/${run}?models=${model}`;
      const { page, complaints } = await visit(context, url, { viewport: desk, allowed, timeout: 120_000 });
      const source = "document.querySelector('.clip video')?.src ?? ''";
      await eventually(page, `(${source}).includes("/clips/")`);
      await eventually(page, "document.querySelector('.clip video').readyState >= 2");
      await eventually(page, `${colorSpread} > 10`);
      await page.keyboard.press("v");
      await page.getByLabel("Picture: dose").fill("100");
      await eventually(page, `(${source}).startsWith("blob:")`);
      await eventually(page, "document.querySelector('.clip video').readyState >= 2");
      await eventually(page, `${colorSpread} < 2`);
      // It goes on playing, with its sound.
      await eventually(page, "!document.querySelector('.clip video').paused");
      assert.equal(await page.evaluate("document.querySelector('.clip video').muted"), false);
      await page.getByLabel("Sound of").fill(ids[1]!);
      await page.getByLabel("Sound of").press("Enter");
      await page.waitForSelector(`text=the sound of ${ids[1]}, picture masked (grey)`);
      await page.getByRole("button", { name: "the clip", exact: true }).press("Enter");
      await eventually(page, `(${source}).includes("/clips/")`);
      await page.waitForSelector("text=nothing of the changes is seen or heard in it");
      for (const viewport of [desk, phone]) {
        await page.setViewportSize(viewport);
        assert.equal(await overflow(page), 0);
      }
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
    }
  });
});
