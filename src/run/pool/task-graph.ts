// Tasks that need one another's results, some at a time: what can begin begins in the order given, one that fails costs what needs
// it and nothing else. What a task does is its own: a child process, most often (pool.ts).
import { OppoError } from "../../error.ts";
import { InterruptedError } from "../interrupt.ts";

export interface GraphTask {
  readonly name: string;
  /** Names of tasks of the graph; others count as done. */
  readonly needs: readonly string[];
  run(signal: AbortSignal): Promise<unknown>;
}

/** How a task ended. `failed`: by itself; `skipped`: for want of what it needs. */
export type TaskOutcome =
  | { readonly kind: "done"; readonly value: unknown }
  | { readonly kind: "failed"; readonly error: OppoError }
  | { readonly kind: "skipped"; readonly because: string };

export interface GraphOptions {
  readonly numAtOnce: number;
  /** When it aborts, what runs is asked to stop and the reason is thrown. */
  readonly signal?: AbortSignal;
  readonly onEnd?: (task: GraphTask, outcome: TaskOutcome) => void;
}

/**
 * @returns the outcome of every task by its name
 * @throws the signal's reason, and what is no failure of a task: an interruption, a programming error
 */
export async function runTaskGraph(
  tasks: readonly GraphTask[],
  { numAtOnce, signal, onEnd }: GraphOptions,
): Promise<ReadonlyMap<string, TaskOutcome>> {
  const stop = new AbortController();
  const relay = (): void => stop.abort(signal?.reason);
  if (signal?.aborted) relay();
  signal?.addEventListener("abort", relay);
  const outcomes = new Map<string, TaskOutcome>();
  const waiting = [...tasks];
  const names = new Set(tasks.map(({ name }) => name));
  const end = (task: GraphTask, outcome: TaskOutcome): void => {
    outcomes.set(task.name, outcome);
    onEnd?.(task, outcome);
  };
  /** Takes the first task whose needs are met; those that can never be are ended on the way. */
  const next = (): GraphTask | undefined => {
    for (let i = 0; i < waiting.length; i++) {
      const task = waiting[i]!;
      const needs = task.needs.filter((name) => names.has(name)).map((name) => ({ name, outcome: outcomes.get(name) }));
      const lost = needs.find(({ outcome }) => outcome !== undefined && outcome.kind !== "done");
      if (lost !== undefined) {
        waiting.splice(i, 1);
        end(task, { kind: "skipped", because: lost.name });
        // What was passed over may hang on this one.
        i = -1;
      } else if (needs.every(({ outcome }) => outcome !== undefined)) return waiting.splice(i, 1)[0];
    }
    return undefined;
  };
  const running = new Set<Promise<void>>();
  try {
    while (!stop.signal.aborted) {
      while (running.size < numAtOnce) {
        const task = next();
        if (task === undefined) break;
        const work: Promise<void> = runOne(task, stop, end).finally(() => running.delete(work));
        running.add(work);
      }
      if (running.size === 0) break;
      await Promise.race(running);
    }
    await Promise.all(running);
  } finally {
    signal?.removeEventListener("abort", relay);
  }
  stop.signal.throwIfAborted();
  if (waiting.length > 0) throw new Error(`task graph: ${waiting.map(({ name }) => name)} need one another`);
  return outcomes;
}

async function runOne(
  task: GraphTask,
  stop: AbortController,
  end: (task: GraphTask, outcome: TaskOutcome) => void,
): Promise<void> {
  try {
    end(task, { kind: "done", value: await task.run(stop.signal) });
  } catch (error) {
    // What fails after the stop fails because of it.
    if (stop.signal.aborted) return;
    if (error instanceof OppoError && !(error instanceof InterruptedError)) end(task, { kind: "failed", error });
    else stop.abort(error);
  }
}
