// `oppo sft`: a cold start on any corpus.

import type { Command } from "commander";
import { resolveSft, sftSettings } from "../../recipes/sft/settings.ts";
import { addHelp } from "../base/command.ts";
import { printJson } from "../base/json.ts";
import { longRun } from "../base/long-run.ts";
import { withSettings } from "../base/settings-command.ts";

const inHelp = [
  ...["run", "preset", "model", "data", "format", "media", "question", "seed"],
  ...["samples", "epochs", "steps", "samplesPerStep", "learningRate", "maxTokens", "checkpointEvery"],
  ...["trainable", "lora.rank", "device", "dtype", "recompute", "promptsPerMicroBatch", "dryRun"],
  ...["evalData", "evalSamples", "evalEvery", "evalAnswers"],
];

const help = {
  notes: `A sample's answer is <think>reasoning</think><answer>labels</answer>; of conversations every assistant turn is learnt. The run's
folder holds config.yaml (--config of it repeats the run), metrics.jsonl, evaluation.jsonl and answers.jsonl (held-out rows),
skipped.jsonl, checkpoints/, with --samples rest.jsonl (for "oppo train"), and at the end or after Ctrl-C model/, with the question
that it was trained with (oppo_prompt.json): infer, mep run and train ask that. The same command goes on with a run that was stopped.`,
  examples: [
    "oppo sft --preset sft-theatre --model runs/fresh --data corpora/theatre/train.jsonl --eval-samples 50 --run runs/sft",
    "oppo sft --preset sft-paper --model models/Qwen2.5-Omni-3B --data mer-caption-plus.jsonl --trainable lora --run runs/cold",
    "oppo sft --model models/HumanOmni-0.5B --data lists/emer.yaml --media /data/videos --run runs/emer",
  ],
};

export function configureSft(command: Command): void {
  addHelp(command, help);
  withSettings(
    command,
    { schema: sftSettings, inHelp, resolve: resolveSft },
    ({ run, dryRun: isDry, overcommit, ...config }, { isJson }) =>
      longRun(
        async ({ progress, interrupt, place }) => {
          const { dryRun, runSft } = await import("../../recipes/sft/sft.ts");
          const asked = { directory: run, config, progress, interrupt, overcommits: overcommit, place };
          if (isDry) {
            const { text, facts, fits } = await dryRun(asked);
            if (fits === false) process.exitCode = 1;
            if (place !== null && place.rank > 0) return;
            if (isJson) printJson("sft", facts);
            else console.log(text);
            return;
          }
          const result = await runSft(asked);
          if (place !== null && place.rank > 0) return;
          if (isJson) {
            printJson("sft", result);
            return;
          }
          const lines = [`The model: ${result.model}`, `The curves: ${result.run}/metrics.jsonl`];
          if (result.evaluation !== null)
            lines.push(
              `Held-out loss: ${Number(result.evaluation.loss).toFixed(3)} on ${result.numHeldOut}; answers: ${result.run}/answers.jsonl`,
            );
          if (result.numRest !== null)
            lines.push(`For reinforcement: ${result.run}/rest.jsonl (${result.numRest} samples)`);
          console.log(lines.join("\n"));
        },
        { isShared: true },
      ),
  );
}
