// `oppo setup`: compiles the addon for the libtorch of this machine, once. The set-up itself is plain JavaScript in
// scripts/, because in a clone it runs before anything is compiled.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { CommandDefinition } from "../command.ts";

interface SetupOptions {
  readonly check?: true;
  readonly forget?: true;
}

const help = `
LIBTORCH names a libtorch, a Python environment with torch in it, or a conda environment; it is remembered. docs/setup.md
has the ways to get one.

Examples:
  oppo setup
  LIBTORCH=$PWD/torch-env oppo setup`;

export const setupCommand: CommandDefinition = {
  name: "setup",
  summary: "compile what computes with libtorch, once; the other commands do without",
  configure(command) {
    command
      .option("--check", "only report; exit code 1 when something is missing")
      .option("--forget", "look for libtorch anew instead of taking the last one")
      .addHelpText("after", help)
      .action(async ({ check, forget }: SetupOptions) => {
        const { packageRoot } = await import("../../run/versions.ts");
        const flags = [...(check ? ["--check"] : []), ...(forget ? ["--forget"] : [])];
        const script = join(packageRoot(), "scripts/setup.mjs");
        const { status } = spawnSync(process.execPath, [script, ...flags], { stdio: "inherit" });
        process.exitCode = status ?? 1;
      });
  },
};
