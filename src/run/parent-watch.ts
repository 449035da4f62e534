// Notices that the npm that started us is gone. `npx oppo serve` runs as npm, a shell and us; whoever kills npx kills npm
// and leaves us with the port. Only npm is watched: a server that a person's shell or a script put into the background
// outlives it, as they expect.

import { readFileSync } from "node:fs";

const pollMilliseconds = 1000;

interface Ancestor {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/**
 * Process ids from our parent up to the npm that started us; empty when it is neither the parent nor the grandparent. To be
 * asked early: of an npm that is gone nothing can be told any more. Where there is no /proc (macOS): only the parent.
 */
export function npmAbove(environment: Readonly<Record<string, string | undefined>>): readonly number[] {
  if (environment.npm_command === undefined) return [];
  const parent = ancestor(process.ppid);
  if (parent === null) return process.platform === "linux" ? [] : [process.ppid];
  if (isNpm(parent)) return [parent.pid];
  const grandparent = ancestor(parent.parent);
  return grandparent !== null && isNpm(grandparent) ? [parent.pid, grandparent.pid] : [];
}

/** Calls `onGone` once when one of the processes that `npmAbove` gave has ended; never when it gave none. */
export function watchParents(
  pids: readonly number[],
  onGone: () => void,
  intervalMs: number = pollMilliseconds,
): Disposable {
  if (pids.length === 0) return { [Symbol.dispose]: () => undefined };
  const timer = setInterval(() => {
    if (isWhole(pids)) return;
    clearInterval(timer);
    onGone();
  }, intervalMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** A process whose parent ended is given to another one. */
function isWhole([parent, grandparent]: readonly number[]): boolean {
  if (parent === undefined || process.ppid !== parent) return false;
  return grandparent === undefined || ancestor(parent)?.parent === grandparent;
}

/** npm names its process after its command: "npm exec oppo serve reward". */
function isNpm({ command }: Ancestor): boolean {
  return command.startsWith("npm ");
}

function ancestor(pid: number): Ancestor | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // "PID (NAME) STATE PPID ...": the name may hold anything, so it is skipped from its end.
    const parent = Number(
      stat
        .slice(stat.lastIndexOf(")") + 1)
        .trim()
        .split(" ")[1],
    );
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return { pid, parent, command };
  } catch {
    // Ended meanwhile, or no /proc here.
    return null;
  }
}
