// `oppo score`: the community's numbers for predictions of any model.

import type { Command } from "commander";
import type { ScoreRequest } from "../../recipes/score/score.ts";
import { scoreIdle, scoreSettings } from "../../recipes/score/settings.ts";
import type { SettingsOf } from "../../run/config.ts";
import { addHelp } from "../base/command.ts";
import { endpointOptions } from "../base/endpoint-access.ts";
import { printJson } from "../base/json.ts";
import { type Call, withSettings } from "../base/settings-command.ts";

type ScoreSettings = SettingsOf<typeof scoreSettings>;

const help = {
  notes: `A prediction is a label string such as "[happy, relieved]", or a response with an <answer> tag; files are JSON lines, CSV or
the community's .npz. A folder has one file per data set, or the official results-<set>/<run>/checkpoint_... files.`,
  examples: [
    "oppo score predictions.jsonl --truth labels.csv --kind open",
    "oppo score ours=runs/a theirs=runs/b --root /data --dataset mer-unibench --html report.html",
    "oppo score answers.jsonl --root /data --dataset dfew:fold1-test",
  ],
};

export function configureScore(command: Command): void {
  addHelp(
    command.argument("<predictions...>", "a file or folder per system, or name=path; several are compared"),
    help,
  );
  const retired = { "--judge-model <name>": "--judge URL#MODEL" };
  withSettings(command, { schema: scoreSettings, idle: scoreIdle, retired }, run);
}

async function run(options: ScoreSettings, { args: predictions, isJson }: Call): Promise<void> {
  const { score, rulesFor } = await import("../../recipes/score/score.ts");
  const { chooseLexicon } = await import("../../corpus/lexicons.ts");
  const { namedSystems } = await import("../../recipes/score/systems.ts");
  const { readTruths } = await import("../../recipes/score/truths.ts");
  const { scoreMarkdown, scoreText } = await import("../../recipes/score/text.ts");
  const { replaceFile } = await import("../../run/checkpoint.ts");
  const { oppoHome } = await import("../../run/lexicon-store.ts");
  const lexicon = chooseLexicon(options.lexicon, oppoHome(process.env));
  const truths = await readTruths({
    datasets: options.dataset,
    root: options.root,
    file: options.truth,
    kind: options.kind,
  });
  using judge = await judgeOf(options);
  const report = await score({
    systems: namedSystems(predictions),
    truths,
    lexicon,
    rules: { ...rulesFor(lexicon), ...chosenRules(options) },
    metric: options.metric,
    checkpoints: options.checkpoints,
    missing: options.missing,
    columns: {
      ...(options.nameColumn === null ? {} : { name: options.nameColumn }),
      ...(options.textColumn === null ? {} : { text: options.textColumn }),
    },
    judge,
    bootstrap: { seed: options.seed, numResamples: options.resamples, confidence: 0.95 },
  });
  if (options.markdown !== null) replaceFile(options.markdown, scoreMarkdown(report));
  if (options.html !== null) {
    const { scorePage } = await import("../../recipes/score/page.ts");
    replaceFile(options.html, scorePage(report));
  }
  if (isJson) printJson("score", report);
  else console.log(scoreText(report));
}

function chosenRules(settings: ScoreSettings): Partial<ScoreRequest["rules"]> {
  const names = ["undefinedWheel", "neutral", "parser", "zeroSentiment", "neutralPolarity", "singleLabel"] as const;
  return Object.fromEntries(names.flatMap((name) => (settings[name] === null ? [] : [[name, settings[name]]])));
}

async function judgeOf({ judge, client }: ScoreSettings) {
  if (judge === null) return null;
  const { endpointJudge } = await import("../../recipes/score/endpoint-judge.ts");
  const { judgeCacheFolder, oppoHome } = await import("../../run/lexicon-store.ts");
  return endpointJudge(await endpointOptions(judge, client, process.env, judgeCacheFolder(oppoHome(process.env))));
}
