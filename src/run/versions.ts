// What ran: the versions and the machine that are written next to every result. The git commit is read from the files of
// .git, so that it is known where no git is installed; it is null outside a clone.

import { existsSync, readFileSync, statSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Example: `{ oppo: "0.1.0", gitCommit: "1f3c...", node: "20.20.2", libtorch: "1.13.1", platform: "linux-x64",
 *   processor: "Xeon", numProcessors: 2, memoryBytes: 8589934592 }`
 */
export interface Versions {
  readonly oppo: string;
  /** 40 hex digits; null outside a git clone. */
  readonly gitCommit: string | null;
  readonly node: string;
  /** Null when a command does not load it. */
  readonly libtorch: string | null;
  readonly platform: string;
  readonly processor: string;
  /** Processors this process may use. */
  readonly numProcessors: number;
  readonly memoryBytes: number;
}

/** `libtorchVersion` is passed in: this folder does not load the addon. */
export function readVersions(libtorchVersion: string | null = null): Versions {
  const root = packageRoot();
  return {
    oppo: packageVersion(root),
    gitCommit: readGitCommit(root),
    node: process.versions.node,
    libtorch: libtorchVersion,
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    numProcessors: availableParallelism(),
    memoryBytes: totalmem(),
  };
}

/** The folder with our package.json, seen from wherever this file was compiled to. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** The version in package.json. */
export function packageVersion(root: string = packageRoot()): string {
  return (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version;
}

/** The commit that HEAD names in `root`, or null. Understands worktrees and packed refs. */
export function readGitCommit(root: string): string | null {
  const dotGit = join(root, ".git");
  if (!existsSync(dotGit)) return null;
  // In a worktree .git is a file that points at its folder, which in turn names the shared one.
  const folder = statSync(dotGit).isDirectory() ? dotGit : resolve(root, afterColon(readFileSync(dotGit, "utf8")));
  const common = join(folder, "commondir");
  const shared = existsSync(common) ? resolve(folder, readFileSync(common, "utf8").trim()) : folder;
  const head = readIfThere(join(folder, "HEAD"));
  if (head === null || !head.startsWith("ref:")) return head;
  const ref = afterColon(head);
  const loose = readIfThere(join(folder, ref)) ?? readIfThere(join(shared, ref));
  if (loose !== null) return loose;
  const packed = readIfThere(join(shared, "packed-refs"))?.split("\n") ?? [];
  return packed.find((line) => line.endsWith(` ${ref}`))?.split(" ")[0] ?? null;
}

function afterColon(text: string): string {
  return text.slice(text.indexOf(":") + 1).trim();
}

function readIfThere(path: string): string | null {
  return existsSync(path) ? readFileSync(path, "utf8").trim() : null;
}
