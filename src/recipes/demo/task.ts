// What a task of the demo gets: where things lie, what was asked for, and how to tell progress and to stop.
import { theatreKind } from "../../corpus/theatre-kind.ts";
import type { Sample } from "../../data/sample.ts";
import type { StepMetrics } from "../../rl/metrics.ts";
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

/** The user turn about a sample of the theatre. */
export function theatrePrompt(sample: Sample, question: string = theatreKind.question): string {
  return theatreKind.userTurn(sample.subtitle, question);
}

/** For `onStep` of a training: how far the task is. */
export function stepProgress(
  context: TaskContext,
  total: number,
  detail: (metrics: StepMetrics) => string,
): (step: number, metrics: StepMetrics) => void {
  return (step, metrics) => context.progress({ done: step + 1, total, detail: detail(metrics) });
}

/** Turns a task's own counting into progress, letting the event loop turn so that a stop request is heard. */
export async function tick(context: TaskContext, done: number, total: number, detail?: string): Promise<void> {
  context.progress({ done, total, ...(detail === undefined ? {} : { detail }) });
  await context.interrupt.safePoint();
}
