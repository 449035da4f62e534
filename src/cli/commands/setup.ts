// `oppo setup`: compiles the addon for the libtorch of this machine, once. The set-up itself is plain JavaScript in
// scripts/, because in a clone it runs before anything is compiled.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { addHelp, type CommonOptions } from "../base/command.ts";
import { printJson } from "../base/json.ts";

interface SetupOptions extends CommonOptions {
  readonly check?: true;
  readonly forget?: true;
}

const help = {
  notes: `LIBTORCH names a libtorch, a Python environment with torch in it, or a conda environment; it is remembered. docs/setup.md
has the ways to get one.

  LIBTORCH=$PWD/torch-env oppo setup`,
  examples: ["oppo setup", "oppo setup --check"],
};

export function configureSetup(command: Command): void {
  addHelp(command, help)
    .addOption(new Option("--check", "only report; exit code 1 when something is missing"))
    .addOption(new Option("--forget", "look for libtorch anew instead of taking the last one"))
    .action(async ({ check, forget, json }: SetupOptions) => {
      const { packageRoot } = await import("../../run/versions.ts");
      const flags = [...(check ? ["--check"] : []), ...(forget ? ["--forget"] : [])];
      const script = join(packageRoot(), "scripts/setup.mjs");
      const stdio = json ? "pipe" : "inherit";
      const { status, stdout } = spawnSync(process.execPath, [script, ...flags], { stdio, encoding: "utf8" });
      if (json) printJson("setup", { status, lines: stdout.trimEnd().split("\n") });
      process.exitCode = status ?? 1;
    });
}
