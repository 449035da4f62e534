// What every long command needs around its recipe: progress, a clean stop, and the same code path whether a person
// started it or a pool's parent did (then progress and result go over the channel).

import { type Interrupt, listenForInterrupt } from "../../run/interrupt.ts";
import { isPoolChild, type PoolChild, runAsPoolChild } from "../../run/pool/pool-child.ts";
import { createProgress, type Progress } from "../../run/progress.ts";
import { type Place, worldPlace } from "../../run/world/address.ts";
import { LAUNCHED_VARIABLE } from "../../run/world/ranks.ts";

export interface LongRun {
  readonly progress: Progress;
  readonly interrupt: Interrupt;
  /** What a pool's parent gave; null when a person started the command. */
  readonly payload: unknown;
  /** Among the processes that run it together; null: there is one. */
  readonly place: Place | null;
}

/**
 * Runs a recipe. @param isShared several processes may run it together. What `body` returns is the result for a pool's parent, and is returned here.
 * @throws InterruptedError after the first Ctrl-C, at the recipe's next safe point
 */
export async function longRun<T>(body: (run: LongRun) => Promise<T>, { isShared = false } = {}): Promise<T> {
  if (isPoolChild()) {
    // The parent says what there is to say about stopping.
    using interrupt = listenForInterrupt();
    return await runAsPoolChild(interrupt, (child) =>
      body({ progress: poolProgress(child), interrupt, payload: child.payload, place: null }),
    );
  }
  const place = isShared ? worldPlace(process.env) : null;
  if (process.env[LAUNCHED_VARIABLE] === "1") endWithLauncher();
  using progress = createProgress();
  using interrupt = listenForInterrupt({
    onRequest: () => {
      if (place === null || place.rank === 0) {
        progress.log("Stopping after the current step; Ctrl-C again stops at once.");
      }
    },
  });
  return await body({ progress, interrupt, payload: null, place });
}

/** No rank outlives the launcher; its channel alone keeps nobody alive. */
function endWithLauncher(): void {
  process.on("disconnect", () => process.exit(1));
  process.channel?.unref();
}

/** Stages are told to the parent one after another; log lines go to standard output, which the parent reads. */
function poolProgress(child: PoolChild): Progress {
  return {
    log: (line) => void process.stdout.write(`${line}\n`),
    stage(_name, total) {
      let done = 0;
      const update = (count: number, detail?: string): void => {
        done = count;
        child.progress({ done, total, ...(detail === undefined ? {} : { detail }) });
      };
      return { update, advance: (detail) => update(done + 1, detail), finish: () => undefined };
    },
    [Symbol.dispose]: () => undefined,
  };
}
