// The report in a real browser: quiet console, clips that load, charts that are drawn, nothing wider than a phone.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { encodeClip } from "../../src/media/encode/encode.ts";
import { reportPage } from "../../src/page/page.ts";
import { fixtureClip } from "../media/clip-fixture.ts";
import {
  chromiumPath,
  launchChromium,
  noChromium,
  overflow,
  phone,
  seriousProblems,
  visit,
} from "../support/chromium.ts";
import { checkPage, ownAddresses } from "../support/page-checks.ts";
import { hostile, reportData } from "../support/report-fixture.ts";

const pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

test("a browser shows the report without a complaint, on a phone and on a desk", async (t) => {
  if (chromiumPath === null) {
    t.skip(noChromium);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "oppo-report-"));
  const clip = join(folder, "clip.mp4");
  await encodeClip(clip, fixtureClip({ seconds: 1 }));
  const mediaUri = `data:video/mp4;base64,${readFileSync(clip).toString("base64")}`;
  const path = join(folder, "report.html");
  writeFileSync(path, reportPage(reportData(mediaUri, pixel)));
  const browser = await launchChromium();
  try {
    await checkPage(browser, pathToFileURL(path).href, { maxPrinted: 4, look: lookAtReport });
    // negative controls: the checks see a failing script, a request and a page that is too wide
    const bad = join(folder, "bad.html");
    writeFileSync(
      bad,
      '<div style="width:900px;color:#ccc">some words</div><script>missing()</script><img src="http://127.0.0.1:9/x.png">',
    );
    const { page, complaints } = await visit(browser, pathToFileURL(bad).href, {
      viewport: phone,
      allowed: ownAddresses,
    });
    assert.ok(complaints.some((text) => /missing is not defined/.test(text)));
    assert.ok(complaints.some((text) => /request of http:/.test(text)));
    assert.ok((await overflow(page)) > 0);
    assert.match((await seriousProblems(page)).join(), /color-contrast/);
    await assert.rejects(checkPage(browser, pathToFileURL(bad).href, { maxPrinted: 4 }), /390 pixels, light/);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
});

async function lookAtReport(page: Page, width: number): Promise<void> {
  await page.waitForFunction("[...document.querySelectorAll('video')].every((video) => video.readyState >= 1)");
  const videos = (await page.evaluate(
    "[...document.querySelectorAll('video')].map((video) => ({ seconds: video.duration, name: video.getAttribute('aria-label'), below: video.clientHeight - video.clientWidth / Number(video.style.getPropertyValue('--ratio')) }))",
  )) as { seconds: number; name: string; below: number }[];
  assert.equal(videos.length, 2);
  for (const { seconds, name, below } of videos) {
    assert.ok(Math.abs(seconds - 1) < 0.1, `a clip of ${seconds} s`);
    assert.match(name, /^face: angry, voice: sad/);
    assert.ok(below >= 60, `${below} pixels below the picture are the controls'`);
  }
  // captions say the line, whatever is in it
  await page.evaluate("document.querySelector('video').textTracks[0].mode = 'showing'");
  await page.waitForFunction("document.querySelector('video').textTracks[0].cues?.length === 1");
  const said = await page.evaluate("document.querySelector('video').textTracks[0].cues[0].getCueAsHTML().textContent");
  assert.equal(said, hostile);
  // the rewards' and the reference KL's curves; the fixture has no others. Their legends say the last values, in full boxes
  assert.equal(await page.evaluate("document.querySelectorAll('.chart canvas').length"), 2);
  const legend = "document.querySelector('.chart .u-legend')";
  assert.equal(await page.evaluate(`${legend}.querySelector('.u-value').textContent`), "8");
  assert.doesNotMatch((await page.evaluate(`${legend}.textContent`)) as string, /--/);
  const box = `getComputedStyle(${legend}.querySelectorAll('.u-series')[1].querySelector('.u-marker')).backgroundColor`;
  assert.notEqual(await page.evaluate(box), "rgba(0, 0, 0, 0)");
  // a pointer reads other values, and leaves the last ones behind
  const over = page.locator(".chart .u-over").first();
  await over.scrollIntoViewIfNeeded();
  await over.hover({ position: { x: 2, y: 20 } });
  await page.waitForFunction(`${legend}.querySelector('.u-value').textContent === '1'`);
  await page.mouse.move(0, 0);
  await page.waitForFunction(`${legend}.querySelector('.u-value').textContent === '8'`);
  // on a phone one arm at a time, the one that is chosen
  const shown = () =>
    page.evaluate(
      "[...document.querySelector('.clip .arms').children].filter((one) => one.offsetParent !== null).map((one) => one.querySelector('h4').textContent)",
    );
  const isPhone = width < 640;
  assert.deepEqual(await shown(), isPhone ? ["OPPO"] : ["SFT cold start", "+ R_omni", "OPPO"]);
  if (isPhone) {
    await page.check("#arm-0");
    assert.deepEqual(await shown(), ["SFT cold start"]);
  }
  assert.equal(await page.evaluate("window.isBroken"), undefined, "no text ran as a script");
}
