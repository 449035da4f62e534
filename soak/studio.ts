// The studio's memory over a long watching: runs that log all the time, pages that watch them and ask as pages do, and the server's
// resident memory beside it, which must stay where it was once it was warm.
// Usage: npm run soak:studio -- [--minutes 60] [--pages 3] [--rate 2] [--json]
import { type ChildProcess, fork } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { serveStudio } from "../src/serve/studio/serve-studio.ts";
import { groupRow, line, makeRun, metricsRow } from "../test/support/studio-runs.ts";

const token = "soak";
const headers = { authorization: `Bearer ${token}` };
const numRuns = 3;
const sampleMilliseconds = 5000;
/** Of the time: until then caches fill and code is compiled. */
const warmShare = 0.2;
/** What a collector leaves lying about. */
const slackMegabytes = 12;
const growthLimit = 0.1;

if (process.argv.includes("--serve")) {
  const server = await serveStudio({
    ...{ folders: [process.argv.at(-1)!], host: "127.0.0.1", port: 0, token, command: null },
    log: console.error,
  });
  process.send!(server.address);
  process.on("disconnect", () => process.exit());
} else {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "60" },
      pages: { type: "string", default: "3" },
      rate: { type: "string", default: "2" },
      json: { type: "boolean", default: false },
    },
  });
  process.exitCode = await watch(Number(values.minutes), Number(values.pages), Number(values.rate), values.json);
}

/** @param rate steps a second of each run @returns the exit code */
async function watch(minutes: number, numPages: number, rate: number, isJson: boolean): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "oppo-soak-studio-"));
  const paths = Array.from({ length: numRuns }, (_, i) => makeRun(folder, `run-${i}`, { steps: 50 }));
  const child = fork(fileURLToPath(import.meta.url), ["--serve", folder], { stdio: "inherit" });
  try {
    const address = await new Promise<string>((resolve, reject) => {
      child.once("message", (message) => resolve(String(message)));
      child.once("exit", () => reject(new Error("the server ended before it listened")));
    });
    const end = performance.now() + minutes * 60_000;
    const counts = { steps: 50, asked: 0, events: 0 };
    const writing = setInterval(() => {
      for (const path of paths) {
        appendFileSync(join(path, "metrics.jsonl"), line(metricsRow(counts.steps)));
        appendFileSync(join(path, "rollouts.jsonl"), line(groupRow(counts.steps, `clip-${counts.steps % 7}`)));
      }
      counts.steps++;
    }, 1000 / rate);
    const gone = new AbortController();
    const pages = Array.from({ length: numPages }, () => page(address, counts, gone.signal));
    const samples: number[] = [];
    while (performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, sampleMilliseconds));
      samples.push(await residentMegabytes(address, child));
    }
    clearInterval(writing);
    gone.abort();
    await Promise.all(pages);
    return verdict(samples, { minutes, ...counts }, isJson);
  } finally {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Watches as the page does: what changed is asked for anew, the newest points of its curves and its newest groups. */
async function page(address: string, counts: { asked: number; events: number }, gone: AbortSignal): Promise<void> {
  const get = async (path: string) => {
    counts.asked++;
    return (await (await fetch(address + path, { headers })).json()) as never;
  };
  try {
    const stream = await fetch(`${address}/api/changes`, { headers, signal: gone });
    const known = new Map<string, { generation: string; from: number }>();
    for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) {
      const [, data] = /event: change\ndata: (.*)\n/.exec(chunk) ?? [];
      if (data === undefined) continue;
      counts.events++;
      await get("/api/runs");
      for (const id of Object.keys((JSON.parse(data) as { runs: Record<string, unknown> }).runs)) {
        const { generation, from } = known.get(id) ?? { generation: "", from: 0 };
        const names = "reward,kl,entropy,rewards/omni/mean,step_time";
        const query = new URLSearchParams({ names, generation, from: String(from) });
        const series: { generation: string; start: number; steps: number[] } = await get(
          `/api/runs/${id}/series?${query}`,
        );
        known.set(id, { generation: series.generation, from: series.start + series.steps.length });
        const { groups }: { groups: { line: number }[] } = await get(`/api/runs/${id}/rollouts?order=lowest`);
        await get(`/api/runs/${id}/rollouts/${groups[0]!.line}`);
        await get(`/api/runs/${id}`);
      }
    }
  } catch (error) {
    if (!gone.aborted) throw error;
  }
}

async function residentMegabytes(address: string, { exitCode }: ChildProcess): Promise<number> {
  if (exitCode !== null) throw new Error(`the server ended with ${exitCode}`);
  const text = await (await fetch(`${address}/metrics`, { headers })).text();
  return Number(/oppo_studio_resident_bytes (\d+)/.exec(text)![1]) / 2 ** 20;
}

/** Of what came after the warm-up, the last third beside the first: medians, since a collector works in waves. */
function verdict(samples: readonly number[], facts: Record<string, number>, isJson: boolean): number {
  const warm = samples.slice(Math.floor(samples.length * warmShare));
  const third = Math.max(1, Math.floor(warm.length / 3));
  const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const [before, after] = [median(warm.slice(0, third)), median(warm.slice(-third))];
  const limit = before * (1 + growthLimit) + slackMegabytes;
  const isFlat = after <= limit;
  const rounded = {
    ...facts,
    before: Math.round(before),
    after: Math.round(after),
    largest: Math.round(Math.max(...samples)),
  };
  if (isJson) console.log(JSON.stringify({ ...rounded, isFlat }));
  else {
    console.log(
      `${facts.minutes} minutes, ${facts.steps} steps of ${numRuns} runs, ${facts.events} changes, ${facts.asked} questions`,
    );
    console.log(
      `resident: ${rounded.before} MB when warm, ${rounded.after} MB in the end, ${rounded.largest} MB at most: ${isFlat ? "flat" : `more than ${Math.round(limit)} MB`}`,
    );
  }
  return isFlat ? 0 : 1;
}
