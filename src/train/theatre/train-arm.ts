// One arm as a task: a resolved configuration trained from the cold start.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import { theatreKind } from "../../corpus/theatre-kind.ts";
import { configToYaml, type DeepReadonly } from "../../run/config.ts";
import type { TrainConfig } from "../config.ts";
import { trainGrpo } from "../grpo.ts";
import { readingObserver } from "../observer/read-cues.ts";
import { openPolicy } from "../policy.ts";
import { stepProgress, type TaskContext, theatrePrompt } from "./context.ts";
import { theatreObserver } from "./observer.ts";
import { fittedSplit } from "./splits.ts";

export interface ArmTask {
  /** Without the model, which is the cold start's. */
  readonly config: DeepReadonly<TrainConfig>;
  readonly directory: string;
  /** Opens its config.yaml. Example: "preset oppo" */
  readonly title: string;
}

/** Trains the cold start's model with a resolved configuration; leaves `model` in the directory. */
export async function trainArm(context: TaskContext, { config, directory, title }: ArmTask): Promise<void> {
  const { paths, interrupt } = context;
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "config.yaml"), configToYaml(config, title));
  using models = await openPolicy({ ...config, model: paths.sft });
  const { policy } = models;
  const fitted = await fittedSplit(context, "rl", policy);
  using library = new ClipLibrary(models.reference);
  library.add(fitted);
  const samples = fitted.map(({ sample }) => sample);
  const embedder = theatreKind.embedder();
  const bank = await theatreKind.bank(embedder);
  using observer =
    config.perception.support === "observer" ? await theatreObserver(context, models.reference, bank) : null;
  const readCues = observer && (await readingObserver(observer, samples));
  await trainGrpo(
    {
      config,
      models,
      library,
      samples,
      ...(readCues && { readCues }),
      promptText: theatrePrompt,
      embedder,
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
