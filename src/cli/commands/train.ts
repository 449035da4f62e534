// `oppo train`: one preset on any corpus.

import { type CommandDefinition, type CommonOptions, collect } from "../command.ts";
import { embedderAccess } from "../embedder-access.ts";
import { addClientFlags, type EndpointFlags } from "../endpoint-flags.ts";
import { longRun } from "../long-run.ts";
import { wholeNumber } from "../number.ts";

interface TrainOptions extends CommonOptions, EndpointFlags {
  readonly preset?: string;
  readonly model?: string;
  readonly data?: string;
  readonly run: string;
  readonly config?: string;
  readonly set: readonly string[];
  readonly embedder?: string;
  readonly seed?: number;
}

const afterHelp = `
The run's folder holds config.yaml (--config of it repeats the run), metrics.jsonl and rollouts.jsonl (one line per step
and per prompt), skipped.jsonl (clips that could not be read), checkpoints/ and, at the end or after Ctrl-C, model/ (a
Hugging Face directory for "oppo mep run"). The same command goes on with a run that was stopped. "oppo presets" lists the presets.

Example:
  oppo train --preset oppo --model runs/demo/models/sft --data runs/demo/corpus/rl/rl.jsonl --run runs/mine`;

export const trainCommand: CommandDefinition = {
  name: "train",
  summary: "train a model with reinforcement learning: GRPO, OPPO and their relatives, on any corpus of samples",
  configure(command) {
    command
      .requiredOption("--run <directory>", "where everything goes; a run that was stopped goes on")
      .option(
        "--preset <name>",
        'the method: baseline, reward-only, papo, papo-dual, oppo, oppo-paper (default: "oppo")',
      )
      .option("--model <directory>", "the model to start from; it is the reference as well")
      .option("--data <file>", "samples, one JSON object per line; media paths are relative to this file")
      .option("--config <file>", "YAML or JSON with settings, such as the config.yaml of another run")
      .option("--set <path=value>", "one setting, such as steps=200; may be given several times", collect, [])
      .option(
        "--embedder <choice>",
        "what compares sentences with cues: auto, theatre, cues (fitted on the corpus' own), builtin:BANK.json (a list of " +
          '{ name, kind, phrases }), qwen3:DIR or endpoint:URL#MODEL (default: "auto")',
      )
      .option("--seed <number>", "seed of batches, samples and masks", wholeNumber);
    addClientFlags(command)
      .addHelpText("after", afterHelp)
      .action((options: TrainOptions) =>
        longRun(async ({ progress, interrupt }) => {
          const { resolveRunConfig } = await import("../../recipes/train/run-config.ts");
          const { runTraining } = await import("../../recipes/train/train.ts");
          const { oppoHome } = await import("../../run/lexicon-store.ts");
          const { model, data, embedder, seed } = options;
          const given = Object.entries({ model, data, embedder, seed }).filter(([, value]) => value !== undefined);
          const config = resolveRunConfig({
            preset: options.preset,
            file: options.config,
            overrides: [...options.set, ...given.map(([name, value]) => `${name}=${value}`)],
          });
          const result = await runTraining({
            directory: options.run,
            config,
            progress,
            interrupt,
            home: oppoHome(process.env),
            access: await embedderAccess(options, config.clauseInstruction, interrupt.signal),
          });
          if (options.json) console.log(JSON.stringify(result, null, 2));
          else console.log(`The model: ${result.model}\nThe curves: ${result.run}/metrics.jsonl`);
        }),
      );
  },
};
