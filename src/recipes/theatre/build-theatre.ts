// `oppo theatre build`: renders a corpus in several processes, and says how far the embedder keeps its cues apart.
import { defaultDelta } from "../../corpus/settings.ts";
import { theatreKind } from "../../corpus/theatre-kind.ts";
import { buildCorpus, isBuilt } from "../../data/theatre/corpus.ts";
import type { CorpusPlan } from "../../data/theatre/plan.ts";
import { phraseGroups } from "../../data/theatre/script.ts";
import { OppoError } from "../../error.ts";
import { type ConfusionReport, confusion, formatConfusion } from "../../evidence/confusion.ts";
import { requireSpaceForRest } from "../../run/disk.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import { runPool } from "../../run/pool/pool.ts";
import type { Progress } from "../../run/progress.ts";
import { type PlanConfig, planText } from "./plan-settings.ts";

function planOf({ seed, splits, format }: PlanConfig): CorpusPlan {
  return { seed, splits: Object.entries(splits).map(([name, split]) => ({ name, ...split })), format };
}

export interface TheatreShard {
  readonly root: string;
  readonly plan: PlanConfig;
  readonly index: number;
  readonly count: number;
}

/** One process's share. @returns clips that it had to render. */
export async function buildTheatreShard(shard: TheatreShard, progress: Progress, signal: AbortSignal): Promise<number> {
  const { root, plan, index, count: numShards } = shard;
  let stage: ReturnType<Progress["stage"]> | null = null;
  const { numRendered } = await buildCorpus(root, planOf(plan), {
    shard: { index, count: numShards },
    signal,
    onProgress: ({ done, total, split }) => {
      stage ??= progress.stage("clips", total);
      stage.update(done, split);
    },
  });
  return numRendered;
}

export interface TheatreBuild {
  readonly root: string;
  readonly plan: PlanConfig;
  readonly workers: number;
  /** The command line of a child; it calls `buildTheatreShard`. */
  readonly childArgs: readonly string[];
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

export interface TheatreResult {
  readonly root: string;
  readonly numClips: number;
  /** Clips that were not there before. */
  readonly numRendered: number;
  /** JSONL file of every split. */
  readonly files: readonly string[];
  readonly confusion: Omit<ConfusionReport, "wrongCosines">;
  /** The same for people. */
  readonly confusionLines: readonly string[];
}

/** A clip with its subtitles, generously, at 256 pixels and 2 seconds. */
const bytesPerClip = 100_000;

export async function buildTheatre(build: TheatreBuild): Promise<TheatreResult> {
  const { root, plan, progress, interrupt } = build;
  const numClips = Object.values(plan.splits).reduce((sum, split) => sum + split.numClips, 0);
  if (numClips === 0) {
    throw new OppoError("ERR_PLAN", "splits: expected at least one split with clips, got none. Name one in the plan.");
  }
  progress.log(planText(plan));
  const numRendered = (await isBuilt(root, planOf(plan))) ? 0 : await renderAll(build, numClips);
  if (!(await isBuilt(root, planOf(plan)))) {
    throw new OppoError(
      "ERR_PLAN",
      `${root}: expected a complete corpus after rendering, got one with clips missing. Run the same command again.`,
    );
  }
  interrupt.signal.throwIfAborted();
  progress.log(`${numClips} clips in ${root}, ${numRendered} of them new`);
  const report = await confusion(theatreKind.embedder(), phraseGroups());
  const { wrongCosines: _, ...numbers } = report;
  return {
    root,
    numClips,
    numRendered,
    files: Object.keys(plan.splits).map((name) => `${name}.jsonl`),
    confusion: numbers,
    confusionLines: formatConfusion(report, defaultDelta),
  };
}

async function renderAll(build: TheatreBuild, numClips: number): Promise<number> {
  const { root, plan, workers, progress, interrupt } = build;
  requireSpaceForRest(root, bytesPerClip * numClips, `${numClips} clips`);
  const stage = progress.stage("clips", numClips);
  const numProcesses = Math.min(workers, numClips);
  const done = new Map<string, number>();
  const shards = Array.from({ length: numProcesses }, (_, index) => ({
    name: `clips ${index + 1}/${numProcesses}`,
    args: build.childArgs,
    payload: { root, plan, index, count: numProcesses } satisfies TheatreShard,
  }));
  const rendered = await runPool(shards, {
    numProcesses,
    signal: interrupt.signal,
    onLine: (task, line) => progress.log(`${task.name}: ${line}`),
    onProgress: (task, { done: own, detail }) => {
      done.set(task.name, own);
      stage.update(
        [...done.values()].reduce((sum, part) => sum + part, 0),
        detail,
      );
    },
  });
  stage.update(numClips, "");
  stage.finish();
  return (rendered as number[]).reduce((sum, part) => sum + part, 0);
}
