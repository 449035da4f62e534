// The report in a real browser: quiet console, clips that load, charts that are drawn, nothing wider than a phone.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { encodeClip } from "../../src/media/encode/encode.ts";
import { reportPage } from "../../src/page/page.ts";
import { fixtureClip } from "../media/clip-fixture.ts";
import { reportData } from "../support/report-fixture.ts";

const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const phone = { width: 390, height: 844 };
const desk = { width: 1280, height: 900 };
const limitMilliseconds = 20_000;
const pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

interface Visit {
  readonly page: Page;
  /** Console errors, uncaught exceptions, and requests that left the page. */
  readonly complaints: string[];
}

async function visit(browser: Browser, url: string, viewport: typeof phone): Promise<Visit> {
  const page = await browser.newPage({ viewport });
  page.setDefaultTimeout(limitMilliseconds);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (!/^(data|file|blob):/.test(request.url())) complaints.push(`request of ${request.url()}`);
  });
  await page.goto(url, { waitUntil: "load" });
  return { page, complaints };
}

/** Pixels by which the page is wider than the window. */
const overflow = (page: Page) =>
  page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");

test("a browser shows the report without a complaint, on a phone and on a desk", async (t) => {
  const executablePath = browsers.find((path) => existsSync(path));
  if (executablePath === undefined) {
    t.skip(`needs a Chromium at ${browsers.join(" or ")}`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "oppo-report-"));
  const clip = join(folder, "clip.mp4");
  await encodeClip(clip, fixtureClip({ seconds: 1 }));
  const mediaUri = `data:video/mp4;base64,${readFileSync(clip).toString("base64")}`;
  const path = join(folder, "report.html");
  writeFileSync(path, reportPage(reportData(mediaUri, pixel)));
  // The sandbox needs rights that a container, or root, does not have; the page is our own.
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    for (const viewport of [phone, desk]) {
      const { page, complaints } = await visit(browser, pathToFileURL(path).href, viewport);
      await page.waitForFunction("[...document.querySelectorAll('video')].every((video) => video.readyState >= 1)");
      const videos = await page.evaluate("[...document.querySelectorAll('video')].map((video) => video.duration)");
      assert.equal((videos as number[]).length, 2);
      for (const seconds of videos as number[]) assert.ok(Math.abs(seconds - 1) < 0.1, `a clip of ${seconds} s`);
      // the rewards' and the reference KL's curves; the fixture has no others
      assert.equal(await page.evaluate("document.querySelectorAll('.chart canvas').length"), 2);
      assert.equal(await overflow(page), 0, `${viewport.width} pixels are enough`);
      await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
      assert.equal(await overflow(page), 0, `${viewport.width} pixels are enough with everything open`);
      await page.emulateMedia({ media: "print" });
      await page.emulateMedia({ media: "screen", colorScheme: "dark" });
      assert.equal(await page.evaluate("window.isBroken"), undefined, "no text ran as a script");
      assert.deepEqual(complaints, []);
      await page.close();
    }
    // negative controls: the checks see a failing script, a request and a page that is too wide
    const bad = join(folder, "bad.html");
    writeFileSync(
      bad,
      '<div style="width:900px">x</div><script>missing()</script><img src="http://127.0.0.1:9/x.png">',
    );
    const { page, complaints } = await visit(browser, pathToFileURL(bad).href, phone);
    assert.ok(complaints.some((text) => /missing is not defined/.test(text)));
    assert.ok(complaints.some((text) => /request of http:/.test(text)));
    assert.ok(((await overflow(page)) as number) > 0);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
});
