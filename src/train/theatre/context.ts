// What a task about the theatre gets: where things lie, what was asked for, and how to tell progress and to stop.
import { theatreKind } from "../../corpus/theatre-kind.ts";
import type { Sample } from "../../data/sample.ts";
import type { StepMetrics } from "../../rl/metrics.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { TaskProgress } from "../../run/pool/pool.ts";
import type { TheatreConfig } from "./settings.ts";

/** Where a model's way lies, one folder or file per finished task. */
export interface TheatrePaths {
  /** The randomly initialised policy. */
  readonly fresh: string;
  /** After the cold start: what every arm starts from and is compared with. */
  readonly sft: string;
  corpus(split: string): string;
  tower(modality: string): string;
  /** How well a tower tells states, once it is warm. */
  towerAccuracy(modality: string): string;
  /** Logs and checkpoints of what comes before the arms: a tower's warm-up, the cold start. */
  learning(name: string): string;
}

export interface TaskContext {
  readonly paths: TheatrePaths;
  readonly config: TheatreConfig;
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
