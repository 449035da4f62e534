// The page of a run in a real browser: nothing fetched, nothing wider than a phone, and a filter that finds clips.

import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { runMep } from "../../../src/bench/mep.ts";
import type { Respondent } from "../../../src/bench/respondent.ts";
import { chooseSetting } from "../../../src/corpus/setting.ts";
import { buildMepSet } from "../../../src/recipes/mep/build.ts";
import { locateMedia } from "../../../src/recipes/mep/media-files.ts";
import { mepPage } from "../../../src/recipes/mep/page.ts";
import { resultsOf } from "../../../src/recipes/mep/results.ts";
import { openMepSet, readMepSet } from "../../../src/recipes/mep/set-directory.ts";
import { quietRun } from "../../support/quiet-run.ts";
import { emotionDefaults } from "../../support/setting-options.ts";
import { smallTheatre } from "../../support/small-theatre.ts";

const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const hostile = "<img src=x onerror=alert(1)></script>";

/** Names the cues of the first clip whatever is shown, and never answers a probe. */
const stubborn: Respondent = {
  name: `stubborn ${hostile}`,
  respond: (queries) =>
    queries.map(() => `<think>a furrowed brow, a loud voice, ${hostile}.</think><answer>x</answer>`),
};

test("a browser shows every clip and finds those that are asked for", async (t) => {
  const executablePath = browsers.find((path) => existsSync(path));
  if (executablePath === undefined) {
    t.skip(`needs a Chromium at ${browsers.join(" or ")}`);
    return;
  }
  using theatre = await smallTheatre(5, "congruent");
  const options = { embedder: "auto", question: null, ...emotionDefaults, similarityThreshold: 0.5 };
  const path = join(theatre.root, "set");
  await buildMepSet({
    ...quietRun(),
    ...{ data: theatre.samplesFile, dataset: null, cues: null, mediaRoot: null, maxSkippedRows: 0, conflict: null },
    ...{ name: "small", out: path, maxCandidates: 100, options: {}, setting: options },
  });
  const directory = await readMepSet(path);
  using setting = await chooseSetting(directory.congruent, options);
  const set = await openMepSet(directory, setting.embedder);
  const emotionScore = setting.emotion.score;
  const asking = { ...set, emotionScore, reasoningPrompt: () => "why?", answerStyle: "tagged" as const };
  const result = await runMep(stubborn, asking);
  const results = resultsOf(result, directory, { model: "stubborn" }, []);
  const file = join(theatre.root, "report.html");
  const files = await locateMedia(directory);
  writeFileSync(file, await mepPage({ results, result, set, files, style: "tagged" }));

  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    for (const viewport of [
      { width: 390, height: 844 },
      { width: 1280, height: 900 },
    ]) {
      const page = await browser.newPage({ viewport });
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("request", (request) => {
        if (!/^(data|file):/.test(request.url())) complaints.push(request.url());
      });
      await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
      const shown = () => page.evaluate("document.querySelectorAll('.sample:not([hidden])').length");
      const overflow = () =>
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
      assert.equal(await shown(), 5);
      assert.equal(await overflow(), 0);
      // the clip itself, and the one that is shown with its video
      await page.fill("#find", theatre.samples[3]!.id);
      assert.equal(await shown(), 2);
      assert.equal(await page.isVisible(`#${theatre.samples[3]!.id}`), true);
      await page.fill("#find", "no such clip");
      assert.equal(await shown(), 0);
      await page.fill("#find", "");
      for (const [flag, numClips] of [
        ["unseen", 5],
        ["unreadable", new Set(set.probes.map(({ sample }) => sample.id)).size],
      ] as const) {
        await page.selectOption("#show", flag);
        assert.equal(await shown(), numClips, flag);
      }
      await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
      assert.equal(await overflow(), 0);
      assert.deepEqual(complaints, []);
    }
  } finally {
    await browser.close();
  }
});
