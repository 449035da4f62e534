// `oppo r1-omni`: R1-Omni's Table 1, from a checkpoint and data folders or on the theatre.

import type { Command } from "commander";
import { rOneOmniIdle, rOneOmniSettings } from "../../recipes/r1-omni/settings.ts";
import type { TaskPayload } from "../../recipes/r1-omni/tasks.ts";
import { addHelp } from "../base/command.ts";
import { printJson } from "../base/json.ts";
import { longRun } from "../base/long-run.ts";
import { withSettings } from "../base/settings-command.ts";

const inHelp = [
  ...["run", "theatre", "model", "data", "sets", "fold", "cold", "coldMedia"],
  ...["seeds", "seed", "workers", "device", "dtype"],
];

const help = {
  notes: `Four models are measured: the base, its cold start on reasonings, its fine-tuning on labels, and RLVR from the cold start. Each training
is an oppo sft or oppo train (RUN/settings has what to repeat it with) in a folder below RUN/training; the same command goes on
with what was stopped. An answer counts if it is a word of the label set, trimmed and in lower case.`,
  examples: [
    "oppo r1-omni --theatre",
    "oppo r1-omni --model models/HumanOmni-0.5B --data /data --cold lists/emer.json --run runs/table1",
  ],
};

export function configureROneOmni(command: Command): void {
  addHelp(command, help);
  withSettings(command, { schema: rOneOmniSettings, idle: rOneOmniIdle, inHelp }, ({ run, ...config }, { isJson }) =>
    longRun(async ({ progress, interrupt, payload }) => {
      if (payload !== null) {
        const { runTask } = await import("../../recipes/r1-omni/tasks.ts");
        const stage = progress.stage("task", parts);
        return runTask(payload as TaskPayload, {
          interrupt,
          progress: ({ done, total, detail }) => stage.update(Math.floor((done / total) * parts), detail),
        });
      }
      const { runROneOmni } = await import("../../recipes/r1-omni/r1-omni.ts");
      const { finding, resultsText } = await import("../../recipes/r1-omni/text.ts");
      const { results, ...files } = await runROneOmni({ directory: run, config, progress, interrupt });
      if (isJson) printJson("r1-omni", { ...files, ...results });
      else {
        const made = `The report: ${files.report}\nThe numbers: ${files.resultsFile}\nTime: ${(files.seconds / 60).toFixed(1)} minutes`;
        console.log(`${resultsText(results)}\n\n${finding(results)}\n\n${made}`);
      }
      return null;
    }),
  );
}

/** Tasks count differently; their progress is told in these parts. */
const parts = 1000;
