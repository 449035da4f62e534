// The page for review in a real browser: doubtful accounts first with their clips, cues kept and dropped by keys, decisions that
// outlive the page, and the corrected rows.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { encodeClip } from "../../../src/media/encode/encode.ts";
import { extractEvidence } from "../../../src/recipes/evidence/extract.ts";
import { fixtureClip } from "../../media/clip-fixture.ts";
import { chromiumPath, launchChromium, noChromium } from "../../support/chromium.ts";
import { checkPage } from "../../support/page-checks.ts";
import { quietRun } from "../../support/quiet-run.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const hostile = "</script><script>window.isBroken = 1</script>";
const accounts = [
  "The video shows a furrowed brow. The audio carries a loud voice. This suggests the person is angry.",
  `The audio carries a loud voice. ${hostile}`,
  "The video shows a bright smile. The audio carries a fast pace. This suggests the person is happy.",
];

test("a review by keys: doubtful ones first, decisions stay, the download leaves out what was dropped", async (t) => {
  if (chromiumPath === null) {
    t.skip(noChromium);
    return;
  }
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "clips"));
  await encodeClip(join(folder, "clips/a.mp4"), fixtureClip({ seconds: 1, width: 96, height: 54 }));
  writeFileSync(join(folder, "clips/b.mp4"), "no video");
  const rows = accounts.map((reasoning, i) => ({
    ...{ id: `s${i}`, media: `clips/${"aba"[i]}.mp4`, subtitle: hostile, labels: ["angry"], reasoning },
    meta: { place: i },
  }));
  const data = join(folder, "train.jsonl");
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const { files } = await extractEvidence({
    ...quietRun(),
    ...{ source: { file: data }, out: join(folder, "cues.jsonl"), endpoint: null, limit: null },
    ...{ maxSkipped: null, maxBadRows: 0, numExamples: 10 },
  });
  const written = readFileSync(files.samples, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const browser = await launchChromium();
  t.after(() => browser.close());
  await checkPage(browser, pathToFileURL(files.page).href, {
    maxPrinted: 2,
    look: (page) => reviewByKeys(page, written),
  });
});

async function reviewByKeys(page: Page, written: readonly { id: string; cues: unknown[] }[]): Promise<void> {
  // the one without something seen is doubtful; its clip cannot be read, and the page says so
  assert.deepEqual(await page.locator(".accounts h3").allTextContents(), ["s1", "s0", "s2"]);
  assert.match((await page.textContent(".accounts .clip"))!, /no clip to show: .*b\.mp4/);
  assert.equal(await page.locator(".accounts video").count(), 2);
  const cues = page.locator("button.cue");
  const numCues = await cues.count();
  const ids = ["s1", "s0", "s2"];
  const [first] = ids.map((id) => written.find((row) => row.id === id)!);
  assert.equal(
    numCues,
    written.reduce((sum, row) => sum + row.cues.length, 0),
  );
  // d drops the first and goes on, k keeps the next one
  const names = await cues.allTextContents();
  await page.keyboard.press("d");
  await page.keyboard.press("d");
  await page.keyboard.press("k");
  assert.equal(await cues.first().getAttribute("aria-pressed"), "false");
  assert.equal(await page.textContent("#said"), `2 of ${numCues} cues looked at, 1 dropped`);
  await page.reload();
  assert.equal(
    await page.textContent("#said"),
    `2 of ${numCues} cues looked at, 1 dropped`,
    "decisions outlive the page",
  );
  const download = page.waitForEvent("download");
  await page.click("#download");
  const file = await download;
  assert.equal(file.suggestedFilename(), "cues.corrected.jsonl");
  const lines = readFileSync(await file.path(), "utf8")
    .trim()
    .split("\n");
  const corrected = lines.map((line) => JSON.parse(line));
  const expected = ids.map((id) => {
    const row = written.find((one) => one.id === id)!;
    const cues = row === first ? row.cues.filter((cue) => (cue as { text: string }).text !== names[0]) : row.cues;
    return { ...row, cues };
  });
  assert.deepEqual(corrected, expected);
  // a press takes it back
  await cues.first().click();
  assert.equal(await cues.first().getAttribute("aria-pressed"), "true");
  assert.equal(await page.evaluate("window.isBroken"), undefined, "no text ran as a script");
}
