// The studio in a real browser: live, on a phone and on a desk, dark and light, by keys alone, with many runs and many rollouts, with
// hostile ones, and with nothing that keeps people out (axe-core). Times are printed; their limits are those of a loaded machine.
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { encodeClip } from "../../../src/media/encode/encode.ts";
import { type StudioServer, serveStudio } from "../../../src/serve/studio/serve-studio.ts";
import { fixtureClip } from "../../media/clip-fixture.ts";
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
import { groupRow, line, makeRun, metricsRow } from "../../support/studio-runs.ts";

/** The goals are 1 s, 2 s and .1 s on a machine that does nothing else. */
const paintLimit = 8000;
const liveLimit = 8000;
const pageLimit = 1000;
const lookMilliseconds = 300;
/** As a keyboard repeats; longer than a browser lets its history be written at such a rate. */
const repeatMilliseconds = 33;
const numHeldLong = 300;
const numHeld = 60;
const stallLimit = 8000;
/** Of a page and of a group two each, and two guesses. */
const mostAtOnce = 6;
const script = "<img src=x onerror=window.isBroken=1><script>window.isBroken=1</script>";

const folder = mkdtempSync(join(tmpdir(), "oppo-studio-"));
let browser: Browser;
let context: BrowserContext;
let server: StudioServer;

before(async () => {
  if (chromiumPath === null) return;
  mkdirSync(join(folder, "corpus"));
  await encodeClip(join(folder, "corpus", "a.mp4"), fixtureClip({ seconds: 1 }));
  const samples = Array.from({ length: 7 }, (_, i) => ({
    id: `clip-${i}`,
    media: "a.mp4",
    subtitle: "get out",
    labels: ["angry"],
    cues: [],
  }));
  const data = join(folder, "corpus", "rl.jsonl");
  writeFileSync(data, samples.map(line).join(""));
  makeRun(folder, "many", { steps: 500, groups: 5, data });
  makeRun(folder, "live", { steps: 40, wantedSteps: 100, data });
  makeRun(folder, "baseline", { steps: 40, preset: "baseline", data });
  const hostile = makeRun(folder, "hostile", { steps: 3, groups: 0, preset: "'<img src=x>'" });
  writeFileSync(join(hostile, "warnings.jsonl"), line({ step: 1, name: "x", line: script }));
  writeFileSync(
    join(hostile, "rollouts.jsonl"),
    line({ ...groupRow(0, script), cues: [{ kind: "video", text: script }] }),
  );
  appendFileSync(join(hostile, "metrics.jsonl"), '{"step":3,"rew');
  server = await serveStudio({
    folders: [folder],
    host: "127.0.0.1",
    port: 0,
    token: "t",
    command: null,
    log: () => undefined,
  });
  browser = await launchChromium();
  context = await browser.newContext();
  const first = await context.newPage();
  await first.goto(server.link);
  await first.close();
});

after(async () => {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = (hash: string, viewport = desk) =>
  visit(context, `${server.address}/${hash}`, { viewport, allowed: new RegExp(`^(${server.address}/|data:|blob:)`) });

/** A run's id as the page has it. */
async function runId(name: string): Promise<string> {
  const { runs } = (await (await context.request.get(`${server.address}/api/runs`)).json()) as {
    runs: { id: string; name: string }[];
  };
  return runs.find((run) => run.name.endsWith(name))!.id;
}

/** Milliseconds from a key to the next group's being there, by the page's own clock. */
const pressed = (key: string) => `new Promise((resolve) => {
  const line = () => document.querySelector(".group")?.dataset.line;
  const [was, start] = [line(), performance.now()];
  const watch = new MutationObserver(() => {
    if (line() === undefined || line() === was) return;
    watch.disconnect();
    resolve(performance.now() - start);
  });
  watch.observe(document.body, { subtree: true, childList: true, attributes: true });
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "${key}", bubbles: true }));
})`;

/** Counts the groups that are shown from now on, and the longest time between two. */
const watchShown = `(() => {
  const line = () => document.querySelector(".group")?.dataset.line;
  window.watch?.disconnect();
  window.held = { shown: 0, longest: 0 };
  let [was, at] = [line(), performance.now()];
  window.watch = new MutationObserver(() => {
    if (line() === undefined || line() === was) return;
    const now = performance.now();
    window.held = { shown: window.held.shown + 1, longest: Math.max(window.held.longest, now - at) };
    [was, at] = [line(), now];
  });
  window.watch.observe(document.body, { subtree: true, childList: true, attributes: true });
})()`;
/** Presses a key as a keyboard does that repeats it. */
const held = (key: string, numRepeats: number) => `new Promise((resolve) => {
  let numPressed = 0;
  const timer = setInterval(() => {
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "${key}", bubbles: true, repeat: numPressed > 0 }));
    if (++numPressed < ${numRepeats}) return;
    clearInterval(timer);
    resolve();
  }, ${repeatMilliseconds});
})`;
/** What is shown is what the address says and what the list has chosen. */
const settled = `(() => {
  const line = document.querySelector(".group")?.dataset.line;
  const [first] = document.querySelector(".pages span").textContent.split(" ");
  const asked = new URLSearchParams(location.hash.split("?")[1]);
  const chosen = document.querySelector(".group-list .chosen .soft")?.textContent;
  return asked.get("line") === line && Number(asked.get("offset") ?? 0) + 1 === Number(first.replaceAll(",", ""))
    && document.querySelector(".group h1 + p").textContent.startsWith(chosen + ",");
})()`;

/** Waits for an expression to be true. The page's policy forbids the browser's own way, which evaluates text. */
async function eventually(page: Page, expression: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await page.evaluate(expression)) return;
    await page.waitForTimeout(50);
  }
  assert.fail(`never: ${expression}`);
}

