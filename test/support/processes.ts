// Processes as Linux tells of them: which run, and whose children they are.
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Whether this system tells. */
export const hasProcesses = existsSync("/proc/self/status");

/** What nobody has waited for yet is a zombie, which runs no more. */
export function isRunning(pid: number): boolean {
  return /^State:\s+[^ZX]/m.test(statusOf(pid));
}

/** Children of a process, their children and so on. */
export function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

export function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => Number(/^PPid:\s+(\d+)/m.exec(statusOf(child))?.[1]) === pid);
}

/** Empty when there is none. */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}
