// A child for the pool's tests: does what its first argument says.

import { OppoError } from "../../src/error.ts";
import { listenForInterrupt } from "../../src/run/interrupt.ts";
import { runAsPoolChild, sendPoolFailure } from "../../src/run/pool/pool-child.ts";

using interrupt = listenForInterrupt();
const mode = process.argv[2];

if (mode === "crash") throw new Error("something unforeseen");
if (mode === "kill") process.kill(process.pid, "SIGKILL");
if (mode === "silent") process.exit(0);

try {
  await runAsPoolChild(interrupt, async (child) => {
    const { name } = child.payload as { name: string };
    if (mode === "fail") throw new Error("the clip is broken");
    console.log(`hello from ${name}`);
    for (let done = 1; done <= 3; done++) child.progress({ done, total: 3, detail: name });
    while (mode === "wait") {
      child.progress({ done: 0, total: 1, detail: String(process.pid) });
      await new Promise((resolve) => setTimeout(resolve, 10));
      await interrupt.safePoint();
    }
    return { name, environment: process.env.POOL_TEST ?? null };
  });
} catch (error) {
  await sendPoolFailure(error instanceof OppoError ? error.code : "ERR_TEST", (error as Error).message);
  process.exitCode = 1;
}
