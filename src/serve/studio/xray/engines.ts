// The models that are asked, each in a process of its own: a few at a time, the one that was asked longest ago makes room, and one that
// nobody asks for a while is let go of.
import { Engine, type Started } from "../../model/engine.ts";
import type { ModelPlace } from "./find-models.ts";

/** So many are looked at side by side. */
export const maxEngines = 3;
const idleMilliseconds = 600_000;
const limits = {
  ...{ device: null, dtype: null, maxContext: 16_384, maxBatchTokens: 65_536 },
  ...{ mediaCacheBytes: 1 << 27, maxBatch: 4, maxQueue: 64, maxJobSeconds: 600 },
};

export class Engines {
  readonly #running = new Map<string, { readonly started: Promise<Started>; timer: NodeJS.Timeout | null }>();
  readonly #log: (line: string) => void;
  #isClosed = false;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Loads the model where it is not there yet. @throws OppoError as loading does */
  async get({ path }: ModelPlace): Promise<Started> {
    const known = this.#running.get(path);
    const entry = known ?? { started: this.#start(path), timer: null };
    this.#running.delete(path);
    this.#running.set(path, entry);
    if (entry.timer !== null) clearTimeout(entry.timer);
    entry.timer = setTimeout(() => this.#end(path), idleMilliseconds).unref();
    const [oldest] = this.#running.keys();
    if (this.#running.size > maxEngines) this.#end(oldest!);
    return entry.started;
  }

  close(): void {
    this.#isClosed = true;
    for (const path of this.#running.keys()) this.#end(path);
  }

  async #start(directory: string): Promise<Started> {
    try {
      const started = await Engine.start({
        ...limits,
        directory,
        onBatch: () => undefined,
        onLine: this.#log,
        onEnd: (reason, isRestarted) => {
          this.#log(`${directory}: ${reason}`);
          if (!isRestarted) this.#end(directory);
        },
      });
      if (this.#isClosed) started.engine.close();
      return started;
    } catch (error) {
      // The next question tries again: what was missing may be there by then.
      this.#running.delete(directory);
      throw error;
    }
  }

  #end(path: string): void {
    const entry = this.#running.get(path);
    if (entry === undefined) return;
    if (entry.timer !== null) clearTimeout(entry.timer);
    this.#running.delete(path);
    void entry.started.then(
      ({ engine }) => engine.close(),
      () => undefined,
    );
  }
}
