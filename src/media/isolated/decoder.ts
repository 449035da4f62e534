// The decoder's process: answers one request after another until its parent is gone. What a file can do to it (a crash, an
// endless loop, a giant allocation) ends this process and nothing else.

import { rmSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { answer } from "./answer.ts";
import type { DecodeRequest } from "./request.ts";
import { cpuSeconds, type WatchOptions } from "./watch.ts";

const [parent, folder, maxBytes, maxCpuSeconds] = process.argv.slice(2) as [string, string, string, string];
const job = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)).fill(-1);
const watch: WatchOptions = {
  parent: Number(parent),
  folder,
  maxBytes: Number(maxBytes),
  maxCpuSeconds: Number(maxCpuSeconds),
  job,
};
new Worker(new URL("./watch.js", import.meta.url), { workerData: watch }).unref();

// The parent decides when to end; a terminal's Ctrl-C reaches this process too.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
process.on("disconnect", () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
process.on("message", (request: DecodeRequest) => {
  job[0] = cpuSeconds();
  void answer(request).then((reply) => {
    job[0] = -1;
    if (process.connected) process.send!(reply);
  });
});
