// The demo's tasks by name, as a child process runs them, and whether one is done already.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Modality } from "../../media/clip.ts";
import { loadModel } from "../../models/registry.ts";
import { coldStart } from "./cold-start.ts";
import { type MeasureTask, measure } from "./measure.ts";
import type { DemoPaths } from "./paths.ts";
import { renderShard, type Shard } from "./splits.ts";
import type { TaskContext } from "./task.ts";
import { type ArmTask, trainArm } from "./train-arm.ts";
import { warmTower } from "./warm-tower.ts";

export type DemoTask =
  | ({ readonly kind: "render" } & Shard)
  | { readonly kind: "tower"; readonly modality: Modality }
  | { readonly kind: "cold-start" }
  | { readonly kind: "arm"; readonly train: ArmTask | null; readonly measure: MeasureTask };

export function taskName(task: DemoTask): string {
  if (task.kind === "render") return `clips ${task.split} ${task.index + 1}/${task.count}`;
  if (task.kind === "tower") return `${task.modality} tower`;
  if (task.kind === "cold-start") return "cold start";
  return task.measure.seed === 0 ? task.measure.arm : `${task.measure.arm}, seed ${task.measure.seed}`;
}

/** Whether what the task makes is there, whole. */
export function isTaskDone(task: DemoTask, paths: DemoPaths): boolean {
  if (task.kind === "render") {
    return existsSync(join(paths.corpus(task.split), `fitted-${task.index}-of-${task.count}.safetensors`));
  }
  if (task.kind === "tower") return existsSync(paths.towerAccuracy(task.modality));
  if (task.kind === "cold-start") return existsSync(join(paths.sft, "config.json"));
  return existsSync(task.measure.file);
}

export async function runDemoTask(task: DemoTask, context: TaskContext): Promise<void> {
  if (task.kind === "render") {
    using policy = await loadModel(context.paths.fresh);
    await renderShard(context, task, policy);
  } else if (task.kind === "tower") await warmTower(context, task.modality);
  else if (task.kind === "cold-start") await coldStart(context);
  else {
    if (task.train !== null && !isTrained(task.measure)) await trainArm(context, task.train);
    await measure(context, task.measure);
  }
}

function isTrained(task: MeasureTask): boolean {
  return existsSync(join(task.model, "config.json"));
}
