// One job in the engine, as promises and a list of deltas that somebody reads.
import type { Engine } from "./engine.ts";
import type { Answer, Delta, Job } from "./protocol.ts";

export class JobRun {
  readonly begun: Promise<readonly number[]>;
  readonly done: Promise<readonly Answer[]>;
  #onDelta: ((delta: Delta) => void) | null = null;
  #early: Delta[] = [];

  constructor(engine: Engine, job: Job, signal: AbortSignal) {
    const begun = deferred<readonly number[]>();
    const done = deferred<readonly Answer[]>();
    this.begun = begun.promise;
    this.done = done.promise;
    // Whoever waits for the beginning hears of a failure there.
    this.done.catch(() => undefined);
    engine.submit(job, {
      onBegin: begun.resolve,
      onDelta: (delta) => (this.#onDelta === null ? void this.#early.push(delta) : this.#onDelta(delta)),
      onDone: done.resolve,
      onError: (error) => {
        begun.reject(error);
        done.reject(error);
      },
    });
    signal.addEventListener("abort", () => {
      engine.cancel(job.id);
      begun.reject(signal.reason);
      done.reject(signal.reason);
    });
  }

  /** Deltas that came before are told at once. */
  follow(onDelta: (delta: Delta) => void): void {
    for (const delta of this.#early) onDelta(delta);
    this.#early = [];
    this.#onDelta = onDelta;
  }
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve: Deferred<T>["resolve"] = () => undefined;
  let reject: Deferred<T>["reject"] = () => undefined;
  const promise = new Promise<T>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  return { promise, resolve, reject };
}
