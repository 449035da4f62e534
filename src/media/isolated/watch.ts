// A thread that watches its own process while the main one is deep in FFmpeg or libtorch and reads no messages: it ends the
// process when the parent is gone, or when it takes more than it may.

import { rmSync } from "node:fs";
import { workerData } from "node:worker_threads";

export interface WatchOptions {
  /** The process that this one works for. */
  readonly parent: number;
  /** Removed when the parent is gone. */
  readonly folder: string | null;
  /** Resident memory; more ends the process by SIGKILL, as the system itself would. null: no limit. */
  readonly maxBytes: number | null;
  /** Of processor time per job; more ends the process by SIGXCPU, as the system itself would. */
  readonly maxCpuSeconds: number | null;
  /** [0]: processor seconds of this process when the job began; negative between jobs. */
  readonly job: Float64Array;
}

const milliseconds = 50;
const microseconds = 1e6;

export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / microseconds;
}

function look({ parent, folder, maxBytes, maxCpuSeconds, job }: WatchOptions): void {
  const end = (signal: NodeJS.Signals) => {
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
    process.kill(process.pid, signal);
  };
  if (process.ppid !== parent) end("SIGKILL");
  else if (maxBytes !== null && process.memoryUsage.rss() > maxBytes) end("SIGKILL");
  else if (maxCpuSeconds !== null && job[0]! >= 0 && cpuSeconds() - job[0]! > maxCpuSeconds) end("SIGXCPU");
}

if (workerData !== null) {
  const options = workerData as WatchOptions;
  setInterval(() => look(options), milliseconds);
}
