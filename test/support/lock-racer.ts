// One of several processes that race for a run's lock, for the test of it: takes it as often as told, leaves it each time
// either free or as if it had been killed while holding it, and ends with code 3 when it ever meets another holder.
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { lockRun } from "../../src/run/run-lock.ts";

const [folder, times, deadPid] = process.argv.slice(2) as [string, string, string];
const marker = join(folder, "held");
const end = Date.now() + 20_000;
for (let taken = 0; taken < Number(times); ) {
  if (Date.now() > end) process.exit(4);
  let release: () => void;
  try {
    release = lockRun(folder);
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 1));
    continue;
  }
  taken++;
  try {
    writeFileSync(marker, "", { flag: "wx" });
  } catch {
    process.exit(3);
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
  rmSync(marker);
  if (taken % 3 === 0) release();
  else {
    const dead = { pid: Number(deadPid), host: hostname(), started: "1", token: `${process.pid}-${taken}` };
    writeFileSync(join(folder, `dead-${process.pid}`), JSON.stringify(dead));
    renameSync(join(folder, `dead-${process.pid}`), join(folder, "run.lock"));
  }
}