const skip = chromiumPath === null ? noChromium : false;

describe("the studio in a browser", { skip }, () => {
  test("every room: no complaint, no sideways scrolling, nothing serious for axe-core, in both themes and both widths", async () => {
    const many = await runId("many");
    for (const viewport of [phone, desk]) {
      for (const colorScheme of ["light", "dark"] as const) {
        for (const [hash, ready] of [
          [`#/runs?show=${many},${await runId("baseline")}`, ".chart canvas"],
          [`#/rollouts/${many}`, ".rollouts li"],
          [`#/rollouts/${many}?mode=divergence`, "mark.heat"],
          [`#/rollouts/${many}?mode=reference`, "mark.heat.reference"],
        ] as const) {
          const { page, complaints } = await open(hash, viewport);
          await page.emulateMedia({ colorScheme });
          await page.waitForSelector(ready);
          const place = `${hash} at ${viewport.width} in ${colorScheme}`;
          assert.deepEqual(await seriousProblems(page), [], place);
          assert.equal(await overflow(page), 0, place);
          assert.deepEqual(complaints, [], place);
          await page.close();
        }
      }
    }
  });

  test("a step is on the page soon after it was logged", async (t) => {
    const { page, complaints } = await open(`#/runs/${await runId("live")}`);
    const readings = page.locator(".chart", { hasText: "reward" }).first().locator(".readings");
    await page.waitForSelector(".chart canvas");
    for (let step = 40; step < 43; step++) {
      const start = performance.now();
      appendFileSync(join(folder, "live", "metrics.jsonl"), line({ ...metricsRow(step), reward: 1000 + step }));
      await readings.filter({ hasText: `1,0${step}` }).waitFor({ timeout: liveLimit });
      t.diagnostic(`a step after ${Math.round(performance.now() - start)} ms`);
    }
    await page.locator(".run-list li.chosen", { hasText: "43/100 steps" }).waitFor();
    assert.deepEqual(complaints, []);
    await page.close();
  });

  test("2,500 groups of rollouts are paged by keys without a stall, and a link leads to each", async (t) => {
    const id = await runId("many");
    const { page, complaints } = await open(`#/rollouts/${id}?order=lowest`);
    const shown = () =>
      page.evaluate("Number(document.querySelector('.group')?.dataset.line ?? -1)") as Promise<number>;
    await page.waitForSelector(".rollouts li");
    const times: number[] = [];
    for (const key of [..."jjjjnnnnnnppkkj"]) {
      times.push((await page.evaluate(pressed(key))) as number);
      // Somebody looks before the next key.
      await page.waitForTimeout(lookMilliseconds);
    }
    t.diagnostic(`by key: ${times.map(Math.round).join(" ")} ms`);
    times.sort((a, b) => a - b);
    t.diagnostic(`a page: median ${Math.round(times[7]!)} ms, slowest ${Math.round(times.at(-1)!)} ms`);
    assert.ok(times[7]! < pageLimit, `${times}`);
    const line = await shown();
    const url = page.url();
    await page.close();
    const again = await visit(context, url, { viewport: desk, allowed: /./ });
    await again.page.waitForSelector(`.group[data-line="${line}"]`);
    await again.page.close();
    assert.deepEqual(complaints, []);
  });

  test("keys that are held: the page goes on moving, requests do not pile up, and what is shown in the end was asked last", async (t) => {
    const id = await runId("many");
    const { page, complaints } = await open(`#/rollouts/${id}?order=oldest`);
    await page.waitForSelector(".rollouts li");
    let [numOpen, mostOpen] = [0, 0];
    const isAsked = (url: string) => url.includes("/rollouts");
    page.on("request", (request) => {
      if (isAsked(request.url())) mostOpen = Math.max(mostOpen, ++numOpen);
    });
    const ended = (request: { url(): string }) => isAsked(request.url()) && numOpen--;
    page.on("requestfinished", ended);
    page.on("requestfailed", ended);
    const entries = await page.evaluate("history.length");
    for (const key of ["j", "n", "k", "p"]) {
      await page.evaluate(watchShown);
      const numRepeats = key === "j" ? numHeldLong : numHeld;
      await page.evaluate(held(key, numRepeats));
      await eventually(page, settled);
      const { shown, longest } = (await page.evaluate("window.held")) as { shown: number; longest: number };
      t.diagnostic(`${key} held: ${shown} of ${numRepeats} shown, at most ${Math.round(longest)} ms between two`);
      assert.ok(shown > numRepeats / 30, `${shown} of ${numRepeats} were shown while ${key} was held`);
      assert.ok(longest < stallLimit, `${longest} ms without a move`);
    }
    t.diagnostic(`at most ${mostOpen} requests at a time`);
    assert.ok(mostOpen <= mostAtOnce, `${mostOpen} requests at a time`);
    // Each holding is one step of Back.
    assert.ok(((await page.evaluate("history.length")) as number) - (entries as number) <= 4);
    assert.deepEqual(complaints, []);
    await page.close();
  });

  test("by keys alone: rooms, groups, the clip with its sound, colours, the list of keys", async () => {
    const id = await runId("many");
    const { page, complaints } = await open(`#/runs/${id}`);
    await page.waitForSelector(".chart canvas");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.className"), "skip");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate("document.activeElement.id"), "main");
    await page.keyboard.press("2");
    await page.waitForSelector(".clip video");
    await eventually(page, "document.querySelector('.clip video').readyState >= 2");
    await page.keyboard.press("v");
    await eventually(page, "document.querySelector('.clip video').currentTime > 0.1");
    assert.equal(await page.evaluate("document.querySelector('.clip video').muted"), false);
    await page.keyboard.press("v");
    await eventually(page, "document.querySelector('.clip video').paused");
    await page.keyboard.press("m");
    await page.waitForSelector("mark.heat.video");
    assert.equal(await page.locator("mark.heat.reference").count(), 0);
    await page.keyboard.press("m");
    await page.waitForSelector("mark.heat.reference[title='KL to the reference: 1.50 nats']");
    assert.equal(await page.locator("mark.heat.video").count(), 0);
    await page.keyboard.press("m");
    await page.waitForSelector("mark.heat", { state: "detached" });
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open]");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    // keys are letters again where one types
    await page.keyboard.press("/");
    await page.keyboard.type("j-2");
    assert.equal(await page.inputValue("#sample"), "j-2");
    assert.match(page.url(), /#\/rollouts\//);
    await page.waitForSelector("text=No group is like that.");
    assert.deepEqual(complaints, []);
    await page.close();
  });

  test("what a hostile folder says is text; a half-written line and a deleted run are told", async () => {
    const id = await runId("hostile");
    const { page, complaints } = await open(`#/runs/${id}`);
    await page.waitForSelector(`text=${script}`);
    await page.waitForSelector("text=a last line of 14 bytes without its end");
    await page.goto(`${server.address}/#/rollouts/${id}`);
    await page.waitForSelector(".rollouts li");
    assert.equal(await page.evaluate("window.isBroken"), undefined);
    assert.deepEqual(complaints, []);
    const doomed = makeRun(folder, "doomed", { steps: 2 });
    await new Promise((resolve) => setTimeout(resolve, 600));
    const gone = await runId("doomed");
    await page.goto(`${server.address}/#/rollouts/${gone}`);
    await page.waitForSelector(".rollouts li");
    rmSync(doomed, { recursive: true });
    await page.keyboard.press("j");
    await page.waitForSelector(".problem >> text=/not there any more/");
    await page.close();
  });

  test("fifty runs of 3,000 steps are painted soon", async (t) => {
    const big = join(folder, "big");
    const rows = Array.from({ length: 3000 }, (_, step) => line(metricsRow(step))).join("");
    for (let i = 0; i < 50; i++) {
      const path = makeRun(big, `run-${i}`, { steps: 1, groups: 0 });
      writeFileSync(join(path, "metrics.jsonl"), rows);
    }
    const many = await serveStudio({
      folders: [big],
      host: "127.0.0.1",
      port: 0,
      token: "t",
      command: null,
      log: () => undefined,
    });
    try {
      const page = await context.newPage();
      await page.goto(many.link, { waitUntil: "commit" });
      await page.waitForSelector(".chart canvas");
      const start = performance.now();
      await page.reload({ waitUntil: "commit" });
      await page.waitForSelector(".run-list li:nth-child(50)");
      const listed = performance.now() - start;
      await page.waitForSelector(".chart canvas");
      const drawn = performance.now() - start;
      t.diagnostic(`listed after ${Math.round(listed)} ms, drawn after ${Math.round(drawn)} ms`);
      assert.ok(drawn < paintLimit);
      await page.close();
    } finally {
      await many.close();
    }
  });
});
