// Starts the thread that watches this process (watch.ts).

import { Worker } from "node:worker_threads";
import { cpuSeconds, type WatchOptions } from "./watch.ts";

/** Of one job after another: between `begin` and `end` its processor time is counted. */
export interface JobClock {
  begin(): void;
  end(): void;
}

export function watchParent(options: Omit<WatchOptions, "job">): JobClock {
  const job = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)).fill(-1);
  const workerData: WatchOptions = { ...options, job };
  new Worker(new URL("./watch.js", import.meta.url), { workerData }).unref();
  return {
    begin: () => {
      job[0] = cpuSeconds();
    },
    end: () => {
      job[0] = -1;
    },
  };
}
