#!/usr/bin/env node
// The command line's entry: `oppo COMMAND`. Commands are in commands/, one file each.

import "./base/starters.ts";
import { commands } from "./commands/index.ts";
import { reportFailure, runCommandLine } from "./program.ts";

const args = process.argv.slice(2);

// `oppo ... | head` closes our output: the reader has what it wanted.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}
process.on("uncaughtException", (error) => void reportFailure(error, args).then((code) => process.exit(code)));

process.exitCode = await runCommandLine(commands, args);
// After a failure something may still be open (a worker, a timer); it must not keep the process.
if (process.exitCode !== 0) process.exit();
