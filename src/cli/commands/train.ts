// `oppo train`: one preset on any corpus.

import type { Command } from "commander";
import { resolveTrain, trainSettings } from "../../recipes/train/run-config.ts";
import { addHelp } from "../base/command.ts";
import { embedderAccess } from "../base/embedder-access.ts";
import { endpointCache, endpointOptions } from "../base/endpoint-access.ts";
import { printJson } from "../base/json.ts";
import { longRun } from "../base/long-run.ts";
import { bearerToken } from "../base/serving.ts";
import { withSettings } from "../base/settings-command.ts";

const inHelp = [
  ...[
    "run",
    "preset",
    "from",
    "model",
    "data",
    "evalData",
    "evalEvery",
    "bestBy",
    "fields",
    "embedder",
    "calibration",
    "question",
    "seed",
  ],
  ...["steps", "promptsPerStep", "groupSize", "maxNewTokens", "learningRate", "checkpointEvery", "keep", "tensorboard"],
  ...["rollouts", "rolloutAhead", "rolloutFolder", "rolloutKeyEnv"],
  ...["trainable", "lora.rank", "device", "dtype", "recompute", "promptsPerMicroBatch", "dryRun"],
  ...["keyEnv", "cache", "concurrency", "maxRequests", "maxTokens", "timeout"].map((name) => `client.${name}`),
];

const help = {
  notes: `The run's folder holds config.yaml (--config of it repeats the run), metrics.jsonl and rollouts.jsonl (one line per step
and per prompt), skipped.jsonl (clips that could not be read), checkpoints/ and, at the end or after Ctrl-C, model/ (a
Hugging Face style folder for "oppo mep run"). With --eval-data there are evaluation.jsonl and best/, the model of the best
evaluation; warnings.jsonl says what goes wrong and what helps; "oppo report RUN" draws all of it, also on the way. The same command goes on with a run that was stopped. "oppo presets" lists the presets.`,
  examples: [
    "oppo train --preset oppo --model runs/demo/models/sft --data runs/demo/corpus/rl/rl.jsonl --run runs/mine",
    "oppo train --model runs/demo/models/sft --data runs/demo/corpus/rl/rl.jsonl --run runs/weaker --steps 30 --set perception.maskRatio=0.7",
  ],
};

export function configureTrain(command: Command): void {
  addHelp(command, help);
  const spec = { schema: trainSettings, inHelp, resolve: resolveTrain };
  withSettings(command, spec, ({ run, client, dryRun: isDry, overcommit, ...config }, { isJson }) =>
    longRun(
      async ({ progress, interrupt, place }) => {
        const { dryRun, runTraining } = await import("../../recipes/train/train.ts");
        if (isDry) {
          const { text, facts, fits } = await dryRun({ config, progress, interrupt, place });
          if (fits === false) process.exitCode = 1;
          if (place !== null && place.rank > 0) return;
          if (isJson) printJson("train", facts);
          else console.log(text);
          return;
        }
        // Of several processes none may leave a step while the others are in it: they stop between steps.
        const { signal } = place === null ? interrupt : new AbortController();
        const { oppoHome } = await import("../../run/lexicon-store.ts");
        const access = {
          ...(await embedderAccess(client, config.clauseInstruction, signal)),
          ...(config.embedderDevice === null ? {} : { device: config.embedderDevice }),
          isApart: config.embedderProcess,
        };
        const around = { signal, onNotice: (line: string) => progress.log(line) };
        const judge =
          config.judge === null
            ? null
            : await endpointOptions(config.judge, client, process.env, await endpointCache(process.env));
        const result = await runTraining({
          directory: run,
          config,
          progress,
          interrupt,
          home: oppoHome(process.env),
          overcommits: overcommit,
          rolloutToken: bearerToken(config.rolloutKeyEnv),
          access,
          judge: judge === null ? null : { ...judge, ...around },
          place,
        });
        if (place !== null && place.rank > 0) return;
        if (isJson) printJson("train", result);
        else console.log(`The model: ${result.model}\nThe curves: ${result.run}/metrics.jsonl`);
      },
      { isShared: true },
    ),
  );
}
