// `oppo mep`: MEP-Bench for any corpus and any model.

import type { Command } from "commander";
import { addHelp } from "../../base/command.ts";
import { configureBuild } from "./build.ts";
import { configureCompare } from "./compare.ts";
import { configureRun } from "./run.ts";

export function configureMep(command: Command): void {
  addHelp(command, {
    examples: [
      "oppo mep build --data mine.jsonl --out sets/mine",
      "oppo mep run sets/mine --model models/Qwen2.5-Omni-3B --out runs/mep/3b",
      "oppo mep compare runs/mep/3b runs/mep/7b",
    ],
  });
  configureBuild(command.command("build"));
  configureRun(command.command("run"));
  configureCompare(command.command("compare"));
}
