// The report in a real browser: quiet console, clips that load, charts that are drawn, nothing wider than a phone.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { encodeClip } from "../../src/media/encode/encode.ts";
import { reportPage } from "../../src/page/page.ts";
import { fixtureClip } from "../media/clip-fixture.ts";
import { chromiumPath, desk, launchChromium, noChromium, overflow, phone, visit } from "../support/chromium.ts";
import { reportData } from "../support/report-fixture.ts";

const allowed = /^(data|file|blob):/;
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
    for (const viewport of [phone, desk]) {
      const { page, complaints } = await visit(browser, pathToFileURL(path).href, { viewport, allowed });
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
    const { page, complaints } = await visit(browser, pathToFileURL(bad).href, { viewport: phone, allowed });
    assert.ok(complaints.some((text) => /missing is not defined/.test(text)));
    assert.ok(complaints.some((text) => /request of http:/.test(text)));
    assert.ok((await overflow(page)) > 0);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
});
