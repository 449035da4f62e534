// `oppo theatre build`: the procedural corpus as files.

import type { Command } from "commander";
import type { TheatreResult, TheatreShard } from "../../recipes/theatre/build-theatre.ts";
import { planWithClips, resolveTheatre, theatreSettings } from "../../recipes/theatre/plan-settings.ts";
import type { SettingsOf } from "../../run/config.ts";
import { addHelp } from "../base/command.ts";
import { printJson } from "../base/json.ts";
import { longRun } from "../base/long-run.ts";
import { withSettings } from "../base/settings-command.ts";

type TheatreSettings = SettingsOf<typeof theatreSettings>;

const inHelp = ["out", "clips", "workers", "seed", "splits"];

const help = {
  notes: `Without --clips the plan is what the demo needs, thousands of clips and minutes of work; it is printed before anything is
made. --set splits.NAME.numClips=N changes or adds one split; --config FILE brings splits of its own.`,
  examples: [
    "oppo theatre build --clips 60",
    "oppo theatre build --out corpus --set splits.sft.numClips=100 --set format.size=112",
  ],
};

export function configureTheatre(command: Command): void {
  addHelp(command, { examples: help.examples.slice(0, 1) });
  const build = command
    .command("build")
    .description(
      "Renders the corpus: mp4 clips with subtitles beside them, one JSONL file of samples per split, and a manifest " +
        "(corpus.json). A build that was stopped goes on; clips that are there are not made again.",
    );
  addHelp(build, help);
  const retired = { "--plan <file>": { instead: "--config FILE" } };
  withSettings(build, { schema: theatreSettings, inHelp, retired, resolve: resolveTheatre }, (settings, { isJson }) =>
    runBuild(settings, isJson),
  );
}

function runBuild({ out: root, clips, workers, ...whole }: TheatreSettings, isJson: boolean): Promise<unknown> {
  return longRun(async ({ payload, progress, interrupt }) => {
    const recipe = await import("../../recipes/theatre/build-theatre.ts");
    if (payload !== null) return recipe.buildTheatreShard(payload as TheatreShard, progress, interrupt.signal);
    const plan = planWithClips(whole, clips);
    const childArgs = ["theatre", "build"];
    const result = await recipe.buildTheatre({ root, plan, workers, childArgs, progress, interrupt });
    report(result, isJson);
    return null;
  });
}

function report({ confusionLines, ...numbers }: TheatreResult, isJson: boolean): void {
  if (isJson) {
    printJson("theatre-build", numbers);
    return;
  }
  console.log("How well the reward's embedder tells the corpus' cues apart:");
  for (const line of confusionLines) console.log(line);
  console.log(`\nThe corpus: ${numbers.root} (${numbers.files.join(", ")})`);
}
