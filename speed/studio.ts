// How soon the studio's page is there: 50 runs of 3,000 steps, a server that has read none of them, a browser without a cache. Every
// round begins a new process and a new profile. Times are the page's own, from the begin of the navigation: the first content (the
// browser's own mark), the list of all runs, curves with something drawn on them. With --against another checkout takes turns with
// this one, so that their ratio outlives a loaded machine.
// Usage: npm run bench:studio -- [--runs 50] [--steps 3000] [--shown 1] [--rounds 5] [--against FOLDER] [--waterfall] [--json]
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { desk, launchChromium } from "../test/support/chromium.ts";
import { line, makeRun, metricsRow } from "../test/support/studio-runs.ts";
import { readOptions } from "./support/options.ts";

const promisedMilliseconds = 1000;
const patience = 60_000;
/** Numbers of a row of `oppo train`. */
const rowNumbers = 57;
const marks = ["server", "content", "list", "curves"] as const;
type Times = Record<(typeof marks)[number], number>;

/** Notes when something is there first; the page's policy lets no other script in. */
const watch = `
  window.seen = {};
  const look = () => {
    const note = (name, isThere) => { if (isThere) window.seen[name] ??= performance.now(); };
    note("list", document.querySelectorAll(".run-list li").length >= RUNS);
    const canvas = document.querySelector(".chart canvas");
    if (canvas && canvas.width > 0) {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      note("curves", data.some((value) => value !== 0));
    }
    if (window.seen.curves === undefined || window.seen.list === undefined) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
`;

const options = readOptions(
  "bench:studio",
  "Milliseconds from a navigation to the studio's content, list and curves.",
  {
    runs: { help: "runs below the folder", value: "n", default: "50" },
    steps: { help: "steps of each", value: "n", default: "3000" },
    shown: { help: "runs that are drawn; 1: the page's own choice", value: "n", default: "1" },
    rounds: { help: "of each checkout", value: "n", default: "5" },
    against: { help: "another checkout that is built, in turns with this one", value: "folder" },
    waterfall: { help: "say of the last round what was asked for, when, and how large it was" },
  },
);

const [runs, steps, shown, rounds] = [options.runs, options.steps, options.shown, options.rounds].map(Number) as [
  number,
  number,
  number,
  number,
];
const own = fileURLToPath(new URL("../../../", import.meta.url));
const checkouts = [{ name: "here", root: own }];
if (options.against !== undefined) checkouts.push({ name: "against", root: resolve(options.against) });

