// `npm run demo`: a corpus of real clips, warm towers, a cold start, the arms, their measures and the report, over a few
// processes. Every task leaves a file or folder that is whole or not there; what is there is not done again.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { worldName } from "../../data/theatre/corpus.ts";
import type { ArmResult } from "../../page/data.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import type { DeepReadonly } from "../../run/config.ts";
import { requireSpaceForRest } from "../../run/disk.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import { runPool } from "../../run/pool/pool.ts";
import type { Progress } from "../../run/progress.ts";
import { openRunDirectory } from "../../run/run-directory.ts";
import { readVersions } from "../../run/versions.ts";
import { torchVersion } from "../../tensor/index.ts";
import { makeFreshPolicy } from "../../train/theatre/fresh-policy.ts";
import { type SplitName, shardsOf } from "../../train/theatre/splits.ts";
import { coldStartsOf } from "./arms.ts";
import type { DemoConfig } from "./config.ts";
import { type DemoPaths, demoPaths } from "./paths.ts";
import { type Timing, writeReport } from "./report.ts";
import { type DemoTask, isTaskDone, startTask, taskName } from "./run-task.ts";
import { storyClips } from "./story-clips.ts";
import { TaskShares } from "./task-shares.ts";

export interface DemoRun {
  readonly directory: string;
  readonly config: DeepReadonly<DemoConfig>;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

export interface DemoResult {
  readonly paths: DemoPaths;
  readonly arms: readonly ArmResult[];
}

/** Clips, checkpoints and the report of one demo, with room to spare. */
const bytesNeeded = 1.5e9;

export async function runDemo(run: DemoRun): Promise<DemoResult> {
  const { config } = run;
  requireSpaceForRest(run.directory, bytesNeeded, "the demo");
  using opened = openRunDirectory(run.directory, {
    config,
    mayChange: ["workers", "arms", "seeds", "numStories"],
    versions: readVersions(torchVersion()),
    seeds: Array.from({ length: config.seeds }, (_, seed) => seed),
    device: "cpu",
    choices: { world: worldName() },
  });
  const paths = demoPaths(opened.path);
  const timings = await readTimings(paths);
  const stage = async (name: string, tasks: readonly DemoTask[]): Promise<void> => {
    const missing = tasks.filter((task) => !isTaskDone(task, paths));
    if (missing.length === 0) return;
    const start = performance.now();
    await runStage(run, paths, name, tasks.length, missing);
    addTiming(paths, timings, name, (performance.now() - start) / 1000);
  };

  await makeFreshPolicy(paths.fresh, config.seed);
  await stage("clips for the towers", renderTasks(config, ["warmup", "warmupDev"]));
  // The longest first; what is drawn meanwhile needs no tower.
  await stage("warm towers, and the other clips", [
    { kind: "tower", modality: "video" },
    { kind: "tower", modality: "audio" },
    ...renderTasks(config, [
      "sft",
      "rl",
      "congruent",
      "conflict",
      ...(config.withDev ? (["dev", "devConflict"] as const) : []),
    ]),
  ]);
  await stage(
    "cold starts",
    coldStartsOf(config).map((coldStart) => startTask({ config, paths }, coldStart)),
  );
  const storyIds = (await storyClips(paths, config.numStories)).map(({ id }) => id);
  await stage("training and measuring the arms", armTasks(config, paths, storyIds));
  return { paths, arms: await writeReport(paths, config, timings) };
}

function renderTasks(config: DeepReadonly<DemoConfig>, splits: readonly SplitName[]): DemoTask[] {
  return splits.flatMap((split) => shardsOf(config, split).map((shard): DemoTask => ({ kind: "render", ...shard })));
}

/** Longest first, so that the processes end together. */
function armTasks(config: DeepReadonly<DemoConfig>, paths: DemoPaths, storyIds: readonly string[]): DemoTask[] {
  const splits = { congruent: "congruent", conflict: "conflict" } as const;
  const seeds = Array.from({ length: config.seeds }, (_, seed) => seed);
  const arms = seeds.flatMap((seed) =>
    [...config.arms].reverse().map(
      (arm): DemoTask => ({
        kind: "arm",
        train: { arm, seed },
        measure: {
          arm,
          seed,
          model: join(paths.arm(arm, seed), "model"),
          splits,
          storyIds: seed === 0 ? storyIds : [],
          file: paths.measured(arm, seed),
        },
      }),
    ),
  );
  const coldStart: DemoTask = {
    kind: "arm",
    train: null,
    measure: { arm: "sft", seed: 0, model: paths.sft, splits, storyIds, file: paths.measured("sft", 0) },
  };
  return [...arms, coldStart];
}

/** Progress counts a task as 100. */
const taskUnits = 100;

async function runStage(
  run: DemoRun,
  paths: DemoPaths,
  name: string,
  numTasks: number,
  missing: readonly DemoTask[],
): Promise<void> {
  const shown = run.progress.stage(name, numTasks * taskUnits);
  const shares = new TaskShares(numTasks - missing.length);
  await runPool(
    missing.map((task) => ({
      name: taskName(task),
      args: ["demo-task"],
      payload: { task, directory: paths.root, config: run.config },
    })),
    {
      numProcesses: run.config.workers,
      signal: run.interrupt.signal,
      onLine: (task, line) => run.progress.log(`${task.name}: ${line}`),
      onProgress: (task, progress) => {
        shares.update(task.name, progress);
        shown.update(Math.floor(shares.sum * taskUnits), shares.detail);
      },
      onDone: (task) => {
        shares.end(task.name);
        shown.update(Math.floor(shares.sum * taskUnits), shares.detail);
      },
    },
  );
  shown.update(numTasks * taskUnits, "");
  shown.finish();
}

async function readTimings(paths: DemoPaths): Promise<Timing[]> {
  return existsSync(paths.timings) ? (JSON.parse(await readFile(paths.timings, "utf8")) as Timing[]) : [];
}

function addTiming(paths: DemoPaths, timings: Timing[], stage: string, seconds: number): void {
  timings.push({ stage, seconds: Number(seconds.toFixed(1)) });
  replaceFile(paths.timings, `${JSON.stringify(timings)}\n`);
}
