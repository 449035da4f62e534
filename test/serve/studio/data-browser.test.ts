// The room of data in a real browser: a whole review by keys alone, on a desk and on a phone; another tab's decisions; a server that
// dies while one works; clips that cannot be played; and nothing that keeps people out.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
import { line } from "../../support/studio-runs.ts";

const script = "<img src=x onerror=window.isBroken=1><script>window.isBroken=1</script>";
const folder = mkdtempSync(join(tmpdir(), "oppo-data-"));
const smile = { kind: "video", text: "a smile" };
const shout = { kind: "audio", text: "a shout" };
let browser: Browser;
let context: BrowserContext;
let server: StudioServer;

const start = (file: string, port = 0) =>
  serveStudio({ folders: [file], host: "127.0.0.1", port, token: "t", command: null, log: () => undefined });

function corpus(name: string, rows: readonly Record<string, unknown>[]): string {
  const file = join(folder, `${name}.jsonl`);
  writeFileSync(file, rows.map(line).join(""));
  return file;
}

const rows = (numRows: number) =>
  Array.from({ length: numRows }, (_, i) => ({
    ...{ id: `clip-${i}`, media: "clips/a.mp4", subtitle: "get out", labels: ["happy"] },
    ...{ reasoning: "The video shows a smile. A shout is heard.", cues: [smile, shout] },
  }));

before(async () => {
  if (chromiumPath === null) return;
  mkdirSync(join(folder, "clips"));
  await encodeClip(join(folder, "clips", "a.mp4"), fixtureClip({ seconds: 1 }));
  writeFileSync(join(folder, "clips", "broken.mp4"), "no film");
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function withRoom(file: string, body: () => Promise<void>): Promise<void> {
  server = await start(file);
  context = await browser.newContext();
  try {
    const first = await context.newPage();
    await first.goto(server.link);
    await first.close();
    await body();
  } finally {
    await context.close();
    await server.close();
  }
}

const open = (hash: string, viewport = desk) =>
  visit(context, `${server.address}/${hash}`, { viewport, allowed: new RegExp(`^(${server.address}/|data:|blob:)`) });

/** The page's policy forbids the browser's own way to wait, which evaluates text. */
async function eventually(page: Page, expression: string): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await page.evaluate(expression)) return;
    await page.waitForTimeout(50);
  }
  assert.fail(`never: ${expression}: ${await page.evaluate("document.body.innerText")}`);
}