const folder = mkdtempSync(join(tmpdir(), "oppo-bench-studio-"));
const browser = await launchChromium();
try {
  makeRuns();
  const times = new Map(checkouts.map(({ name }) => [name, [] as Times[]]));
  let waterfall = "";
  for (let round = 0; round < rounds; round++) {
    for (const { name, root } of checkouts) {
      const visited = await visit(root, browser);
      times.get(name)!.push(visited.times);
      waterfall = visited.waterfall;
    }
  }
  tell(times, waterfall);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Rows as wide as those of training. */
function makeRuns(): void {
  const more = (step: number) =>
    Object.fromEntries(
      Array.from({ length: rowNumbers - Object.keys(metricsRow(0)).length }, (_, i) => [
        `diagnostics/number_${i}`,
        Math.sin(step / (i + 2)),
      ]),
    );
  const rows = Array.from({ length: steps }, (_, step) => line({ ...metricsRow(step), ...more(step) })).join("");
  const first = join(folder, "metrics.jsonl.once");
  writeFileSync(first, rows);
  for (let i = 0; i < runs; i++) {
    const path = makeRun(folder, `run-${i}`, { steps: 1, wantedSteps: steps, groups: 1 });
    copyFileSync(first, join(path, "metrics.jsonl"));
  }
}

async function visit(root: string, browser: Browser): Promise<{ readonly times: Times; readonly waterfall: string }> {
  const begun = performance.now();
  const main = join(root, "build/js/src/cli/main.js");
  const child = spawn(process.execPath, [main, "studio", folder, "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const context = await browser.newContext({ viewport: desk });
  try {
    const link = await linkOf(child);
    const server = performance.now() - begun;
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    await page.addInitScript(watch.replace("RUNS", String(runs)));
    const hash = shown > 1 ? `#/runs?show=${(await idsOf(link)).slice(0, shown).join()}` : "";
    await page.goto(link + hash, { waitUntil: "commit" });
    const seen = await eventually(page);
    const content = (await page.evaluate(
      'performance.getEntriesByName("first-contentful-paint")[0].startTime',
    )) as number;
    return { times: { server, content, ...seen }, waterfall: await waterfallOf(page) };
  } finally {
    await context.close();
    child.kill();
  }
}

async function linkOf(child: ChildProcess): Promise<string> {
  for await (const text of createInterface({ input: child.stdout! })) {
    const [, link] = /^open\s+(\S+)/.exec(text) ?? [];
    if (link !== undefined) return link;
  }
  throw new Error("the studio ended before it listened");
}

async function idsOf(link: string): Promise<string[]> {
  const { origin, searchParams } = new URL(link);
  const headers = { authorization: `Bearer ${searchParams.get("token")}` };
  const { runs: list } = (await (await fetch(`${origin}/api/runs`, { headers })).json()) as { runs: { id: string }[] };
  return list.map(({ id }) => id);
}

async function eventually(page: Page): Promise<Pick<Times, "list" | "curves">> {
  const end = performance.now() + patience;
  while (performance.now() < end) {
    const seen = (await page.evaluate("window.seen")) as Partial<Times> | undefined;
    if (seen?.list !== undefined && seen.curves !== undefined) return { list: seen.list, curves: seen.curves };
    await page.waitForTimeout(20);
  }
  throw new Error("the page never showed its list and its curves");
}

/** What was asked for: from when to when, and its size. */
async function waterfallOf(page: Page): Promise<string> {
  const entries = (await page.evaluate(`performance.getEntries()
    .filter(({ entryType }) => entryType === "navigation" || entryType === "resource")
    .map(({ name, startTime, responseStart, responseEnd, transferSize }) =>
      ({ name: name.replace(location.origin, ""), startTime, responseStart, responseEnd, transferSize }))`)) as {
    name: string;
    startTime: number;
    responseStart: number;
    responseEnd: number;
    transferSize: number;
  }[];
  return entries
    .map(({ name, startTime, responseStart, responseEnd, transferSize }) =>
      [
        ...[startTime, responseStart, responseEnd].map((at) => `${Math.round(at)}`.padStart(6)),
        `${transferSize}`.padStart(9),
        ` ${name.slice(0, 90)}`,
      ].join(""),
    )
    .join("\n");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function tell(times: ReadonlyMap<string, readonly Times[]>, waterfall: string): void {
  const rows = [...times].map(([name, list]) => ({
    name,
    ...(Object.fromEntries(
      marks.map((mark) => {
        const values = list.map((one) => one[mark]);
        return [mark, { median: median(values), slowest: Math.max(...values) }];
      }),
    ) as Record<(typeof marks)[number], { readonly median: number; readonly slowest: number }>),
  }));
  if (options.json) {
    console.log(JSON.stringify({ runs, steps, shown, rounds, rows }));
    return;
  }
  console.log(`${runs} runs of ${steps} steps, ${shown} drawn; milliseconds, median and slowest of ${rounds}`);
  for (const row of rows) {
    const parts = marks.map((mark) => `${mark} ${Math.round(row[mark].median)} (${Math.round(row[mark].slowest)})`);
    console.log(`${row.name.padEnd(8)} ${parts.join("  ")}`);
  }
  const [here, against] = [...times.values()];
  if (against !== undefined) {
    const ratio = (mark: (typeof marks)[number]) => median(here!.map((one, i) => one[mark] / against[i]![mark]));
    console.log(
      `here / against, median of rounds: ${marks.map((mark) => `${mark} ${ratio(mark).toFixed(2)}`).join("  ")}`,
    );
  }
  console.log(`promised: ${promisedMilliseconds} ms to the first content`);
  if (options.waterfall) console.log(`\n from   first    last    bytes\n${waterfall}`);
}
