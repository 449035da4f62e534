// A rank of a launched training is killed at a drawn moment: all end within five seconds with that rank as the reason, and the same command
// ends with the files of a run that nobody disturbed.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createRandom, type Random } from "../src/random.ts";
import { deriveSeed } from "../src/seeds.ts";
import { childrenOf, descendants, isRunning } from "../test/support/processes.ts";
import { type KillJob, outputsOf } from "./kill-jobs.ts";
import { type Place, startCommand } from "./place.ts";

export interface RankKills {
  /** That met running ranks. */
  readonly kills: number;
  /** Milliseconds from a kill to the end of the last process. */
  readonly longest: number;
  readonly failures: readonly string[];
}

const processes = 2;
const mostMilliseconds = 5000;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export async function runRankKills(
  place: Place,
  options: {
    readonly seed: number;
    /** Done whatever time they take. */
    readonly kills: number;
    readonly log: (line: string) => void;
  },
): Promise<RankKills> {
  const job = jobOf(place);
  const random = createRandom(deriveSeed(options.seed, "rank-kills"));
  const undisturbed = newFolder(place, "undisturbed");
  const start = performance.now();
  const first = await startCommand(undisturbed, job.args).ended;
  const duration = performance.now() - start;
  if (first.code !== 0) return { kills: 0, longest: 0, failures: [`undisturbed: ${first.said}`] };
  const expected = outputsOf(job, undisturbed);
  const failures: string[] = [];
  let [kills, longest] = [0, 0];
  for (let run = 0; kills < options.kills; run++) {
    const folder = newFolder(place, `run-${run}`);
    const took = await killRank(folder, job, random, duration);
    if (took !== null) {
      kills++;
      longest = Math.max(longest, took.milliseconds);
      if (took.problem !== null) failures.push(`run ${run}: ${took.problem}`);
    }
    const last = await startCommand(folder, job.args).ended;
    if (last.code !== 0) failures.push(`run ${run}, relaunched: ${last.said}`);
    for (const [path, content] of outputsOf(job, folder)) {
      if (expected.get(path) !== content) failures.push(`run ${run}: ${path} differs`);
    }
    rmSync(folder, { recursive: true });
  }
  options.log(`ranks  ${kills} kills, at most ${Math.round(longest)} ms to the end, ${failures.length} failures`);
  return { kills, longest, failures };
}

/** null: it had ended, or had no ranks yet. */
async function killRank(folder: string, job: KillJob, random: Random, duration: number) {
  const started = startCommand(folder, job.args);
  await pause(random.next() * duration);
  const pid = started.child.pid!;
  const ranks = childrenOf(pid);
  const victim = ranks[random.int(processes)];
  if (victim === undefined) {
    await started.ended;
    return null;
  }
  const everyone = descendants(pid);
  const at = performance.now();
  process.kill(victim, "SIGKILL");
  const { code, said } = await started.ended;
  const milliseconds = performance.now() - at;
  const left = everyone.filter(isRunning);
  const isTold = code === 0 || /ERR_RANK_FAILED/.test(said);
  const problem =
    milliseconds > mostMilliseconds ? `${milliseconds} ms` : left.length > 0 ? `${left} run on` : isTold ? null : said;
  return { milliseconds, problem };
}

function jobOf({ model, theatre }: Place): KillJob {
  const steps = { steps: 6, promptsPerStep: 2, groupSize: 2, maxNewTokens: 6, checkpointEvery: 1 };
  const train = ["train", "--model", model, "--data", theatre.samplesFile, "--run", "run"];
  const settings = Object.entries(steps).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const args = ["launch", "--processes", String(processes), ...train, ...settings];
  return { name: "launch", args, isCompared: (path) => !path.endsWith("run.lock") };
}

function newFolder(place: Place, name: string): string {
  const folder = join(place.root, "ranks", name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
