// The three trainings behind a seed's rows as command lines of `oppo sft` and `oppo train`: what a person could type, each in a run
// folder of its own that goes on where it was stopped.
import { join } from "node:path";
import { deriveSeed } from "../../seeds.ts";
import type { Material } from "./material.ts";
import type { RunPaths } from "./paths.ts";
import type { RowName } from "./rows.ts";
import type { ROneOmniConfig } from "./settings.ts";

export interface Training {
  /** Also the name of its folder. Example: "rlvr-3" */
  readonly name: string;
  readonly command: "sft" | "train";
  /** All that differs from the defaults of the command. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export function modelOf(row: RowName, seed: number, { base }: Pick<Material, "base">, paths: RunPaths): string {
  return row === "base" ? base : join(paths.training(`${row}-${seed}`), "model");
}

/** Those that begin from the base model, then the one that needs the cold start. */
export function trainingsOf(seed: number, material: Material, config: ROneOmniConfig, paths: RunPaths): Training[][] {
  const own = (name: string) => ({
    run: paths.training(`${name}-${seed}`),
    seed: deriveSeed(config.seed, name, seed),
    clips: { cache: paths.cache },
    ...(config.theatre ? {} : { device: config.device, dtype: config.dtype }),
  });
  const { play, theatre } = config;
  const small = (settings: object) => (theatre ? settings : {});
  const sft = { format: "conversations", model: material.base };
  const cold: Training = {
    name: `cold-${seed}`,
    command: "sft",
    settings: {
      ...{ preset: "sft-r1-omni", ...own("cold"), ...sft, data: material.cold.file, media: material.cold.media },
      ...small({ epochs: play.coldEpochs, learningRate: play.sftRate, trainable: play.trainable }),
    },
  };
  const labels: Training = {
    name: `labels-${seed}`,
    command: "sft",
    settings: {
      ...{ preset: "sft-labels", ...own("labels"), ...sft, data: material.labels.file, media: material.labels.media },
      ...small({
        ...{ epochs: play.labelEpochs, learningRate: play.sftRate, trainable: play.trainable },
        ...{ samplesPerStep: 16, promptsPerMicroBatch: null },
      }),
    },
  };
  const rlvr: Training = {
    name: `rlvr-${seed}`,
    command: "train",
    settings: {
      ...{ preset: "r1-omni", ...own("rlvr"), data: material.rlvr, question: material.questions.thinking },
      model: modelOf("cold", seed, material, paths),
      ...small({
        ...{ steps: play.rlvrSteps, promptsPerStep: play.promptsPerStep, learningRate: play.rlvrRate },
        ...{ trainable: play.trainable, maxNewTokens: 64 },
      }),
    },
  };
  return [[cold, labels], [rlvr]];
}
