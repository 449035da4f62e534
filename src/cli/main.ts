#!/usr/bin/env node
// The command line's entry: `oppo COMMAND`. Commands are in commands/, one file each.

import "./base/starters.ts";
import { commands } from "./commands/index.ts";
import { reportFailure, runToEnd } from "./program.ts";

const args = process.argv.slice(2);

// `oppo ... | head` closes our output: the reader has what it wanted.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}
process.on("uncaughtException", (error) => void reportFailure(error, args).then((code) => process.exit(code)));

runToEnd(commands, args);
