// Settings of a training that fit on a GPU: for everything that may learn, the fastest way that fits, from keeping more to keeping
// less, and with fewer frames where nothing else helps.
import type { MediaSize } from "../../models/model-shape.ts";
import { promptTokens } from "../memory/config-task.ts";
import { estimateMemory } from "../memory/estimate.ts";
import { promptsOfGpu } from "../memory/sizes.ts";
import type { Learner, MemoryEstimate, MemoryTask } from "../memory/task.ts";
import { type EngineFacts, engineBytes, engineParts } from "./engines.ts";
import type { GpuFacts } from "./gpus.ts";
import type { TimePart } from "./parts.ts";
import { taskOfRank } from "./spread.ts";
import { estimateTime, type TimeEstimate } from "./time.ts";

/** GPUs beside those that train. */
export interface Engines extends EngineFacts {
  /** The next step's completions are sampled while this one is learnt from. */
  readonly ahead: boolean;
}

export interface Candidate {
  /** Example: "lora, rank 64" */
  readonly name: string;
  readonly task: MemoryTask;
  readonly memory: MemoryEstimate;
  readonly time: TimeEstimate;
  /** Of one engine; 0 without. */
  readonly engineBytes: number;
  readonly fits: boolean;
}

/** Of a GPU's memory: what libraries, their workspaces and holes between tensors take. */
const usableShare = 0.92;
const contextBytes = 1e9;
const gigabyte = 1024 ** 3;
const chunkSizes = [1024, 256, 64] as const;
const ranks = [64, 32, 16, 8] as const;
const fewestFrames = 4;

/** Bytes that tensors may take. */
export function usableBytes({ gigabytes }: GpuFacts): number {
  return gigabytes * gigabyte * usableShare - contextBytes;
}

/** What learns, from everything to the smallest adapter; of each the best way that fits, else the one that takes least. */
export function searchPlans(start: MemoryTask, gpu: GpuFacts, engines: Engines | null = null): Candidate[] {
  const kinds: { name: string; learner: Partial<Learner> }[] = [
    { name: "full", learner: { trainable: "full", parts: ["decoder", "projector", "towers"] } },
    { name: "decoder", learner: { trainable: "decoder" } },
    ...ranks.map((rank) => ({
      name: `lora, rank ${rank}`,
      learner: { trainable: "lora", lora: { ...start.learner.lora, rank } } as const,
    })),
  ];
  return kinds.map(({ name, learner }) => bestOf(name, withLearner(start, learner), { gpu, engines }));
}

function bestOf(name: string, task: MemoryTask, machines: Machines): Candidate {
  let least: Candidate | null = null;
  for (const media of mediaChoices(task.batch.media)) {
    const shown = { ...task, batch: { ...task.batch, media, promptTokens: promptTokens(task.model, media) } };
    const all = ways(shown).map((way) => candidate(name, way, machines));
    const fitting = all.filter(({ fits }) => fits);
    if (fitting.length > 0) return fitting.reduce((best, other) => (isBetter(other, best) ? other : best));
    const smallest = all.reduce((best, other) => (other.memory.peakBytes < best.memory.peakBytes ? other : best));
    if (least === null || smallest.memory.peakBytes < least.memory.peakBytes) least = smallest;
  }
  return least!;
}

/** Faster, or as fast and larger steps at once: fewer, fuller products. */
function isBetter(a: Candidate, b: Candidate): boolean {
  if (Math.abs(a.time.seconds - b.time.seconds) > 1e-9) return a.time.seconds < b.time.seconds;
  const [x, y] = [a.task.learner, b.task.learner];
  if (x.promptsPerMicroBatch !== y.promptsPerMicroBatch) return x.promptsPerMicroBatch! > y.promptsPerMicroBatch!;
  return x.tokensPerChunk! > y.tokensPerChunk!;
}

/** Frames as given, then half as many, and so on. */
function mediaChoices(media: MediaSize | null): (MediaSize | null)[] {
  const choices = [media];
  for (let frames = (media?.frames ?? 0) / 2; media !== null && frames >= fewestFrames; frames /= 2) {
    choices.push({ ...media, frames: 2 * Math.round(frames / 2) });
  }
  return choices;
}

function ways(task: MemoryTask): MemoryTask[] {
  const tasks: MemoryTask[] = [];
  for (const recomputes of [false, true]) {
    for (let prompts = promptsOfGpu(taskOfRank(task)); prompts >= 1; prompts = Math.floor(prompts / 2)) {
      for (const tokensPerChunk of chunkSizes) {
        tasks.push(withLearner(task, { recomputes, promptsPerMicroBatch: prompts, tokensPerChunk }));
      }
    }
  }
  return tasks;
}

interface Machines {
  readonly gpu: GpuFacts;
  readonly engines: Engines | null;
}

/** @param task of the whole step: what a rank has of it is reckoned */
function candidate(name: string, task: MemoryTask, { gpu, engines }: Machines): Candidate {
  const own = taskOfRank({ ...task, batch: { ...task.batch, samples: task.batch.samples && engines === null } });
  const memory = estimateMemory(own);
  const trained = estimateTime(own, gpu);
  const needed = engines === null ? 0 : engineBytes(task, engines.engines);
  const time = engines === null ? trained : withEngines(trained, engineParts(task, gpu, engines), engines);
  const fits = Math.max(memory.peakBytes, needed) <= usableBytes(gpu);
  return { name, task, memory, time, engineBytes: needed, fits };
}

/** One after the other, or, a step ahead, only what training has to wait. */
function withEngines(trained: TimeEstimate, parts: readonly TimePart[], { ahead }: Engines): TimeEstimate {
  const sampled = parts.reduce((seconds, part) => seconds + part.seconds, 0);
  const shown: readonly TimePart[] = ahead
    ? [
        {
          name: "waiting for engines",
          flops: 0,
          seconds: Math.max(0, sampled - trained.seconds),
          assumption: `they need ${sampled.toPrecision(2)} s for the next step's completions, beside this one`,
        },
      ]
    : parts;
  const all = [...trained.parts, ...shown].filter(({ seconds }) => seconds > 0);
  const sum = (of: "seconds" | "flops") => all.reduce((total, part) => total + part[of], 0);
  return { ...trained, parts: all, seconds: sum("seconds"), flops: sum("flops") };
}

function withLearner(task: MemoryTask, change: Partial<Learner>): MemoryTask {
  return { ...task, learner: { ...task.learner, ...change } };
}
