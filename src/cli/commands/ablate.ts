// `oppo ablate`: grids of presets, settings, cold starts and seeds, the paper's tables among them.

import type { Command } from "commander";
import type { CorpusTask } from "../../recipes/ablate/corpus/measure-corpus.ts";
import { ablateIdle, ablateSettings, asGridSays, resolveAblate } from "../../recipes/ablate/settings.ts";
import type { TaskPayload } from "../../recipes/ablate/tasks.ts";
import { addHelp } from "../base/command.ts";
import { printJson } from "../base/json.ts";
import { longRun } from "../base/long-run.ts";
import { withSettings } from "../base/settings-command.ts";

const inHelp = [
  ...["run", "table", "figure", "experiment", "grid", "presets", "vary", "starts", "choose"],
  ...["data", "model", "start", "dev", "test", "shared"],
  ...["coldStarts", "seeds", "seed", "processes", "dryRun"],
];

const help = {
  notes: `A cell is a row from one cold start with one seed: trained, then measured on held-out clips. It is kept under a digest of all that
determines it (settings, seeds, clips, the code that makes it), so that another grid with the same cell finds it, and one that failed is
tried again by the same command. With --data rows are trained on a corpus of your own from models of your own, each cell by "oppo train" and
"oppo mep run", whose settings --shared has. RUN/GRID has report.html, results.json, results.csv, table.md and table.tex.`,
  examples: [
    "oppo ablate --table 3",
    "oppo ablate --table 5 --dry-run",
    "oppo ablate --experiment faithfulness",
    "oppo ablate --presets reward-only,oppo --cold-starts 2 --seeds 2",
    "oppo ablate --presets oppo --set perception.maskRatio=0.7,1 --set beta=0.01,0.03 --choose",
    "oppo ablate --presets reward-only,oppo --data mine.jsonl --model runs/cold/model --test held-out.jsonl --seeds 2",
  ],
};

export function configureAblate(command: Command): void {
  addHelp(command, help);
  const spec = { schema: ablateSettings, idle: ablateIdle, inHelp, resolve: resolveAblate };
  withSettings(command, spec, ({ run: directory, dryRun, ...asked }, { isJson }) =>
    longRun(async ({ progress, interrupt, payload }) => {
      const config = asGridSays(asked);
      if (payload !== null) {
        if (isOfCorpus(payload as CorpusTask | TaskPayload)) {
          const { measureCorpus } = await import("../../recipes/ablate/corpus/measure-corpus.ts");
          const { oppoHome } = await import("../../run/lexicon-store.ts");
          return measureCorpus(payload as CorpusTask, { progress, interrupt, home: oppoHome(process.env) });
        }
        const { runTasks } = await import("../../recipes/ablate/tasks.ts");
        const stage = progress.stage("tasks", parts);
        return runTasks(payload as TaskPayload, {
          interrupt,
          progress: ({ done, total, detail }) => stage.update(Math.floor((done / total) * parts), detail),
        });
      }
      const { planAblate, requireComplete, runAblate } = await import("../../recipes/ablate/ablate.ts");
      const { planText, terminalText } = await import("../../recipes/ablate/tables-out.ts");
      if (dryRun) {
        const plan = planAblate(directory, config);
        if (isJson) printJson("ablate-plan", { ...plan, grid: plan.grid.name });
        else console.log(planText(plan, config.processes));
        return null;
      }
      const { results, files } = await runAblate({ directory, config, progress, interrupt });
      if (isJson) {
        printJson("ablate", { ...results, files });
        // One object is printed, and it says which cells are missing.
        if (results.failures.length > 0) process.exitCode = 1;
      } else {
        const made = Object.entries(files).map(([name, file]) => `${name}: ${file}`);
        console.log(`${terminalText(results)}\n\n${made.join("\n")}`);
        requireComplete(results);
      }
      return null;
    }),
  );
}

/** Tasks count differently; their progress is told in these parts. */
const parts = 1000;

function isOfCorpus(payload: CorpusTask | TaskPayload): payload is CorpusTask {
  return "kind" in payload && payload.kind === "corpus";
}
