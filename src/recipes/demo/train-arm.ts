// One arm as a task: a preset trained from the cold start with one seed.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import { theatreKind } from "../../corpus/theatre-kind.ts";
import { configToYaml, resolveConfig } from "../../run/config.ts";
import { deriveSeed } from "../../seeds.ts";
import { trainSchema } from "../../train/config.ts";
import { trainGrpo } from "../../train/grpo.ts";
import { openPolicy } from "../../train/policy.ts";
import { type PresetName, presets } from "../../train/presets.ts";
import { fittedSplit } from "./splits.ts";
import { stepProgress, type TaskContext, theatrePrompt } from "./task.ts";

export interface ArmTask {
  readonly preset: PresetName;
  /** 0 is the first RL seed. */
  readonly seed: number;
  /** `path=value` changes to the preset, for experiments. */
  readonly overrides?: readonly string[];
}

export async function trainArm(context: TaskContext, { preset, seed, overrides = [] }: ArmTask): Promise<void> {
  const { paths, interrupt } = context;
  const directory = paths.arm(preset, seed);
  const config = resolveConfig(trainSchema, {
    preset: {
      ...presets[preset].config,
      steps: context.config.rlSteps,
      seed: deriveSeed(context.config.seed, "rl", seed),
    },
    overrides,
  });
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "config.yaml"), configToYaml(config, `preset ${preset}`));
  using models = await openPolicy({ ...config, model: paths.sft });
  const { policy } = models;
  const fitted = await fittedSplit(context, "rl", policy);
  using library = new ClipLibrary(models.reference);
  library.add(fitted);
  await trainGrpo(
    {
      config,
      models,
      library,
      samples: fitted.map(({ sample }) => sample),
      promptText: theatrePrompt,
      embedder: theatreKind.embedder(),
      emotionScore: theatreKind.emotion.score,
    },
    {
      directory,
      interrupt,
      onStep: stepProgress(
        context,
        config.steps,
        (metrics) =>
          `reward ${metrics.reward!.toFixed(2)} recall ${(metrics["rewards/omni/mean"] ?? 0).toFixed(2)}/3 kl ${(metrics.kl ?? 0).toFixed(3)}`,
      ),
    },
  );
  policy.save(join(directory, "model"));
}
