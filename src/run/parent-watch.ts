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
 * Calls `onGone` once when npm, as our parent or our shell's parent, has ended. Does nothing when npm did not start us.
 * Where there is no /proc (macOS), only the parent itself is watched.
 */
export function watchParent(
  onGone: () => void,
  { environment = process.env, intervalMs = pollMilliseconds } = {},
): Disposable {
  const chain = environment.npm_command === undefined ? [] : npmChain(process.ppid);
  if (chain.length === 0) return { [Symbol.dispose]: () => undefined };
  const timer = setInterval(() => {
    if (isWhole(chain)) return;
    clearInterval(timer);
    onGone();
  }, intervalMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** From our parent up to npm; empty when npm is neither the parent nor the grandparent. */
function npmChain(parentPid: number): number[] {
  const parent = ancestor(parentPid);
  if (parent === null) return process.platform === "linux" ? [] : [parentPid];
  if (isNpm(parent)) return [parent.pid];
  const grandparent = ancestor(parent.parent);
  return grandparent !== null && isNpm(grandparent) ? [parent.pid, grandparent.pid] : [];
}

/** A process whose parent ended is given to another one. */
function isWhole([parent, grandparent]: readonly number[]): boolean {
  if (process.ppid !== parent) return false;
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
