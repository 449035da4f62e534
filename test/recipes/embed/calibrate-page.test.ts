// The page of a calibration in a real browser: words that a phone can show, and both axes named.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { openEmbedder } from "../../../src/corpus/open-embedder.ts";
import { calibrateEmbedder } from "../../../src/recipes/embed/calibrate-embedder.ts";
import { calibrationPage } from "../../../src/recipes/embed/calibrate-page.ts";
import { chromiumPath, launchChromium, noChromium } from "../../support/chromium.ts";
import { checkPage } from "../../support/page-checks.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("a phone shows a calibration with its axes, in letters that can be read", async (t) => {
  if (chromiumPath === null) {
    t.skip(noChromium);
    return;
  }
  using opened = await openEmbedder("theatre");
  const record = await calibrateEmbedder(opened, { bank: null, data: null, seed: 0 }, () => undefined);
  const file = join(temporaryFolder(t), "delta.html");
  writeFileSync(file, calibrationPage({ ...record, interval: [0.4, 0.6], delta: 0.9 }));
  const browser = await launchChromium();
  t.after(() => browser.close());
  await checkPage(browser, pathToFileURL(file).href, {
    maxPrinted: 2,
    look: async (page) => {
      const chart = (await page.textContent(".cosines"))!.replace(/\s+/g, " ");
      for (const word of ["share of pairs", "cosine", "delta 0.90", "paper 0.50", "0 %", "0.20"]) {
        assert.ok(chart.includes(word), `${word} in ${chart}`);
      }
      const sizes = (await page.evaluate(
        "[...document.querySelectorAll('.cosines span, .cosines b')].filter((one) => one.textContent !== '').map((one) => parseFloat(getComputedStyle(one).fontSize))",
      )) as number[];
      assert.ok(sizes.length > 8 && Math.min(...sizes) >= 11, sizes.join());
      // delta's mark stands where the axis says
      const [mark, zero, one] = (await page.evaluate(
        "[document.querySelector('.mark'), ...[...document.querySelectorAll('.below')].filter((tick) => ['0.00', '1.00'].includes(tick.textContent))].map((one) => { const box = one.getBoundingClientRect(); return box.left + (one.className === 'mark' ? 1 : box.width / 2); })",
      )) as [number, number, number];
      assert.ok(Math.abs((mark - zero) / (one - zero) - 0.9) < 0.02, `${mark} of ${zero} to ${one}`);
    },
  });
});