const journalOf = (file: string) =>
  readFileSync(file.replace(".jsonl", ".annotations.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map(
      (text) => JSON.parse(text) as { by: string; sample: string; act: string; cue?: { text: string }; to?: object },
    );

const skip = chromiumPath === null ? noChromium : false;

describe("the room of data in a browser", { skip }, () => {
  for (const viewport of [desk, phone]) {
    test(`by keys alone at ${viewport.width}: a name, a clip with its sound, every kind of decision, undoing, the next clip`, async () => {
      const file = corpus(`keys-${viewport.width}`, rows(3));
      await withRoom(file, async () => {
        const { page, complaints } = await open("#/data", viewport);
        const { keyboard } = page;
        await page.waitForSelector(".card");
        await keyboard.press("w");
        await keyboard.type("ada");
        await keyboard.press("Enter");
        await keyboard.press("j");
        await eventually(page, "document.activeElement.dataset.sample === 'clip-0'");
        await keyboard.press("Enter");
        await page.waitForSelector(".review[data-sample=clip-0]");
        await eventually(page, "document.querySelector('.clip video')?.readyState >= 2");
        await keyboard.press("v");
        await eventually(page, "document.querySelector('.clip video').currentTime > 0.1");
        assert.equal(await page.evaluate("document.querySelector('.clip video').muted"), false);
        await keyboard.press("v");
        await keyboard.press("a");
        await page.waitForSelector(".judged.accept >> text=a smile");
        await eventually(page, "document.querySelector('.judged.chosen').innerText.includes('a shout')");
        await keyboard.press("c");
        await page.waitForSelector(".cue-form");
        await keyboard.type("a loud shout");
        await keyboard.press("Enter");
        await page.waitForSelector(".judged.correct >> text=a loud shout");
        await keyboard.press("e");
        await page.waitForSelector(".cue-form");
        await keyboard.type("he is happy");
        await keyboard.press("Enter");
        await page.waitForSelector(".judged >> text=he is happy");
        await keyboard.press("x");
        await page.waitForSelector(".judged.reject");
        await keyboard.press("u");
        await page.waitForSelector(".judged.reject", { state: "detached" });
        assert.deepEqual(await seriousProblems(page), []);
        assert.equal(await overflow(page), 0);
        await keyboard.press("j");
        await page.waitForSelector(".review[data-sample=clip-1]");
        await keyboard.press("A");
        await page.waitForSelector("text=All decided");
        await keyboard.press("g");
        await page.waitForSelector(".card.done");
        // The page shows a decision before it is written.
        for (let i = 0; i < 200 && journalOf(file).length < 7; i++) await page.waitForTimeout(50);
        assert.deepEqual(
          journalOf(file).map(({ by, sample, act, cue }) => `${by} ${sample} ${act} ${cue?.text ?? ""}`.trim()),
          [
            "ada clip-0 accept a smile",
            "ada clip-0 correct a shout",
            "ada clip-0 add he is happy",
            "ada clip-0 reject a shout",
            "ada clip-0 undo",
            "ada clip-1 accept a smile",
            "ada clip-1 accept a shout",
          ],
        );
        assert.deepEqual(complaints, []);
        await page.close();
      });
    });
  }

  test("what is half typed stays while other clips are looked at, and after a reload; each tab has its own", async () => {
    const file = corpus("typing", rows(3));
    await withRoom(file, async () => {
      const { page, complaints } = await open("#/data?by=ada&sample=clip-0");
      await page.waitForSelector(".review[data-sample=clip-0]");
      await page.keyboard.press("s");
      await page.waitForSelector(".cue-form");
      await page.keyboard.type("a raised hand");
      await page.getByRole("button", { name: "Next" }).click();
      await page.waitForSelector(".review[data-sample=clip-1]");
      assert.equal(await page.locator(".cue-form").count(), 0);
      await page.keyboard.press("c");
      await page.waitForSelector("form[aria-label='Correct the cue']");
      await page.keyboard.type("a grin");
      await page.getByRole("button", { name: "Previous" }).click();
      await page.waitForSelector(".review[data-sample=clip-0]");
      assert.equal(await page.inputValue(".cue-words"), "a raised hand");
      await page.reload();
      await page.waitForSelector(".cue-form");
      assert.equal(await page.inputValue(".cue-words"), "a raised hand");
      const other = await open("#/data?by=ada&sample=clip-0");
      await other.page.waitForSelector(".review[data-sample=clip-0]");
      assert.equal(await other.page.locator(".cue-form").count(), 0);
      await other.page.close();
      await page.locator(".cue-words").press("Enter");
      await page.waitForSelector(".judged >> text=a raised hand");
      await page.keyboard.press("j");
      await page.waitForSelector("form[aria-label='Correct the cue']");
      assert.equal(await page.inputValue(".cue-words"), "a grin");
      await page.keyboard.press("Escape");
      await page.waitForSelector(".cue-form", { state: "detached" });
      await page.reload();
      await page.waitForSelector(".review[data-sample=clip-1] .judged");
      assert.equal(await page.locator(".cue-form").count(), 0, "left is left");
      // it is told that nothing learns from decisions by itself
      await page.keyboard.press("g");
      await page.waitForSelector("text=oppo train --data EXPORTED.jsonl");
      assert.deepEqual(await seriousProblems(page), []);
      assert.deepEqual(
        journalOf(file).map(({ act, cue }) => `${act} ${cue?.text}`),
        ["add a raised hand"],
      );
      assert.deepEqual(complaints, []);
      await page.close();
    });
  });

  test("another tab's decisions appear; with two annotators there is agreement, and what the other said comes after one's own", async () => {
    const file = corpus("two", rows(2));
    await withRoom(file, async () => {
      const ada = await open("#/data?sample=clip-0&by=ada");
      const again = await open("#/data?sample=clip-0&by=ada");
      const bo = await open("#/data?sample=clip-0&by=bo");
      for (const { page } of [ada, again, bo]) await page.waitForSelector(".judged");
      await ada.page.keyboard.press("a");
      await again.page.waitForSelector(".judged.accept >> text=a smile");
      await ada.page.keyboard.press("a");
      await again.page.waitForSelector(".judged.accept >> text=a shout");
      assert.equal(await bo.page.locator("text=ada: accepted").count(), 0);
      await bo.page.keyboard.press("x");
      await bo.page.waitForSelector("text=ada: accepted");
      await bo.page.keyboard.press("a");
      await eventually(bo.page, "document.body.innerText.split('ada: accepted').length === 3");
      await bo.page.keyboard.press("g");
      await bo.page.waitForSelector(".card.disagreed");
      // The page shows a decision before it is written and counted.
      await eventually(
        bo.page,
        "/heard 1/.test([...document.querySelectorAll('tbody th, tbody td')].map((one) => one.textContent).join(' '))",
      );
      const table = (await bo.page.locator("tbody :is(th, td)").allTextContents()).join(" ");
      assert.match(table, /seen 1 0 % 0 % 0\.000 heard 1 100 % 100 % one answer alone: none/);
      for (const { page, complaints } of [ada, again, bo]) {
        assert.deepEqual(complaints, []);
        await page.close();
      }
    });
  });

  test("a server that dies: what is decided meanwhile is kept, and written when it is there again", async () => {
    const file = corpus("dies", rows(2));
    await withRoom(file, async () => {
      const { page } = await open("#/data?sample=clip-0&by=ada");
      await page.waitForSelector(".judged");
      const port = Number(new URL(server.address).port);
      await server.close();
      await page.keyboard.press("a");
      await page.waitForSelector(".warnings >> text=1 decision is kept in this browser");
      await page.waitForSelector(".judged.accept");
      await page.keyboard.press("x");
      await page.waitForSelector(".warnings >> text=2 decisions are kept");
      await page.close();
      server = await start(file, port);
      const later = await open("#/data?sample=clip-0&by=ada");
      await later.page.waitForSelector(".judged.reject >> text=a shout");
      await eventually(later.page, "document.querySelector('.warnings') === null");
      assert.deepEqual(
        journalOf(file).map(({ act, cue }) => `${act} ${cue!.text}`),
        ["accept a smile", "reject a shout"],
      );
      await later.page.close();
    });
  });

  test("a gallery of 400 loads as one scrolls; both themes and widths; hostile words are words; broken clips are told", async () => {
    const odd = [
      { id: script, media: "clips/broken.mp4", reasoning: script, cues: [{ kind: "video", text: script }] },
      { id: "gone", media: "clips/gone.mp4", cues: [smile] },
    ];
    const file = corpus("many", [...odd, ...rows(400)]);
    await withRoom(file, async () => {
      for (const viewport of [desk, phone]) {
        for (const colorScheme of ["light", "dark"] as const) {
          const { page, complaints } = await open("#/data?order=corpus", viewport);
          await page.emulateMedia({ colorScheme });
          await page.waitForSelector(".thumb >> text=cannot be played");
          await page.waitForSelector(".thumb >> text=no clip");
          const place = `${viewport.width} ${colorScheme}`;
          assert.deepEqual(await seriousProblems(page), [], place);
          assert.equal(await overflow(page), 0, place);
          const before = await page.locator(".card").count();
          assert.ok(before < 200, `${before}`);
          for (let i = 0; i < 600 && (await page.locator(".card").count()) < 402; i++) {
            await page.evaluate("scrollTo(0, document.body.scrollHeight)");
            await page.waitForTimeout(100);
          }
          assert.equal(await page.locator(".card").count(), 402);
          assert.ok((await page.locator(".thumb video").count()) < 60, "players out of sight");
          await page.goto(`${server.address}/#/data?sample=${encodeURIComponent(script)}`);
          await page.waitForSelector("text=This browser cannot play the clip");
          assert.deepEqual(await seriousProblems(page), [], `${place}, a clip`);
          assert.equal(await overflow(page), 0, `${place}, a clip`);
          assert.equal(await page.evaluate("window.isBroken"), undefined);
          assert.deepEqual(complaints, [], place);
          await page.close();
        }
      }
    });
  });
});
