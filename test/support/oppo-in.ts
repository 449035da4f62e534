// The command line as a process of its own, in a folder.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { repositoryRoot } from "./repository.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");

export function oppoIn(folder: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8", cwd: folder });
  return { status, stdout, stderr };
}
