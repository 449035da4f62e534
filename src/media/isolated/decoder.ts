// The decoder's process: answers one request after another until its parent is gone. What a file can do to it (a crash, an
// endless loop, a giant allocation) ends this process and nothing else.

import { rmSync } from "node:fs";
import { answer } from "./answer.ts";
import type { DecodeRequest } from "./request.ts";
import { watchParent } from "./watch-parent.ts";

const [parent, folder, maxBytes, maxCpuSeconds] = process.argv.slice(2) as [string, string, string, string];
const clock = watchParent({
  parent: Number(parent),
  folder,
  maxBytes: Number(maxBytes),
  maxCpuSeconds: Number(maxCpuSeconds),
});

// The parent decides when to end; a terminal's Ctrl-C reaches this process too.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
process.on("disconnect", () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
process.on("message", (request: DecodeRequest) => {
  clock.begin();
  void answer(request).then((reply) => {
    clock.end();
    if (process.connected) process.send!(reply);
  });
});
