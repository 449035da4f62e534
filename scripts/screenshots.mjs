// Pictures of the studio's rooms for the documents: a studio over the runs of a demo, in the system's Chromium.
//
//   npm run screenshots -- runs/demo                   writes docs/images/studio-*.png
//   npm run screenshots -- corpus/rl/rl.jsonl          those of the room of data alone
//
// The decisions in the pictures of the room of data are made up and go to a temporary folder.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { palettePng } from "./palette-png.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folders = process.argv.slice(2);
const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = browsers.find((path) => existsSync(path));
const settleMilliseconds = 1500;
const redrawMilliseconds = 300;
/** For models to be loaded and asked. */
const patience = 300_000;

/** File -> what is shown, how wide, in which theme. */
const pictures = [
  { name: "studio-runs", room: "runs", width: 1280, height: 900, colorScheme: "light", all: true },
  { name: "studio-rollouts", room: "rollouts", width: 1280, height: 1000, colorScheme: "dark", all: false },
  { name: "studio-xray", room: "xray", width: 1280, height: 900, colorScheme: "light", all: false },
  { name: "studio-xray-phone", room: "xray", width: 390, height: 844, colorScheme: "dark", all: false },
  { name: "studio-data", room: "data", width: 1280, height: 900, colorScheme: "light", all: false },
  { name: "studio-review", room: "data", width: 1280, height: 760, colorScheme: "dark", all: false },
  { name: "studio-review-phone", room: "data", width: 390, height: 844, colorScheme: "light", all: false },
  { name: "studio-phone", room: "rollouts", width: 390, height: 844, colorScheme: "light", all: false },
];

if (folders.length === 0 || executablePath === undefined) {
  console.error(
    folders.length === 0
      ? "screenshots: expected folders of runs. Example: npm run screenshots -- runs/demo"
      : `screenshots: expected a Chromium at ${browsers.join(" or ")}.`,
  );
  process.exit(1);
}

const { serveStudio } = await import(join(root, "build/js/src/serve/studio/serve-studio.js"));
const annotations = mkdtempSync(join(tmpdir(), "oppo-pictures-"));
const server = await serveStudio({
  folders,
  annotations,
  host: "127.0.0.1",
  port: 0,
  token: "pictures",
  command: null,
  log: console.error,
});
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const context = await browser.newContext({ deviceScaleFactor: 1 });
  const first = await context.newPage();
  await first.goto(server.link);
  const { runs } = await (await context.request.get(`${server.address}/api/runs`)).json();
  const trained = runs.filter(({ hasRollouts }) => hasRollouts);
  const model = await methodsModel(context, server.address);
  const { corpora } = await (await context.request.get(`${server.address}/api/corpora`)).json();
  const reviewed =
    corpora.length === 0 ? null : await review(context, `${server.address}/api/corpora/${corpora[0].id}`);
  mkdirSync(join(root, "docs/images"), { recursive: true });
  for (const { name, room, width, height, colorScheme, all } of pictures) {
    if (room === "data" ? reviewed === null : trained.length === 0) continue;
    const page = await context.newPage();
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    const best = trained.toSorted((a, b) => Number(b.name.includes("oppo")) - Number(a.name.includes("oppo")));
    const ids = room === "data" ? [corpora[0].id] : best.slice(0, all ? 3 : 1).map(({ id }) => id);
    const choices =
      room === "data"
        ? { by: "ada", ...(name === "studio-data" ? {} : { sample: reviewed }) }
        : room === "xray"
          ? { models: model }
          : room === "rollouts"
            ? { order: "spread" }
            : { show: ids.join(",") };
    await page.goto(`${server.address}/#/${room}/${ids[0]}?${new URLSearchParams(choices)}`);
    const ready = {
      runs: ".chart canvas",
      rollouts: ".rollouts li",
      xray: ".xray-model .said:not(.live)",
      data: name === "studio-data" ? ".card" : ".judged",
    };
    await page.waitForSelector(ready[room], { timeout: patience });
    if (room === "xray") await askWhatItHangsOn(page);
    await page.waitForTimeout(settleMilliseconds);
    const path = join(root, "docs/images", `${name}.png`);
    writeFileSync(path, await palettePng(await page.screenshot()));
    console.log(path);
    await page.close();
  }
} finally {
  await browser.close();
  await server.close();
  rmSync(annotations, { recursive: true });
}

/** The method's model of a demo. */
async function methodsModel(context, address) {
  const { models } = await (await context.request.get(`${address}/api/models`)).json();
  return (models.find(({ name }) => name.includes("oppo/")) ?? models[0])?.id ?? "";
}

/** The model is warm by now: what it says without the sound, and the clause whose map says most. */
async function askWhatItHangsOn(page) {
  await page.getByLabel("Sound: dose").fill("100");
  await page.waitForSelector(".xray-model .sides > div:nth-child(2) > .said:not(.live)", { timeout: patience });
  await page.waitForSelector(".xray-model mark.heat", { timeout: patience });
  const clauses = page.locator("button.clause");
  let [best, most] = [0, -1];
  for (let k = 0; k < (await clauses.count()); k++) {
    await clauses.nth(k).click();
    await page.waitForSelector(".sound i", { timeout: patience });
    await page.waitForTimeout(redrawMilliseconds);
    const text = await page.locator(".ground").textContent();
    const nats = Number(/strongest anywhere ([\d.e-]+) nats/.exec(text)?.[1]);
    if (nats > most) [best, most] = [k, nats];
  }
  // The last one is chosen already; a second click would let it go.
  if (best < (await clauses.count()) - 1) await clauses.nth(best).click();
  await page.evaluate("scrollTo(0, 0)");
}

/** Two annotators' decisions about the first clips, by a fixed rule. @returns the clip that they see differently */
async function review(context, corpus) {
  const { entries } = await (await context.request.get(`${corpus}/samples?order=corpus&limit=20`)).json();
  let count = 0;
  for (const { id } of entries.slice(0, 12)) {
    const { cues } = await (await context.request.get(`${corpus}/sample?${new URLSearchParams({ id })}`)).json();
    for (const [i, { cue }] of cues.entries()) {
      for (const by of i < 4 ? ["ada", "bo"] : ["bo"]) {
        const isRejected = (3 * count + i) % 7 === 2;
        const act = isRejected !== (by === "ada" && i === 2 && count % 4 === 0) ? "reject" : "accept";
        const data = { id: `picture-${by}-${String(count).padStart(4, "0")}`, by, sample: id, act, cue };
        await context.request.post(`${corpus}/decisions`, { data });
      }
      count++;
    }
  }
  const first = await (await context.request.get(`${corpus}/samples?by=ada&limit=1`)).json();
  return first.entries[0]?.id ?? null;
}
