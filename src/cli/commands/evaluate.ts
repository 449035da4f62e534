// `oppo evaluate`: MEP-Bench of one model.

import type { CommandDefinition, CommonOptions } from "../command.ts";
import { embedderAccess } from "../embedder-access.ts";
import { addClientFlags, type EndpointFlags } from "../endpoint-flags.ts";
import { longRun } from "../long-run.ts";
import { count, wholeNumber } from "../number.ts";

interface EvaluateOptions extends CommonOptions, EndpointFlags {
  readonly clauseInstruction: string;
  readonly model: string;
  readonly data: string;
  readonly conflict?: string;
  readonly out?: string;
  readonly embedder: string;
  readonly question?: string;
  readonly limit?: number;
  readonly maxNewTokens: number;
  readonly maxSkipped: number;
}

const maxSkippedRows = 10;
const similarityThreshold = 0.5;
const percent = 100;

const afterHelp = `
Recall and precision of cues, hallucinated cues while a modality is masked, Acc@V and Acc@A with their unmasked controls,
the swap test, format and emotion score, each with a bootstrap interval.

Example:
  oppo evaluate --model runs/demo/models/sft --data runs/demo/corpus/congruent/congruent.jsonl \\
    --conflict runs/demo/corpus/conflict/conflict.jsonl --out sft.json`;

export const evaluateCommand: CommandDefinition = {
  name: "evaluate",
  summary: "measure a model: which cues it names, and what it claims about what it cannot see or hear (MEP-Bench)",
  configure(command) {
    command
      .requiredOption("--model <directory>", "the model, a Hugging Face style directory")
      .requiredOption("--data <file>", "held-out samples on which face and voice agree, one JSON object per line")
      .option("--conflict <file>", "held-out samples on which they do not")
      .option("--out <file>", "write all of it as JSON: the metrics, every clip's values, every answer")
      .option("--embedder <choice>", "as of oppo train: auto, theatre, cues, builtin:, qwen3: or endpoint:", "auto")
      .option("--clause-instruction <text>", "as clauseInstruction of oppo train", "auto")
      .option("--question <text>", "what asks for a reasoning (default: the corpus' own)")
      .option("--limit <count>", "only the first so many clips of each file", count)
      .option("--max-new-tokens <count>", "longest answer", count, 80)
      .option("--max-skipped <percent>", "unreadable clips to leave out, in percent", wholeNumber, 10);
    addClientFlags(command)
      .addHelpText("after", afterHelp)
      .action((options: EvaluateOptions) =>
        longRun(async ({ progress, interrupt }) => {
          const { evaluateModel } = await import("../../recipes/evaluate-model.ts");
          const { resultsText } = await import("../../recipes/report/results-text.ts");
          const { replaceFile } = await import("../../run/checkpoint.ts");
          const result = await evaluateModel({
            ...options,
            conflict: options.conflict ?? null,
            question: options.question ?? null,
            limit: options.limit ?? null,
            emotionGroups: null,
            similarityThreshold,
            access: await embedderAccess(options, options.clauseInstruction, interrupt.signal),
            maxSkippedRows,
            maxSkippedFraction: options.maxSkipped / percent,
            progress,
            interrupt,
          });
          const probes = result.probes.map(({ sample, ...probe }) => ({ sample: sample.id, ...probe }));
          if (options.out !== undefined)
            replaceFile(options.out, `${JSON.stringify({ ...result, probes }, null, 1)}\n`);
          const { report, numClips, numSkippedClips, notes } = result;
          if (options.json) {
            console.log(JSON.stringify({ model: options.model, numClips, numSkippedClips, notes, report }, null, 2));
            return;
          }
          const arm = {
            name: "model",
            title: "",
            seeds: [],
            metrics: report,
            perSeed: [],
            curve: [],
            trainSeconds: [],
          };
          console.log(`${options.model}, ${numClips} clips${resultsText([arm])}`);
          if (options.out !== undefined) console.log(`\nThe numbers: ${options.out}`);
        }),
      );
  },
};
