// `oppo score`: the community's numbers for predictions of any model.

import type { Command } from "commander";
import type { ScoreRequest } from "../../../recipes/score/score.ts";
import { scoreIdle, scoreSettings } from "../../../recipes/score/settings.ts";
import type { SettingsOf } from "../../../run/config.ts";
import { addHelp } from "../../base/command.ts";
import { endpointCache, endpointOptions } from "../../base/endpoint-access.ts";
import { printJson } from "../../base/json.ts";
import { type LongRun, longRun } from "../../base/long-run.ts";
import { type Call, withSettings } from "../../base/settings-command.ts";
import { configureMmeEmotion } from "./mme-emotion.ts";
import { configureQuestions } from "./questions.ts";

type ScoreSettings = SettingsOf<typeof scoreSettings>;

const help = {
  notes: `A prediction is a label string such as "[happy, relieved]", or a response with an <answer> tag; files are JSON lines, CSV or
the community's .npz. A folder has one file per data set, or the official results-<set>/<run>/checkpoint_... files. Sentences are no
labels: --extract has a language model take the labels out, as officially; its replies are kept, so the same command goes on.`,
  examples: [
    "oppo score predictions.jsonl --truth labels.csv --kind open",
    "oppo score ours=runs/a theirs=runs/b --root /data --dataset mer-unibench --html report.html",
    "oppo score runs/a --root /data --dataset mer-unibench --partial --latex table.tex",
    "oppo score checkpoint_000060_loss_0.3.npz --root /data --dataset mer2023,meld --extract http://localhost:8000/v1#Qwen/Qwen2.5-7B-Instruct",
    "oppo score answers.jsonl --root /data --dataset dfew:fold1-test",
  ],
};

export function configureScore(command: Command): void {
  addHelp(
    command.argument("<predictions...>", "a file or folder per system, or name=path; several are compared"),
    help,
  );
  const retired = { "--judge-model <name>": { instead: "--judge URL#MODEL", joins: "--judge" } };
  withSettings(command, { schema: scoreSettings, idle: scoreIdle, retired }, (settings, call) =>
    longRun((around) => run(settings, call, around)),
  );
  configureMmeEmotion(command.command("mme-emotion"));
  configureQuestions(command.command("questions"));
}

async function run(options: ScoreSettings, { args: predictions, isJson }: Call, around: LongRun): Promise<void> {
  const { score, rulesFor } = await import("../../../recipes/score/score.ts");
  const { chooseLexicon } = await import("../../../corpus/lexicons.ts");
  const { namedSystems } = await import("../../../recipes/score/systems.ts");
  const { readTruths } = await import("../../../recipes/score/truths.ts");
  const { writeOutputs } = await import("../../../recipes/score/outputs.ts");
  const { oppoHome } = await import("../../../run/lexicon-store.ts");
  const lexicon = chooseLexicon(options.lexicon, oppoHome(process.env));
  const { truths, leftOut } = await readTruths({
    datasets: options.dataset,
    root: options.root,
    file: options.truth,
    kind: options.kind,
    isPartial: options.partial,
  });
  using judge = await judgeOf(options);
  using extractor = await extractorOf(options, around);
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
    extractor,
    partial: options.partial ? { leftOut } : null,
    bootstrap: { seed: options.seed, numResamples: options.resamples, confidence: 0.95 },
  });
  const { printed, written } = await writeOutputs(report, options);
  if (isJson) printJson("score", report);
  else if (printed !== null) process.stdout.write(printed);
  else {
    const { scoreText } = await import("../../../recipes/score/text.ts");
    console.log(scoreText(report));
  }
  // Beside what a program reads, the paths go apart from it.
  (isJson || printed !== null ? process.stderr : process.stdout).write(written);
}

async function extractorOf({ extract, client }: ScoreSettings, { progress, interrupt }: LongRun) {
  if (extract === null) return null;
  const { endpointExtractor } = await import("../../../recipes/score/endpoint-extractor.ts");
  const options = await endpointOptions(extract, client, process.env, await endpointCache(process.env));
  const onNotice = (line: string) => progress.log(line);
  return endpointExtractor({ ...options, signal: interrupt.signal, onNotice }, (numTexts) =>
    progress.stage("extracting labels", numTexts),
  );
}

function chosenRules(settings: ScoreSettings): Partial<ScoreRequest["rules"]> {
  const names = ["undefinedWheel", "neutral", "parser", "zeroSentiment", "neutralPolarity", "singleLabel"] as const;
  return Object.fromEntries(names.flatMap((name) => (settings[name] === null ? [] : [[name, settings[name]]])));
}

async function judgeOf({ judge, client }: ScoreSettings) {
  if (judge === null) return null;
  const { endpointJudge } = await import("../../../recipes/score/endpoint-judge.ts");
  const { judgeCacheFolder, oppoHome } = await import("../../../run/lexicon-store.ts");
  return endpointJudge(await endpointOptions(judge, client, process.env, judgeCacheFolder(oppoHome(process.env))));
}
