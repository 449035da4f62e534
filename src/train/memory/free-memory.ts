// How much memory a process may still take on this machine: what Linux calls available, within the limits of its control groups,
// as containers set them.
import { existsSync, readFileSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";

/** Where the files of the system are; tests have their own. */
export interface SystemFiles {
  readonly memory: string;
  /** Of this process: lines "0::/path" (version 2) or "N:memory:/path" (version 1). */
  readonly groups: string;
  /** Root of the control groups. */
  readonly groupRoot: string;
}

const ownFiles: SystemFiles = { memory: "/proc/meminfo", groups: "/proc/self/cgroup", groupRoot: "/sys/fs/cgroup" };

/** Bytes of host memory that are free or can be made so. */
export function freeHostMemory(files: SystemFiles = ownFiles): number {
  const available = availableBytes(files.memory) ?? freemem();
  return Math.min(available, ...groupRooms(files));
}

function availableBytes(file: string): number | null {
  const line = textOf(file)?.match(/^MemAvailable:\s+(\d+) kB$/m);
  return line ? Number(line[1]) * 1024 : null;
}

/** What is left below the limit of each group that the process is in. */
function groupRooms({ groups, groupRoot }: SystemFiles): number[] {
  const rooms: number[] = [];
  for (const line of (textOf(groups) ?? "").split("\n")) {
    const [, kinds, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (kinds === undefined || path === undefined) continue;
    if (kinds !== "" && !kinds.split(",").includes("memory")) continue;
    const names =
      kinds === ""
        ? { folder: groupRoot, limit: "memory.max", used: "memory.current" }
        : { folder: join(groupRoot, "memory"), limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes" };
    // Inside a container the path is often that of the host, and the limit lies at the root.
    for (const folder of [join(names.folder, path), names.folder]) {
      const limit = numberIn(join(folder, names.limit));
      const used = numberIn(join(folder, names.used));
      if (limit !== null && used !== null) rooms.push(Math.max(0, limit - used + reclaimable(folder)));
    }
  }
  return rooms;
}

/** File pages that the group holds and that go when room is needed. */
function reclaimable(folder: string): number {
  const line = textOf(join(folder, "memory.stat"))?.match(/^(?:total_)?inactive_file (\d+)$/m);
  return line ? Number(line[1]) : 0;
}

/** null where there is no file, or none but "max" in it. */
function numberIn(file: string): number | null {
  const text = textOf(file)?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}

function textOf(file: string): string | undefined {
  try {
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
