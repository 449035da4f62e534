// The child's side of `pool.ts`: takes its payload, tells progress and the result, stops when asked to, and ends when its
// parent is gone (the channel closes), so that no orphan trains on.

import type { ErrorCode } from "../../error.ts";
import type { Interrupt } from "../interrupt.ts";
import { type ChildMessage, type ParentMessage, POOL_CHILD_VARIABLE, type TaskProgress } from "./pool.ts";

export interface PoolChild {
  /** What the parent gave with the task. */
  readonly payload: unknown;
  /** Sent at most every tenth of a second, and always when all is done. */
  progress(progress: TaskProgress): void;
}

const PROGRESS_MILLISECONDS = 100;

/** Whether this process is a pool's child. */
export function isPoolChild(): boolean {
  return process.env[POOL_CHILD_VARIABLE] === "1" && process.send !== undefined;
}

/**
 * Runs `body` as a pool's task and sends what it returns. The interrupt is requested when the parent asks to stop.
 * Only for a process that is a pool's child.
 */
export async function runAsPoolChild<T>(interrupt: Interrupt, body: (child: PoolChild) => Promise<T>): Promise<T> {
  process.on("disconnect", () => process.exit(1));
  const payload = await new Promise<unknown>((resolve) => {
    process.on("message", (message: ParentMessage) => {
      if (message.kind === "start") resolve(message.payload);
      else interrupt.request();
    });
  });
  let sentAt = Number.NEGATIVE_INFINITY;
  const value = await body({
    payload,
    progress(progress) {
      const time = performance.now();
      if (progress.done < progress.total && time - sentAt < PROGRESS_MILLISECONDS) return;
      sentAt = time;
      send({ kind: "progress", progress });
    },
  });
  await send({ kind: "result", value: value ?? null });
  closeChannel();
  return value;
}

/** Tells the parent why this process fails, as the command line's error handler does. */
export async function sendPoolFailure(code: ErrorCode, message: string): Promise<void> {
  await send({ kind: "error", code, message });
  closeChannel();
}

/** Resolves once the message is on its way; a parent that is gone is noticed by the closed channel. */
function send(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) resolve();
    else process.send?.(message, undefined, undefined, () => resolve());
  });
}

/** Without this the open channel keeps the process alive. */
function closeChannel(): void {
  process.removeAllListeners("disconnect");
  if (process.connected) process.disconnect();
}
