// The X-ray over HTTP with a very small model: what it says under masks and with another sound, and how much each token depends on
// what was taken away, against the same computed in this process.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { decodeClip } from "../../../src/media/decode.ts";
import { applyLocalMask } from "../../../src/media/local-mask.ts";
import type { ModelPrompt } from "../../../src/models/omni-model.ts";
import { loadModel } from "../../../src/models/registry.ts";
import { tokenDivergence } from "../../../src/rl/divergence.ts";
import type { ChangeView, DroppedClip, DroppedList, ModelList, XrayAnswer } from "../../../src/serve/studio/api.ts";
import type { StudioServer } from "../../../src/serve/studio/serve-studio.ts";
import { findModels } from "../../../src/serve/studio/xray/find-models.ts";
import { noGrad, scope } from "../../../src/tensor/index.ts";
import {
  chromiumPath,
  desk,
  launchChromium,
  noChromium,
  overflow,
  phone,
  seriousProblems,
  visit,
} from "../../support/chromium.ts";
import type { SmallTheatre } from "../../support/small-theatre.ts";
import { makeRun } from "../../support/studio-runs.ts";
import { openXrayStudio, type XrayStudio } from "../../support/xray-studio.ts";

const headers = { authorization: "Bearer t", "content-type": "application/json" };
/** float32 sums of a batch in another order. */
const natsTolerance = 1e-4;
/** The goal is 1 s on a machine that does nothing else. */
const firstWordLimit = 30_000;
const none: ChangeView = { swap: null, masks: [] };
const grey: ChangeView = { swap: null, masks: [{ modality: "video", kind: "grey", ratio: 1, seed: 0 }] };
const corner = { from: 0, to: 1, left: 0, top: 0, right: 0.5, bottom: 0.5 };

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

interface Heard {
  readonly events: { readonly event: string; readonly data: Record<string, unknown> }[];
  readonly firstAfter: number;
}

async function post(path: string, body: unknown, signal?: AbortSignal): Promise<Heard> {
  const start = performance.now();
  const init = { method: "POST", headers, body: JSON.stringify(body), ...(signal === undefined ? {} : { signal }) };
  const response = await fetch(`${server.address}/api/xray/${path}`, init);
  if (!response.ok)
    return { events: [{ event: String(response.status), data: (await response.json()) as never }], firstAfter: 0 };
  let text = "";
  let firstAfter = 0;
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    firstAfter ||= performance.now() - start;
    text += chunk;
  }
  const events = [...text.matchAll(/event: (\w+)\ndata: (.*)\n/g)].map((match) => ({
    event: match[1]!,
    data: JSON.parse(match[2]!),
  }));
  return { events, firstAfter };
}

const question = (change: ChangeView, more: Record<string, unknown> = {}) => ({
  model,
  run,
  sample: ids[0],
  change,
  ...more,
});
const answerOf = ({ events }: Heard) => events.at(-1)!.data as unknown as XrayAnswer;

async function natsOf(completion: readonly number[], changes: readonly ChangeView[]): Promise<number[][]> {
  const { events } = await post("compare", { model, run, sample: ids[0], completion, changes });
  assert.equal(events.at(-1)!.event, "done", JSON.stringify(events.at(-1)));
  const nats: number[][] = [];
  for (const { event, data } of events) if (event === "compared") nats[data.change as number] = data.nats as number[];
  return nats;
}

const largest = (values: readonly number[]) => Math.max(...values.map(Math.abs));

