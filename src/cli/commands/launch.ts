// `oppo launch`: a training by several processes of this machine.

import type { Command } from "commander";
import { launchSettings } from "../../recipes/launch/settings.ts";
import { addHelp } from "../base/command.ts";
import { longRun } from "../base/long-run.ts";
import { withSettings } from "../base/settings-command.ts";

const help = {
  notes: `COMMAND is train or sft with all its options. Its steps are those of one process: the same prompts, tokens and gradients. Lines
come with the rank that wrote them; when a rank fails the others end within seconds, and the same command goes on from the last
checkpoint, with any number of processes. On several machines: torchrun --no-python, srun or mpirun (docs/scale.md).`,
  examples: [
    "oppo launch --processes 2 train --preset oppo --model runs/demo/models/sft --data runs/demo/corpus/rl/rl.jsonl --run runs/two",
  ],
};

export function configureLaunch(command: Command): void {
  addHelp(command, help);
  command.argument("<command...>", "the command that every process runs").passThroughOptions();
  withSettings(command, { schema: launchSettings }, ({ processes }, { args }) =>
    longRun(async ({ interrupt }) => {
      const { launch } = await import("../../recipes/launch/launch.ts");
      await launch({ processes, args, interrupt, onLine: printLine });
    }),
  );
}

/** Rank 0's results stay alone on standard output. */
function printLine(rank: number, stream: "out" | "error", line: string): void {
  if (rank === 0 && stream === "out") console.log(line);
  else process.stderr.write(`[rank ${rank}] ${line}\n`);
}
