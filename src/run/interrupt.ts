// Ctrl-C and SIGTERM. The first asks: loops stop at their next safe point, with what is finished on disk. The second
// ends the process at once. A loop of synchronous steps must call `safePoint` between steps, because a signal reaches
// JavaScript only when the event loop turns.

import { OppoError } from "../error.ts";

/** The exit code of a run that was asked to stop. */
export const INTERRUPTED_EXIT_CODE = 130;

/** Thrown at a safe point after someone asked to stop. */
export class InterruptedError extends OppoError {
  constructor() {
    super("ERR_INTERRUPTED", "Interrupted. What was finished is kept; the same command goes on from it.");
  }
}

export interface Interrupt extends Disposable {
  /** Aborted once someone asked to stop; for anything that takes an AbortSignal. */
  readonly signal: AbortSignal;
  /** Lets the event loop turn. @throws InterruptedError once someone asked to stop. */
  safePoint(): Promise<void>;
  /** Asks to stop without a signal, as a parent process does. */
  request(): void;
}

export interface InterruptOptions {
  /** Told once, at the first request, that the run stops at its next safe point. */
  readonly onRequest?: () => void;
  /** Ends the process at the second signal. Default: process.exit. */
  readonly exit?: (code: number) => void;
}

/** Listens for SIGINT and SIGTERM until disposed. */
export function listenForInterrupt(options: InterruptOptions = {}): Interrupt {
  const controller = new AbortController();
  const request = (): void => {
    if (controller.signal.aborted) return;
    controller.abort(new InterruptedError());
    options.onRequest?.();
  };
  const onSignal = (): void => {
    if (controller.signal.aborted) (options.exit ?? process.exit)(INTERRUPTED_EXIT_CODE);
    else request();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    request,
    async safePoint() {
      await new Promise((resolve) => setImmediate(resolve));
      controller.signal.throwIfAborted();
    },
    [Symbol.dispose]() {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
