// Resident memory of a process and its children, as Linux tells it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** Of one process. */
export function residentBytes(pid: number): number {
  return field(pid, "VmRSS");
}

/** Of all children of a process, and of theirs. */
export function residentBytesBelow(pid: number): number {
  const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && field(Number(name), "PPid", 1) === pid);
  return children.reduce((sum, child) => sum + residentBytes(Number(child)) + residentBytesBelow(Number(child)), 0);
}

/** The most that this process had since the last `resetPeak`, between two looks included. */
export function peakBytes(): number {
  return field(process.pid, "VmHWM");
}

export function resetPeak(): void {
  writeFileSync("/proc/self/clear_refs", "5");
}

const kibibyte = 1024;

/** 0 where there is no such process. */
function field(pid: number, name: string, unit = kibibyte): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    return unit * Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
