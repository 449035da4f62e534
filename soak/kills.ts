// Kills at drawn moments: a command is run undisturbed once, then again and again in new folders, killed one to four times
// on its way and run to its end; what it leaves must be the undisturbed run's, byte for byte, with nothing unfinished beside.
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createRandom, type Random } from "../src/random.ts";
import { deriveSeed } from "../src/seeds.ts";
import { type KillJob, killJobs, outputsOf } from "./kill-jobs.ts";
import { killCommand, type Place, startCommand } from "./place.ts";
import { sharing } from "./sharing.ts";

export interface KillResult {
  readonly name: string;
  /** That met a running process. */
  readonly kills: number;
  readonly runs: number;
  readonly files: number;
  readonly failures: readonly string[];
}

const mostKillsPerRun = 4;
const mostSeconds = 120;
const unfinished = /\.partial-\d+-[0-9a-f]{8}$/;

/** @param until of `performance.now()`: shared evenly by the jobs */
export async function runKills(
  place: Place,
  options: {
    readonly seed: number;
    readonly kills: number;
    readonly until: number;
    readonly log: (line: string) => void;
  },
): Promise<KillResult[]> {
  const jobs = await killJobs(place);
  return sharing(jobs, options.until, async (job, until) => {
    const random = createRandom(deriveSeed(options.seed, "kills", job.name));
    const result = await killOften(place, job, random, options.kills, until);
    const { kills, runs, failures } = result;
    options.log(`kills  ${job.name}: ${kills} kills in ${runs} runs, ${failures.length} failures`);
    return result;
  });
}

async function killOften(
  place: Place,
  job: KillJob,
  random: Random,
  wanted: number,
  until: number,
): Promise<KillResult> {
  const reference = newFolder(place, job, "undisturbed");
  const start = performance.now();
  const first = await run(job, reference);
  const duration = performance.now() - start;
  const failures: string[] = [];
  if (first.code !== 0)
    return { name: job.name, kills: 0, runs: 0, files: 0, failures: [`undisturbed: ${first.said}`] };
  const expected = outputsOf(job, reference);
  let kills = 0;
  let runs = 0;
  while (kills < wanted && performance.now() < until && failures.length < 5) {
    const folder = newFolder(place, job, `run-${runs++}`);
    const moments: string[] = [];
    for (let left = 1 + random.int(mostKillsPerRun); left > 0 && kills < wanted; left--) {
      const [delay, isWithChildren] = [random.next() * duration, random.next() < 0.5];
      moments.push(`${Math.round(delay)} ms${isWithChildren ? " with children" : ""}`);
      if (await killAfter(job, folder, delay, isWithChildren)) kills++;
    }
    const last = await runOnceFree(job, folder);
    const problem =
      last.code === 0 ? difference(job, folder, expected) : `exit code ${last.code}: ${last.said.slice(-600)}`;
    if (problem === null) rmSync(folder, { recursive: true });
    else failures.push(`killed after ${moments.join(", ")}: ${problem}`);
  }
  rmSync(reference, { recursive: true });
  return { name: job.name, kills, runs, files: expected.size, failures };
}

function newFolder(place: Place, job: KillJob, name: string): string {
  const folder = join(place.root, "kills", job.name.replaceAll(/[ ,]+/g, "-"), name);
  mkdirSync(folder, { recursive: true });
  job.prepare?.(folder);
  return folder;
}

function begin(job: KillJob, folder: string) {
  return startCommand(folder, job.args, job.environment, job.task?.(folder) ?? null);
}

async function run(job: KillJob, folder: string) {
  const started = begin(job, folder);
  const timer = setTimeout(() => killCommand(started, true), mostSeconds * 1000);
  const ended = await started.ended;
  clearTimeout(timer);
  return ended;
}

/** Orphans of a command that was killed alone may hold its run for a moment. */
async function runOnceFree(job: KillJob, folder: string) {
  for (let tries = 0; ; tries++) {
    const ended = await run(job, folder);
    if (!ended.said.includes("ERR_RUN_LOCKED") || tries === 20) return ended;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** @returns whether it was still running */
async function killAfter(job: KillJob, folder: string, delay: number, isWithChildren: boolean): Promise<boolean> {
  const started = begin(job, folder);
  const timer = setTimeout(() => killCommand(started, isWithChildren), delay);
  const { code } = await started.ended;
  clearTimeout(timer);
  return code === null;
}

function difference(job: KillJob, folder: string, expected: ReadonlyMap<string, string>): string | null {
  const found = outputsOf(job, folder);
  for (const path of new Set([...expected.keys(), ...found.keys()])) {
    if (expected.get(path) === found.get(path)) continue;
    return `${path}: ${!found.has(path) ? "missing" : expected.has(path) ? "other bytes" : "not in an undisturbed run"}`;
  }
  const left = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((path) => unfinished.test(path));
  return left === undefined ? null : `${left}: left behind`;
}
