// What a task gets beside what it is about: where things lie, what was asked for, how to tell progress and to stop.
import type { Interrupt } from "../../run/interrupt.ts";
import type { TaskProgress } from "../../run/pool/pool.ts";
import type { RunPaths } from "./paths.ts";
import type { ROneOmniConfig } from "./settings.ts";

export interface TaskContext {
  readonly config: ROneOmniConfig;
  readonly paths: RunPaths;
  readonly interrupt: Interrupt;
  readonly progress: (progress: TaskProgress) => void;
}