describe("the x-ray", () => {
  test("an answer comes in parts, whole and taken apart, the same every time; a mask changes what is said soon", async (t) => {
    const heard = await post("ask", question(none));
    const answer = answerOf(heard);
    const told = heard.events.filter(({ event }) => event === "delta").map(({ data }) => data.text);
    assert.equal(told.join(""), answer.text);
    assert.equal(answer.ends.length, answer.ids.length);
    // the last token may be the stop token, which the text has not
    assert.ok(answer.ends.slice(-2).includes(answer.text.length));
    assert.ok(answer.cues.length > 0);
    assert.equal(
      answer.similarity.length,
      answer.routingProblem === null ? answer.cues.length * answer.clauses.length : 0,
    );
    assert.deepEqual(answerOf(await post("ask", question(none))).ids, answer.ids);
    const masked = await post("ask", question(grey));
    t.diagnostic(`first word under a mask after ${Math.round(masked.firstAfter)} ms`);
    assert.ok(masked.firstAfter < firstWordLimit);
    assert.notDeepEqual(answerOf(masked).ids, answer.ids);
  });

  test("divergences of tokens are those of this process; a mask of dose 0 has none", async () => {
    const { ids: completion } = answerOf(await post("ask", question(none)));
    const short = completion.slice(0, 12);
    const local: ChangeView = { swap: null, masks: [{ ...grey.masks[0]!, part: corner }] };
    const off: ChangeView = { swap: null, masks: [{ ...grey.masks[0]!, ratio: 0 }] };
    // more than run together
    const many = [off, local, grey, ...Array.from({ length: 9 }, () => off), { swap: ids[1]!, masks: [] }];
    const nats = await natsOf(short, many);
    assert.equal(nats.length, many.length);
    for (const at of [0, 3, 11]) assert.ok(largest(nats[at]!) < natsTolerance);
    assert.ok(largest(nats[12]!) > natsTolerance, "another sound changes nothing");
    using loaded = await loadModel(join(theatre.root, "runs", "mine", "model"));
    const { media, subtitle } = theatre.samples.find(({ id }) => id === ids[0])!;
    const clip = loaded.fitClip(await decodeClip(join(theatre.corpus, media), loaded.sampling));
    const { userTurn, wordingOf } = await import("../../../src/corpus/wording.ts");
    const { wording } = wordingOf([join(theatre.root, "runs", "mine", "model")]);
    for (const [change, other, got] of [
      [local, grey, nats[1]!],
      [grey, local, nats[2]!],
    ] as const) {
      const expected = (one: ChangeView) =>
        scope(() => {
          const views = [clip, one.masks.reduce(applyLocalMask, clip)].map((view) => loaded.features(view));
          const rows = noGrad(() => loaded.encode(views));
          const tokens = loaded.chatTokens(
            [
              {
                role: "user",
                parts: [
                  { type: "clip", clip: views[0]! },
                  { type: "text", text: userTurn(wording, subtitle, wording.question) },
                ],
              },
            ],
            loaded.layouts.includes("audio-in-video") ? { layout: "audio-in-video" } : {},
          );
          const [full, masked] = rows.map((row): ModelPrompt => ({ tokens, rows: row }));
          return tokenDivergence(loaded, full!, masked!, [Int32Array.from(short)])[0]!;
        });
      const difference = (one: ChangeView) => largest(Array.from(expected(one), (value, i) => value - got[i]!));
      assert.ok(difference(change) < natsTolerance, `off by ${difference(change)}`);
      // negative control: another mask's are others
      assert.ok(difference(other) > natsTolerance);
    }
  });

  test("who goes away is not computed for any more", async () => {
    const { ids: completion } = answerOf(await post("ask", question(none)));
    const gone = new AbortController();
    const many = Array.from({ length: 512 }, () => grey);
    const asked = post("compare", { model, run, sample: ids[0], completion, changes: many }, gone.signal);
    await new Promise((resolve) => setTimeout(resolve, 300));
    gone.abort();
    await assert.rejects(asked);
    assert.equal((await post("ask", question(none))).events.at(-1)!.event, "done");
  });

  test("an answer does not wait for a long comparison that was asked for before it", async () => {
    const { ids: completion } = answerOf(await post("ask", question(none)));
    const many = Array.from({ length: 64 }, () => grey);
    const order: string[] = [];
    const compared = post("compare", { model, run, sample: ids[0], completion, changes: many }).then((heard) => {
      order.push("compared");
      return heard;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const loud: ChangeView = { swap: null, masks: [{ modality: "audio", kind: "noise", ratio: 0.9, seed: 3 }] };
    await post("ask", question(loud));
    order.push("said");
    const { events } = await compared;
    assert.deepEqual(order, ["said", "compared"]);
    const told = events.filter(({ event }) => event === "compared").map(({ data }) => data.change);
    assert.deepEqual(
      told,
      many.map((_, i) => i),
    );
  });

  test("what cannot be asked is said", async () => {
    const refused = async (body: unknown, event: string, code: string) => {
      const { events } = await post("ask", body);
      assert.equal(events[0]!.event, event);
      assert.equal((events[0]!.data.error as { code: string }).code, code);
    };
    await refused(question(none, { model: "nothing" }), "failed", "ERR_STUDIO_MODEL");
    await refused(question(none, { sample: "nobody" }), "failed", "ERR_STUDIO_CLIP");
    await refused(question({ swap: "nobody", masks: [] }), "failed", "ERR_STUDIO_CLIP");
    const mask = grey.masks[0]!;
    const wrongs: ChangeView["masks"] = [
      { ...mask, kind: "evil" },
      { ...mask, ratio: 2 },
      { ...mask, part: { ...corner, from: 1, to: 0 } },
      { ...mask, part: { ...corner, band: { lowHz: 300, highHz: 100 } } },
      { ...mask, part: { ...corner, painted: { columns: 1e9, rows: 2, cells: [0] } } },
      { ...mask, kind: "swap" },
      { ...mask, modality: "audio", kind: "features" },
    ];
    for (const wrong of wrongs) {
      await refused(question({ swap: null, masks: [wrong] }), "400", "ERR_REQUEST_FIELD");
    }
  });

  test("the room in a browser: a mask and a clause's map, by its own controls, without a complaint", {
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
      await page.waitForSelector(".xray-model .said:not(.live)");
      await page.getByLabel("Picture: dose").fill("100");
      await page.waitForSelector("mark.heat");
      await page.waitForSelector(".xray-model div:nth-child(2) > .said:not(.live)");
      await page.waitForURL(/video=grey%2C100/);
      const clause = page.locator("button.clause").first();
      if ((await clause.count()) > 0) {
        await clause.press("Enter");
        await page.waitForSelector(".sound i");
        assert.equal(await page.locator(".brush .cell").count(), 16);
      }
      // the brush, by keys and by the pointer; a band of the sound; Cancel; a clip of this machine
      await page.getByRole("button", { name: "brush", exact: true }).press("Enter");
      const brush = page.getByRole("application");
      await brush.press("ArrowUp");
      await brush.press(" ");
      await page.waitForSelector(".brush .painted");
      await page.waitForURL(/paint=0+8|paint=0+[1-9a-f]/);
      const { x, y, width, height } = (await brush.boundingBox())!;
      await page.mouse.move(x + 0.2 * width, y + 0.2 * height);
      await page.mouse.down();
      await page.mouse.move(x + 0.6 * width, y + 0.2 * height, { steps: 3 });
      await page.mouse.up();
      const numPainted = await page.locator(".brush .painted").count();
      assert.ok(numPainted >= 7, String(numPainted));
      await page.getByLabel("Sound: dose").fill("100");
      await page.getByLabel("Sound: above").fill("300");
      await page.waitForURL(/band=300-8000/);
      await page.waitForSelector(".xray-model div:nth-child(2) > .said:not(.live)");
      await page.setInputFiles("input[type=file]", {
        name: "mine.mp4",
        mimeType: "video/mp4",
        buffer: readFileSync(join(theatre.corpus, theatre.samples[1]!.media)),
      });
      await page.waitForSelector(".drop [role=status] >> text=/mine.mp4: [0-9.]+ s/");
      await page.waitForSelector(".xray-model .said:not(.live)");
      await page.waitForURL(/sample=dropped-/);
      await page.waitForSelector("text=The clip has no annotated cues.");
      assert.deepEqual(await seriousProblems(page), []);
      for (const viewport of [desk, phone]) {
        await page.setViewportSize(viewport);
        assert.equal(await overflow(page), 0);
      }
      await page.emulateMedia({ colorScheme: "dark" });
      assert.deepEqual(await seriousProblems(page), []);
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
    }
  });

  test("a band of the sound and painted cells of the picture are other changes than the whole", async () => {
    const { ids: completion } = answerOf(await post("ask", question(none)));
    const everything = { from: 0, to: 1, left: 0, top: 0, right: 1, bottom: 1 };
    const quiet = (part: Record<string, unknown>): ChangeView => ({
      swap: null,
      masks: [{ modality: "audio", kind: "quiet", ratio: 1, seed: 0, part: { ...everything, ...part } }],
    });
    const painted = (cells: readonly number[]): ChangeView => ({
      swap: null,
      masks: [{ ...grey.masks[0]!, part: { ...everything, painted: { columns: 2, rows: 2, cells } } }],
    });
    const quarter: ChangeView = { swap: null, masks: [{ ...grey.masks[0]!, part: corner }] };
    const changes = [
      ...[quiet({}), quiet({ band: { lowHz: 0, highHz: 8001 } }), quiet({ band: { lowHz: 0, highHz: 400 } })],
      ...[painted([]), painted([0]), quarter],
    ];
    const nats = await natsOf(completion.slice(0, 12), changes);
    const differ = (a: number, b: number) => largest(nats[a]!.map((value, i) => value - nats[b]![i]!));
    assert.ok(differ(0, 1) < natsTolerance, "all frequencies are the sound");
    assert.ok(differ(0, 2) > natsTolerance, "a band is not");
    assert.ok(largest(nats[3]!) < natsTolerance, "no cell, no mask");
    assert.ok(
      differ(4, 5) < natsTolerance && largest(nats[4]!) > natsTolerance,
      "the first of four cells is the corner",
    );
  });

  test("a clip is dropped in: asked about, played, heard behind another; what cannot be shown says why", async () => {
    const send = (name: string, body: Uint8Array | Buffer) =>
      fetch(`${server.address}/api/xray/clips?name=${encodeURIComponent(name)}`, {
        method: "POST",
        headers: { authorization: "Bearer t", "content-type": "application/octet-stream" },
        body: new Uint8Array(body),
      });
    const own = theatre.samples.find(({ id }) => id === ids[1])!;
    const bytes = readFileSync(join(theatre.corpus, own.media));
    const reply = await send("../../my clip.MP4", bytes);
    const clip = (await reply.json()) as DroppedClip;
    assert.equal(reply.status, 200, JSON.stringify(clip));
    assert.match(clip.id, /^dropped-[0-9a-f]{24}$/);
    assert.ok(clip.seconds > 0 && clip.hasSound);
    assert.deepEqual(await (await send("again.mp4", bytes)).json(), clip);
    const media = await fetch(`${server.address}/api/xray/clips/${clip.id}`, { headers });
    assert.equal(media.headers.get("content-type"), "video/mp4");
    assert.deepEqual(Buffer.from(await media.arrayBuffer()), bytes);
    const heard = answerOf(await post("ask", question(none, { sample: clip.id })));
    assert.ok(heard.ids.length > 0);
    assert.match(heard.routingProblem!, /no annotated cues/);
    // its sound is the very sound of the clip that it is a copy of
    const swapped = async (swap: string) => answerOf(await post("ask", question({ swap, masks: [] }))).ids;
    assert.deepEqual(await swapped(clip.id), await swapped(ids[1]!));
    for (const [name, body, status, words] of [
      ["page.html", bytes, 400, /expected a video/],
      ["broken.mp4", Buffer.from("<script>no</script>".repeat(50)), 400, /dropped clip: the file: expected/],
      ["cut.mp4", bytes.subarray(0, bytes.length / 3), 400, /the file/],
      ["empty.mp4", Buffer.alloc(0), 400, /empty/],
    ] as const) {
      const refused = await send(name, body);
      const { error } = (await refused.json()) as { error: { code: string; message: string } };
      assert.equal(refused.status, status, error.message);
      assert.equal(error.code, "ERR_STUDIO_CLIP");
      assert.match(error.message, words);
      assert.ok(!error.message.includes("oppo-dropped-"), error.message);
    }
    const { clips } = (await (await fetch(`${server.address}/api/xray/clips`, { headers })).json()) as DroppedList;
    assert.deepEqual(clips, [clip]);
    assert.equal((await fetch(`${server.address}/api/xray/clips/dropped-none`, { headers })).status, 404);
    const foreign = { ...headers, origin: "http://elsewhere.example" };
    const other = await fetch(`${server.address}/api/xray/clips?name=a.mp4`, {
      method: "POST",
      headers: foreign,
      body: "x",
    });
    assert.equal(other.status, 403);
  });

  test("a model that cannot be loaded says why, and is tried again", async () => {
    const folder = join(theatre.root, "runs", "broken", "model");
    makeRun(join(theatre.root, "runs"), "broken", { steps: 1, data: theatre.samplesFile });
    mkdirSync(folder);
    writeFileSync(join(folder, "config.json"), '{"model_type":"nothing"}');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { models } = (await (await fetch(`${server.address}/api/models`, { headers })).json()) as ModelList;
    const broken = models.find(({ name }) => name.includes("broken"))!.id;
    for (let i = 0; i < 2; i++) {
      const { events } = await post("ask", question(none, { model: broken }));
      assert.equal(events[0]!.event, "failed");
      assert.match((events[0]!.data.error as { message: string }).message, /nothing/);
    }
    rmSync(folder, { recursive: true });
    assert.deepEqual(findModels([]), []);
  });
});
