// Tasks over workers of different speeds: every worker takes the next task when it has a place free, so none waits for a slower one.
// A task that failed goes to the front again, for whoever is free first; its worker rests, twice as long each time, while others
// go on. Only when nobody has finished anything for too long is there an error.
import { setTimeout as sleep } from "node:timers/promises";
import { deriveUniform } from "../../seeds.ts";

export interface Worker<T, R> {
  readonly name: string;
  /** Tasks at once. */
  readonly places: number;
  run(task: T, signal: AbortSignal): Promise<R>;
}

export interface QueueOptions<T, R> {
  readonly signal: AbortSignal;
  /** Whether another try may mend an error, and how long the worker asks to rest; null: it ends the whole. */
  readonly passing: (error: unknown) => { readonly waitSeconds: number | null } | null;
  /** Without anything finished. */
  readonly patienceSeconds: number;
  readonly onDone: (task: T, result: R, worker: string) => void;
  readonly onRetry: (worker: string, error: unknown) => void;
  /** The error when patience is over. @param lastErrors of workers that fail, by their names */
  readonly givenUp: (lastErrors: ReadonlyMap<string, unknown>) => Error;
}

const firstRest = 0.5;
const longestRest = 30;
const millisecondsPerSecond = 1000;

/** Runs every task once to its end. @throws what a worker throws that will not pass, `givenUp`'s error, the signal's reason */
export async function runTasks<T, R>(
  tasks: readonly T[],
  workers: readonly Worker<T, R>[],
  options: QueueOptions<T, R>,
): Promise<void> {
  const own = new AbortController();
  const queue = new Queue(tasks, { ...options, signal: AbortSignal.any([options.signal, own.signal]) });
  // Everyone's first place before anyone's second: a few tasks are spread over all.
  const numPlaces = Math.max(...workers.map(({ places }) => places));
  const lanes = Array.from({ length: numPlaces }, (_, place) =>
    workers.filter(({ places }) => place < places).map((worker) => queue.lane(worker, place)),
  ).flat();
  try {
    await Promise.all(lanes);
  } catch (error) {
    own.abort(error);
    await Promise.allSettled(lanes);
    throw options.signal.aborted ? options.signal.reason : error;
  }
}

class Queue<T, R> {
  readonly #options: QueueOptions<T, R>;
  readonly #waiting: T[];
  readonly #lastErrors = new Map<string, unknown>();
  #numLeft: number;
  #finishedAt = performance.now();
  #wake: (() => void)[] = [];

  constructor(tasks: readonly T[], options: QueueOptions<T, R>) {
    this.#options = options;
    this.#waiting = [...tasks];
    this.#numLeft = tasks.length;
    options.signal.addEventListener("abort", () => this.#wakeAll(), { once: true });
  }

  /** One place of a worker, until all tasks are done. */
  async lane(worker: Worker<T, R>, place: number): Promise<void> {
    const { signal } = this.#options;
    for (let numFailures = 0; this.#numLeft > 0; ) {
      signal.throwIfAborted();
      const task = this.#waiting.shift();
      if (task === undefined) {
        // Another one may still fail, and come back.
        await new Promise<void>((resolve) => this.#wake.push(resolve));
        continue;
      }
      try {
        this.#finished(task, await worker.run(task, signal), worker.name);
        numFailures = 0;
      } catch (error) {
        signal.throwIfAborted();
        await this.#rest(
          task,
          error,
          worker.name,
          deriveUniform(0, "rest", worker.name, place, numFailures),
          numFailures++,
        );
      }
    }
  }

  #finished(task: T, result: R, worker: string): void {
    this.#finishedAt = performance.now();
    this.#lastErrors.delete(worker);
    this.#options.onDone(task, result, worker);
    if (--this.#numLeft === 0) this.#wakeAll();
  }

  /** @param share in [0, 1): those who failed together do not come back together */
  async #rest(task: T, error: unknown, worker: string, share: number, numFailures: number): Promise<void> {
    const { passing, onRetry, patienceSeconds, givenUp, signal } = this.#options;
    const pass = passing(error);
    if (pass === null) throw error;
    this.#lastErrors.set(worker, error);
    this.#waiting.unshift(task);
    this.#wakeAll();
    onRetry(worker, error);
    const idleSeconds = (performance.now() - this.#finishedAt) / millisecondsPerSecond;
    if (idleSeconds > patienceSeconds) throw givenUp(this.#lastErrors);
    const rest = Math.min(longestRest, firstRest * 2 ** numFailures) * (0.5 + 0.5 * share);
    const left = patienceSeconds - idleSeconds + firstRest;
    await sleep(Math.min(pass.waitSeconds ?? rest, left) * millisecondsPerSecond, undefined, { signal });
  }

  #wakeAll(): void {
    for (const one of this.#wake) one();
    this.#wake = [];
  }
}
