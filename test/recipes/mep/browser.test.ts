// The page of a run in a real browser: nothing fetched, nothing wider than a phone, clips that are heard, twenty at a time, and a
// filter that finds the others.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { runMep } from "../../../src/bench/mep.ts";
import type { Respondent } from "../../../src/bench/respondent.ts";
import { chooseSetting } from "../../../src/corpus/setting.ts";
import { buildMepSet } from "../../../src/recipes/mep/build.ts";
import { locateMedia } from "../../../src/recipes/mep/media-files.ts";
import { mepPage } from "../../../src/recipes/mep/page.ts";
import { resultsOf } from "../../../src/recipes/mep/results.ts";
import { openMepSet, readMepSet } from "../../../src/recipes/mep/set-directory.ts";
import { chromiumPath, launchChromium, noChromium } from "../../support/chromium.ts";
import { checkPage } from "../../support/page-checks.ts";
import { quietRun } from "../../support/quiet-run.ts";
import { emotionDefaults } from "../../support/setting-options.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";

const numAtOnce = 20;
const hostile = "<img src=x onerror=alert(1)></script>";

/** Names the cues of the first clip whatever is shown, and never answers a probe. */
const stubborn: Respondent = {
  name: `stubborn ${hostile}`,
  respond: (queries) =>
    queries.map(() => `<think>a furrowed brow, a loud voice, ${hostile}.</think><answer>x</answer>`),
};

test("a browser shows every clip and finds those that are asked for", async (t) => {
  if (chromiumPath === null) {
    t.skip(noChromium);
    return;
  }
  using theatre = await smallTheatre(26, "congruent");
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

  const browser = await launchChromium();
  try {
    await checkPage(browser, pathToFileURL(file).href, {
      maxPrinted: 6,
      look: async (page) => {
        await lookAtClips(page, { numClips: set.congruent.length, theatre });
        for (const [flag, clips] of [
          ["unseen", set.congruent.length],
          ["unreadable", new Set(set.probes.map(({ sample }) => sample.id)).size],
        ] as const) {
          await page.selectOption("#show", flag);
          assert.match((await page.textContent("#count"))!, new RegExp(`^${clips} clips?\\b`), flag);
        }
        await page.selectOption("#show", "");
        assert.equal(await page.locator(".sample").count(), numAtOnce);
      },
    });
  } finally {
    await browser.close();
  }
});

async function lookAtClips(page: Page, { numClips, theatre }: { numClips: number; theatre: SmallTheatre }) {
  const shown = () => page.locator(".sample").count();
  await page.waitForSelector("#more", { state: "visible" });
  assert.ok(numClips > numAtOnce, `${numClips} clips are more than are shown at once`);
  assert.equal(await shown(), numAtOnce);
  // the first has the most claims of what is not there
  const invented = (await page.evaluate(
    "[...document.querySelectorAll('.sample')].map((one) => one.querySelectorAll('.arms mark.unseen').length)",
  )) as number[];
  assert.ok(invented[0]! > 0 && Math.max(...invented) === invented[0], invented.join());
  // it plays, and is heard
  const played = "document.querySelector('.sample video')";
  await page.waitForFunction(`${played}.readyState >= 1`);
  const seconds = (await page.evaluate(`${played}.duration`)) as number;
  assert.ok(Math.abs(seconds - 2) < 0.2, `${seconds} s`);
  const loudest = (await page.evaluate(
    `fetch(${played}.src).then((reply) => reply.arrayBuffer()).then((bytes) => new AudioContext().decodeAudioData(bytes)).then((sound) => Math.max(...sound.getChannelData(0)))`,
  )) as number;
  assert.ok(loudest > 0.01, `its sound is there: ${loudest}`);
  // probes are told without tags
  assert.doesNotMatch((await page.textContent("#clips"))!, /<\/?(think|answer)>/);
  const cells = await page.locator(".probes td:last-child").allTextContents();
  assert.ok(cells.length > 0 && cells.every((text) => text.includes("a loud voice")));
  // the others come when they are asked for, or looked for
  await page.click("#more");
  assert.equal(await shown(), numClips);
  assert.equal(await page.isVisible("#more"), false);
  const { id } = theatre.samples[3]!;
  await page.fill("#find", id);
  assert.ok((await shown()) >= 1);
  assert.equal(await page.isVisible(`#${id}`), true);
  await page.fill("#find", "no such clip");
  assert.equal(await shown(), 0);
  await page.fill("#find", "");
}
