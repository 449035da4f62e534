// The demo's tasks by name, as a child process runs them, and whether one is done already.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ColdStart } from "../../data/theatre/world.ts";
import type { Modality } from "../../media/clip.ts";
import { loadModel } from "../../models/registry.ts";
import { type DeepReadonly, resolveConfig } from "../../run/config.ts";
import { deriveSeed } from "../../seeds.ts";
import { trainSchema } from "../../train/config.ts";
import { presets } from "../../train/presets.ts";
import { coldStart } from "../../train/theatre/cold-start.ts";
import type { TaskContext } from "../../train/theatre/context.ts";
import { renderShard, type Shard } from "../../train/theatre/splits.ts";
import { trainArm } from "../../train/theatre/train-arm.ts";
import { warmTower } from "../../train/theatre/warm-tower.ts";
import { type ArmName, demoArm } from "./arms.ts";
import type { DemoConfig } from "./config.ts";
import { type MeasureTask, measure } from "./measure.ts";
import type { DemoPaths } from "./paths.ts";

/** What a task of the demo gets. */
export interface DemoContext extends TaskContext {
  readonly paths: DemoPaths;
  readonly config: DeepReadonly<DemoConfig>;
}

/** An arm and the number of its RL seed, 0 the first. */
export interface ArmOfDemo {
  readonly arm: ArmName;
  readonly seed: number;
}

export type DemoTask =
  | ({ readonly kind: "render" } & Shard)
  | { readonly kind: "tower"; readonly modality: Modality }
  | { readonly kind: "cold-start"; readonly coldStart: ColdStart /** Where its model goes. */; readonly model: string }
  | { readonly kind: "arm"; readonly train: ArmOfDemo | null; readonly measure: MeasureTask };

/** @param coldStart left out: the demo's own */
export function startTask(
  { config, paths }: Pick<DemoContext, "config" | "paths">,
  coldStart: ColdStart = config.sft.coldStart,
): DemoTask {
  const isOwn = coldStart === config.sft.coldStart;
  return { kind: "cold-start", coldStart, model: isOwn ? paths.sft : paths.otherStart(coldStart).sft };
}

export function taskName(task: DemoTask): string {
  if (task.kind === "render") return `clips ${task.split} ${task.index + 1}/${task.count}`;
  if (task.kind === "tower") return `${task.modality} tower`;
  if (task.kind === "cold-start") return `cold start, ${task.coldStart}`;
  return task.measure.seed === 0 ? task.measure.arm : `${task.measure.arm}, seed ${task.measure.seed}`;
}

/** Whether what the task makes is there, whole. */
export function isTaskDone(task: DemoTask, paths: DemoPaths): boolean {
  if (task.kind === "render") {
    return existsSync(join(paths.corpus(task.split), `fitted-${task.index}-of-${task.count}.safetensors`));
  }
  if (task.kind === "tower") return existsSync(paths.towerAccuracy(task.modality));
  if (task.kind === "cold-start") return existsSync(join(task.model, "config.json"));
  return existsSync(task.measure.file);
}

export async function runDemoTask(task: DemoTask, context: DemoContext): Promise<void> {
  if (task.kind === "render") {
    using policy = await loadModel(context.paths.fresh);
    await renderShard(context, task, policy);
  } else if (task.kind === "tower") await warmTower(context, task.modality);
  else if (task.kind === "cold-start") await coldStart(startContext(context, task.coldStart));
  else {
    const isToTrain = task.train !== null && !isTrained(task.measure);
    if (isToTrain) await trainDemoArm(partOf(context, 0, trainingShare), task.train!);
    await measure(isToTrain ? partOf(context, trainingShare, 1) : context, task.measure);
  }
}

/** Of an arm's time; measuring takes the rest. */
const trainingShare = 0.75;

/** Whose progress is that of a part of the task. */
export function partOf<Context extends TaskContext>(context: Context, start: number, end: number): Context {
  return {
    ...context,
    progress: ({ done, total, ...rest }) =>
      context.progress({ ...rest, done: start + (end - start) * (done / Math.max(1, total)), total: 1 }),
  };
}

function isTrained(task: MeasureTask): boolean {
  return existsSync(join(task.model, "config.json"));
}

/** The context of a cold start: its labels, its model and its logs. */
function startContext({ config, paths, ...rest }: DemoContext, coldStart: ColdStart): TaskContext {
  const isOwn = coldStart === config.sft.coldStart;
  return {
    ...rest,
    paths: isOwn ? paths : { ...paths, ...paths.otherStart(coldStart) },
    config: { ...config, sft: { ...config.sft, coldStart } },
  };
}

async function trainDemoArm(context: DemoContext, { arm, seed }: ArmOfDemo): Promise<void> {
  const { config, paths } = context;
  const { preset, coldStart } = demoArm(arm);
  const own = {
    ...presets[preset].config,
    steps: config.rlSteps,
    seed: deriveSeed(config.seed, "rl", seed),
  };
  await trainArm(startContext(context, coldStart ?? config.sft.coldStart), {
    config: resolveConfig(trainSchema, { preset: own }),
    directory: paths.arm(arm, seed),
    title: `preset ${preset}`,
  });
}
