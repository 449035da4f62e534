// What a task of the demo gets: where things lie, what was asked for, and how to tell progress and to stop.
import type { DeepReadonly } from "../../run/config.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { TaskProgress } from "../../run/pool.ts";
import type { DemoConfig } from "./config.ts";
import type { DemoPaths } from "./paths.ts";

export interface TaskContext {
  readonly paths: DemoPaths;
  readonly config: DeepReadonly<DemoConfig>;
  readonly interrupt: Interrupt;
  readonly progress: (progress: TaskProgress) => void;
}

/** Turns a task's own counting into progress, letting the event loop turn so that a stop request is heard. */
export async function tick(context: TaskContext, done: number, total: number, detail?: string): Promise<void> {
  context.progress({ done, total, ...(detail === undefined ? {} : { detail }) });
  await context.interrupt.safePoint();
}
