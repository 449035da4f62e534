// Pictures of the studio's rooms for the documents: a studio over the runs of a demo, in the system's Chromium.
//
//   npm run screenshots -- runs/demo        writes docs/images/studio-*.png

import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folders = process.argv.slice(2);
const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = browsers.find((path) => existsSync(path));
const settleMilliseconds = 1500;

/** File -> what is shown, how wide, in which theme. */
const pictures = [
  { name: "studio-runs", room: "runs", width: 1280, height: 900, colorScheme: "light", all: true },
  { name: "studio-rollouts", room: "rollouts", width: 1280, height: 1000, colorScheme: "dark", all: false },
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
const server = await serveStudio({
  folders,
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
  if (trained.length === 0) throw new Error(`no run below ${folders.join(", ")} has rollouts`);
  mkdirSync(join(root, "docs/images"), { recursive: true });
  for (const { name, room, width, height, colorScheme, all } of pictures) {
    const page = await context.newPage();
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    const ids = trained.slice(0, all ? 3 : 1).map(({ id }) => id);
    await page.goto(`${server.address}/#/${room}/${ids[0]}?show=${ids.join(",")}`);
    await page.waitForSelector(room === "runs" ? ".chart canvas" : ".rollouts li");
    await page.waitForTimeout(settleMilliseconds);
    const path = join(root, "docs/images", `${name}.png`);
    await page.screenshot({ path });
    console.log(path);
    await page.close();
  }
} finally {
  await browser.close();
  await server.close();
}
