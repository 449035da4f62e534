// The page of a score in a real browser: no table wider than a phone, rows by set, the lexicon's warning in a box.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { defaultBootstrapOptions } from "../../../src/bench/bootstrap.ts";
import type { GroundTruth } from "../../../src/data/ground-truth.ts";
import { openLexicon } from "../../../src/emotion/open-lexicon/open-lexicon.ts";
import { scorePage } from "../../../src/recipes/score/page.ts";
import { rulesFor, score } from "../../../src/recipes/score/score.ts";
import { chromiumPath, launchChromium, noChromium } from "../../support/chromium.ts";
import { checkPage } from "../../support/page-checks.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const words = ["happy", "sad", "angry", "worried"];
const names = Array.from({ length: 12 }, (_, i) => `s${i}`);
const rows = <T>(of: (i: number) => T) => new Map(names.map((name, i) => [name, of(i)]));
const truths: GroundTruth[] = [
  ...["MER2023", "MELD"].map((dataset) => ({
    ...{ dataset, kind: "discrete" as const, source: "x", labels: words },
    rows: rows((i) => words[i % 4]!),
  })),
  { dataset: "SIMS", kind: "sentiment", source: "x", rows: rows((i) => (i % 2 === 0 ? 1 : -1)) },
];

test("a phone shows a score of several systems: rows by set, the guard and labels beside it, a warning in a box", async (t) => {
  if (chromiumPath === null) {
    t.skip(noChromium);
    return;
  }
  const folder = temporaryFolder(t);
  const systems = ["ours", "a-baseline-with-a-name-that-is-rather-long"].map((name, s) => {
    const path = join(folder, `${s}.jsonl`);
    const said = (i: number) => (s === 0 || i % 3 === 0 ? `${words[i % 4]}, calm` : "happy");
    writeFileSync(path, names.map((sample, i) => `${JSON.stringify({ name: sample, text: said(i) })}\n`).join(""));
    return { name, path };
  });
  const lexicon = openLexicon();
  const report = await score({
    ...{ truths, lexicon, rules: rulesFor(lexicon), metric: null, checkpoints: "final", missing: "refuse" },
    ...{ columns: {}, judge: null, bootstrap: { ...defaultBootstrapOptions, numResamples: 100 } },
    systems,
  });
  const file = join(folder, "score.html");
  writeFileSync(file, scorePage(report));
  const browser = await launchChromium();
  t.after(() => browser.close());
  await checkPage(browser, pathToFileURL(file).href, {
    maxPrinted: 3,
    look: async (page) => {
      assert.match((await page.textContent(".notes"))!, /^Lexicon built-in .* not to be mixed/);
      assert.equal((await page.textContent("main"))!.split("not to be mixed").length, 2, "said once");
      const table = page.locator("table.results").first();
      assert.deepEqual(await table.locator("thead th").allTextContents(), [
        ...["system", "metric", "score", "interval", "scored", "guard", "labels per answer", "beside it"],
      ]);
      assert.deepEqual(await table.locator("tr.group").allTextContents(), ["MER2023", "MELD", "SIMS", "mean"]);
      const first = await table.locator("tbody tr:nth-child(2)").locator("th, td").allTextContents();
      const { metrics, meanLabels } = report.systems[0]!.sets[0]!;
      assert.equal(first[5], (100 * metrics.guarded!.value!).toFixed(2));
      assert.equal(first[6], meanLabels!.toFixed(1));
      // every set has a panel with a dot per system
      assert.equal(await page.locator(".dot-panel").count(), 4);
      assert.equal(await page.locator(".dot-panel .track i").count(), 8);
    },
  });
});
