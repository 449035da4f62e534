// `oppo theatre build`: renders a corpus in several processes, and says how far the embedder keeps its cues apart.
import { z } from "zod";
import { theatreKind } from "../../corpus/theatre-kind.ts";
import { buildCorpus, type CorpusPlan, defaultPlan, isBuilt } from "../../data/theatre/corpus.ts";
import { phraseGroups } from "../../data/theatre/script.ts";
import { OppoError } from "../../error.ts";
import { type ConfusionReport, confusion, formatConfusion } from "../../evidence/confusion.ts";
import type { DeepReadonly } from "../../run/config.ts";
import { requireFreeSpace } from "../../run/disk.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import { runPool } from "../../run/pool.ts";
import type { Progress } from "../../run/progress.ts";

const count = z.int().min(1);

/** The plan as settings: splits by name, so that `--set splits.sft.numClips=10` says what it means. */
export const planSchema = z.strictObject({
  seed: z.int().min(0).default(defaultPlan.seed).describe("everything about the corpus follows from it"),
  splits: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9-]*$/i, "expected a name of letters, digits and hyphens"),
      z.strictObject({
        kind: z
          .enum(["train", "decorrelated", "congruent", "conflict"])
          .describe("how the emotions of face and voice go together"),
        numClips: count,
      }),
    )
    .default(splitsByName(defaultPlan)),
  format: z
    .strictObject({
      size: z.int().min(56).multipleOf(2).default(defaultPlan.format.size).describe("width and height in pixels"),
      fps: z.number().positive().default(defaultPlan.format.fps),
      seconds: z.number().positive().max(60).default(defaultPlan.format.seconds),
      sampleRateHz: z.int().min(8000).default(defaultPlan.format.sampleRateHz),
      crf: z.int().min(0).max(51).default(defaultPlan.format.crf).describe("x264's quality, 0 is best"),
      preset: z.enum(["ultrafast", "superfast", "veryfast"]).default(defaultPlan.format.preset),
    })
    .prefault({}),
});

export type PlanConfig = DeepReadonly<z.infer<typeof planSchema>>;

/** What `--set` changes when no file brings a plan of its own. */
export const defaultPlanConfig = { splits: splitsByName(defaultPlan) };

function splitsByName({ splits }: CorpusPlan) {
  return Object.fromEntries(splits.map(({ name, ...split }) => [name, split]));
}

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

/** delta of the reward: what the confusion report judges the embedder by. */
const similarityThreshold = 0.5;

/** A clip with its subtitles, generously, at 256 pixels and 2 seconds. */
const bytesPerClip = 100_000;

export async function buildTheatre(build: TheatreBuild): Promise<TheatreResult> {
  const { root, plan, progress, interrupt } = build;
  const numClips = Object.values(plan.splits).reduce((sum, split) => sum + split.numClips, 0);
  if (numClips === 0) {
    throw new OppoError("ERR_PLAN", "splits: expected at least one split with clips, got none. Name one in the plan.");
  }
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
    confusionLines: formatConfusion(report, similarityThreshold),
  };
}

async function renderAll(build: TheatreBuild, numClips: number): Promise<number> {
  const { root, plan, workers, progress, interrupt } = build;
  requireFreeSpace(root, bytesPerClip * numClips, `${numClips} clips`);
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
