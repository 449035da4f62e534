// The tasks of `oppo r1-omni` that are no command of their own, as a child process runs them.
import { join } from "node:path";
import { buildCorpus } from "../../data/theatre/corpus.ts";
import type { Modality } from "../../media/clip.ts";
import { type AskTask, ask } from "./ask.ts";
import type { TaskContext } from "./context.ts";
import { type RunPaths, runPaths } from "./paths.ts";
import type { ROneOmniConfig } from "./settings.ts";
import { theatrePlan } from "./theatre-material.ts";
import { joinTowers, warmTower } from "./warm-towers.ts";

export type Task =
  | { readonly kind: "render"; readonly index: number; readonly count: number }
  | { readonly kind: "tower"; readonly modality: Modality }
  | { readonly kind: "join" }
  | ({ readonly kind: "ask" } & AskTask);

/** What the parent sends. */
export interface TaskPayload {
  readonly task: Task;
  readonly root: string;
  readonly config: ROneOmniConfig;
}

export async function runTask(
  { task, root, config }: TaskPayload,
  shared: Pick<TaskContext, "interrupt" | "progress">,
): Promise<unknown> {
  const context = { ...shared, config, paths: runPaths(root) };
  if (task.kind === "render") {
    const { index, count } = task;
    await buildCorpus(context.paths.data, theatrePlan(config), {
      shard: { index, count },
      signal: shared.interrupt.signal,
      onProgress: ({ done, total, split }) => shared.progress({ done, total, detail: split }),
    });
    return null;
  }
  if (task.kind === "tower") return warmTower(context, task.modality);
  if (task.kind === "join") return joinTowers(context);
  return ask(context, task);
}

export const configFile = (paths: RunPaths, name: string) => join(paths.root, "settings", `${name}.json`);
