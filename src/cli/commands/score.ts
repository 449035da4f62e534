// `oppo score`: the community's numbers for predictions of any model.

import { Option } from "commander";
import type { ScoreRequest } from "../../recipes/score/score.ts";
import type { TruthRequest } from "../../recipes/score/truths.ts";
import { type CommandDefinition, type CommonOptions, collect } from "../command.ts";
import { count, wholeNumber } from "../number.ts";

interface ScoreOptions extends CommonOptions, Partial<ScoreRequest["rules"]> {
  readonly dataset: readonly string[];
  readonly root?: string;
  readonly truth?: string;
  readonly kind?: NonNullable<TruthRequest["kind"]>;
  readonly metric?: NonNullable<ScoreRequest["metric"]>;
  readonly lexicon?: string;
  readonly checkpoints: "final" | "best";
  readonly missing: "refuse" | "empty";
  readonly nameColumn?: string;
  readonly textColumn?: string;
  readonly judge?: string;
  readonly judgeModel?: string;
  readonly resamples: number;
  readonly seed: number;
  readonly markdown?: string;
  readonly html?: string;
}

const afterHelp = `
A prediction is a label string such as "[happy, relieved]", or a response with an <answer> tag; files are JSON lines, CSV or
the community's .npz. A folder has one file per data set, or the official results-<set>/<run>/checkpoint_... files.

Examples:
  oppo score predictions.jsonl --truth labels.csv --kind open
  oppo score ours=runs/a theirs=runs/b --root /data --dataset mer-unibench --html report.html
  oppo score answers.jsonl --root /data --dataset dfew:fold1-test`;

const choice = (flags: string, text: string, choices: readonly string[]) => new Option(flags, text).choices(choices);

export const scoreCommand: CommandDefinition = {
  name: "score",
  summary: "score predictions of any model: MER-UniBench (EW, hit rate, weighted F), WAR and UAR, with intervals",
  configure(command) {
    command
      .argument("<predictions...>", "a file or folder per system, or name=path; several are compared")
      .option(
        "--dataset <name>",
        "what was predicted; repeatable, name:split, or mer-unibench for all nine",
        collect,
        [],
      )
      .option("--root <folder>", "the folder with the data sets in their official layouts")
      .option("--truth <file>", "ground truth from a file with names and labels instead")
      .addOption(choice("--kind <kind>", "what the file's labels are", ["open", "discrete", "sentiment"]))
      .addOption(choice("--metric <metric>", "for discrete sets: hit rate, or WAR and UAR", ["hit", "war"]))
      .option("--lexicon <choice>", "built-in, affectgpt, mer2026 or a file (default: affectgpt where it was imported)")
      .addOption(
        choice("--checkpoints <protocol>", "one final checkpoint, or the best for each set", ["final", "best"]).default(
          "final",
        ),
      )
      .addOption(choice("--missing <rule>", "samples without a prediction", ["refuse", "empty"]).default("refuse"))
      .option("--name-column <name>", "the column with the samples' names")
      .option("--text-column <name>", "the column with the predictions")
      .option(
        "--judge <url>",
        "OpenAI-compatible endpoint for the polarity of sentiment predictions (key: OPENAI_API_KEY)",
      )
      .option("--judge-model <name>", "the model to ask there")
      .option("--resamples <count>", "of the bootstrap", count, 1000)
      .option("--seed <number>", "of the bootstrap", wholeNumber, 1)
      .option("--markdown <file>", "write the report as Markdown")
      .option("--html <file>", "write the report as a page")
      .addOption(
        choice("--undefined-wheel <rule>", "a wheel without a score (default: as the lexicon's code)", [
          "undefined",
          "zero",
          "skip",
        ]),
      )
      .addOption(choice("--neutral <rule>", '"neutral" is on no wheel (default: unscored)', ["unscored", "group"]))
      .addOption(choice("--parser <rule>", "of label strings (default: official)", ["official", "lenient"]))
      .addOption(
        choice("--zero-sentiment <rule>", "samples of sentiment 0 (default: drop)", ["drop", "negative", "positive"]),
      )
      .addOption(
        choice("--neutral-polarity <rule>", "a neutral prediction counts as (default: negative)", [
          "negative",
          "wrong",
        ]),
      )
      .addOption(
        choice("--single-label <rule>", "WAR compares the answer or the raw text (default: answer)", ["answer", "raw"]),
      )
      .addHelpText("after", afterHelp)
      .action((predictions: readonly string[], options: ScoreOptions) => run(predictions, options));
  },
};

async function run(predictions: readonly string[], options: ScoreOptions): Promise<void> {
  const { score, rulesFor } = await import("../../recipes/score/score.ts");
  const { chooseLexicon } = await import("../../corpus/lexicons.ts");
  const { namedSystems } = await import("../../recipes/score/systems.ts");
  const { readTruths } = await import("../../recipes/score/truths.ts");
  const { scoreMarkdown, scoreText } = await import("../../recipes/score/text.ts");
  const { replaceFile } = await import("../../run/checkpoint.ts");
  const { oppoHome } = await import("../../run/lexicon-store.ts");
  const lexicon = chooseLexicon(options.lexicon ?? null, oppoHome(process.env));
  const truths = await readTruths({
    datasets: options.dataset,
    root: options.root ?? null,
    file: options.truth ?? null,
    kind: options.kind ?? null,
  });
  using judge = await judgeOf(options);
  const report = await score({
    systems: namedSystems(predictions),
    truths,
    lexicon,
    rules: { ...rulesFor(lexicon), ...chosenRules(options) },
    metric: options.metric ?? null,
    checkpoints: options.checkpoints,
    missing: options.missing,
    columns: {
      ...(options.nameColumn === undefined ? {} : { name: options.nameColumn }),
      ...(options.textColumn === undefined ? {} : { text: options.textColumn }),
    },
    judge,
    bootstrap: { seed: options.seed, numResamples: options.resamples, confidence: 0.95 },
  });
  if (options.markdown !== undefined) replaceFile(options.markdown, scoreMarkdown(report));
  if (options.html !== undefined) {
    const { scorePage } = await import("../../recipes/score/page.ts");
    replaceFile(options.html, scorePage(report));
  }
  console.log(options.json ? JSON.stringify(report, null, 2) : scoreText(report));
}

function chosenRules(options: ScoreOptions): Partial<ScoreRequest["rules"]> {
  const names = ["undefinedWheel", "neutral", "parser", "zeroSentiment", "neutralPolarity", "singleLabel"] as const;
  return Object.fromEntries(names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));
}

async function judgeOf({ judge, judgeModel }: ScoreOptions) {
  if (judge === undefined) return null;
  const { endpointJudge } = await import("../../recipes/score/endpoint-judge.ts");
  const { judgeCacheFolder, oppoHome } = await import("../../run/lexicon-store.ts");
  const key = process.env.OPENAI_API_KEY ?? null;
  const cacheFolder = judgeCacheFolder(oppoHome(process.env));
  return endpointJudge({ url: judge, model: judgeModel ?? "default", key, cacheFolder });
}
