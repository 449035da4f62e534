// Work in several processes of our own command: tasks run at most `numProcesses` at a time, each child tells its progress
// and its result over the IPC channel, and the first failure stops the rest. One process per task, because a second core
// is best used as a second process with its own one-threaded libtorch. The child's side is `pool-child.ts`.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type ErrorCode, OppoError } from "../../error.ts";
import { followLines } from "../child-lines.ts";
import { InterruptedError } from "../interrupt.ts";

/** Example: `{ name: "oppo, seed 1", args: ["train", "--preset", "oppo"], payload: { seed: 1 } }` */
export interface PoolTask {
  /** Stands in error messages. */
  readonly name: string;
  /** The command line of the child, without program and script. */
  readonly args: readonly string[];
  /** Given to the child as it is; anything that JSON can hold. */
  readonly payload?: unknown;
}

export interface PoolOptions<Task extends PoolTask = PoolTask> {
  readonly numProcesses: number;
  /** When it aborts, children are asked to stop at their next safe point, and the pool throws its reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (task: Task, progress: TaskProgress) => void;
  /** A whole line that a child printed. */
  readonly onLine?: (task: Task, line: string) => void;
  /** At once: what is finished is known to be, also when another task fails or all are stopped. */
  readonly onDone?: (task: Task) => void;
  readonly environment?: Readonly<Record<string, string>>;
  /** The script of the children. Default: our command line. */
  readonly entry?: string;
}

export interface TaskProgress {
  readonly done: number;
  readonly total: number;
  readonly detail?: string;
}

export type ParentMessage = { readonly kind: "start"; readonly payload: unknown } | { readonly kind: "stop" };

export type ChildMessage =
  | { readonly kind: "progress"; readonly progress: TaskProgress }
  | { readonly kind: "result"; readonly value: unknown }
  | { readonly kind: "error"; readonly code: ErrorCode; readonly message: string };

/** Set in the environment of a pool's children. */
export const POOL_CHILD_VARIABLE = "OPPO_POOL_CHILD";

/** A child that was asked to stop and does not get to a safe point is ended after this long. */
const GRACE_MILLISECONDS = 30_000;
const TAIL_LINES = 5;
/** Of a crash the message is wanted, not where in the compiled files it happened. */
const isTelling = (line: string) => !/^\s+at |^Node\.js v/.test(line);

/**
 * Runs every task and returns their results in order.
 * @throws the first child's failure as an OppoError with its code and `name: message`, or the signal's reason.
 */
export async function runPool<Task extends PoolTask>(
  tasks: readonly Task[],
  options: PoolOptions<Task>,
): Promise<unknown[]> {
  const stop = new AbortController();
  const relay = (): void => stop.abort(options.signal?.reason);
  if (options.signal?.aborted) relay();
  options.signal?.addEventListener("abort", relay);
  const results: unknown[] = new Array(tasks.length).fill(undefined);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < tasks.length; index = next++) {
      if (stop.signal.aborted) return;
      try {
        const task = tasks[index]!;
        results[index] = await runTask(task, options, stop.signal);
        options.onDone?.(task);
      } catch (error) {
        // What fails after the stop fails because of it: the first reason is the one to tell.
        if (!stop.signal.aborted) stop.abort(error);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(options.numProcesses, tasks.length) }, work));
  } finally {
    options.signal?.removeEventListener("abort", relay);
  }
  stop.signal.throwIfAborted();
  return results;
}

async function runTask<Task extends PoolTask>(
  task: Task,
  options: PoolOptions<Task>,
  stop: AbortSignal,
): Promise<unknown> {
  const entry = options.entry ?? fileURLToPath(new URL("../../cli/main.js", import.meta.url));
  const child = fork(entry, task.args, {
    env: { ...process.env, ...options.environment, [POOL_CHILD_VARIABLE]: "1" },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    serialization: "json",
  });
  let result: { readonly value: unknown } | null = null;
  let failure: OppoError | null = null;
  child.on("message", (message: ChildMessage) => {
    if (message.kind === "progress") options.onProgress?.(task, message.progress);
    else if (message.kind === "result") result = { value: message.value };
    else failure = asError(task, message.code, message.message);
  });
  const tail = followLines(child, { tailLines: TAIL_LINES, onLine: (line) => options.onLine?.(task, line), isTelling });
  const cancel = askToStop(child, stop);
  const start: ParentMessage = { kind: "start", payload: task.payload ?? null };
  // A child that is gone before it reads this says so by its exit, which is what counts.
  child.send(start, () => undefined);
  try {
    const [code, signal] = await ended(child);
    if (failure !== null) throw failure as OppoError;
    if (code === 0 && result !== null) return (result as { value: unknown }).value;
    // Ctrl-C on the terminal may end a child before this process has heard of it.
    if (signal === "SIGINT") throw new InterruptedError();
    throw new OppoError(
      "ERR_POOL_CHILD",
      `${task.name}: ${describeEnd(code, signal)}${tail.length > 0 ? ` Its last lines: ${tail.join(" / ")}` : ""}`,
    );
  } finally {
    cancel();
  }
}

function asError(task: PoolTask, code: ErrorCode, message: string): OppoError {
  return code === "ERR_INTERRUPTED" ? new InterruptedError() : new OppoError(code, `${task.name}: ${message}`);
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === "SIGKILL")
    return "expected a result, but the process was killed, probably for want of memory. Run fewer at once.";
  if (signal !== null) return `expected a result, but the process was ended by ${signal}.`;
  return code === 0
    ? "expected a result, but the process ended without one."
    : `expected a result, but the process ended with exit code ${code}.`;
}

/** Both the exit and the end of its output and messages. */
function ended(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve([code, signal]));
  });
}

/** Asks over the channel, then by signal: a terminal's Ctrl-C reaches the child anyway and must not count twice. */
function askToStop(child: ChildProcess, stop: AbortSignal): () => void {
  let timer: NodeJS.Timeout | undefined;
  const ask = (): void => {
    const message: ParentMessage = { kind: "stop" };
    if (child.connected) child.send(message, () => undefined);
    timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MILLISECONDS);
  };
  if (stop.aborted) ask();
  else stop.addEventListener("abort", ask);
  return () => {
    clearTimeout(timer);
    stop.removeEventListener("abort", ask);
  };
}
