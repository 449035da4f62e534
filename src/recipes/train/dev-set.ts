// The samples that a run is evaluated on: read and compared with those of training before anything is loaded, decoded once.
import { join } from "node:path";
import { fitCorpus, readCorpus } from "../../corpus/clips/read-corpus.ts";
import { contentOf, refuseOverlap } from "../../corpus/overlap.ts";
import type { Setting } from "../../corpus/setting.ts";
import { parseFieldMap } from "../../data/row-fields.ts";
import type { Sample } from "../../data/sample.ts";
import { createRandom, permutation } from "../../random.ts";
import type { StepMetrics } from "../../rl/metrics.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { Progress } from "../../run/progress.ts";
import { deriveSeed } from "../../seeds.ts";
import { defaultsBySize } from "../../train/by-size.ts";
import { openDevEvaluator } from "../../train/dev-evaluation.ts";
import { scoreOptions } from "../../train/grpo.ts";
import type { ClaimSources } from "../../train/method/task.ts";
import type { OpenedPolicy } from "../../train/policy.ts";
import type { Evaluation } from "../../train/watch/evaluations.ts";
import type { RunConfig } from "./run-config.ts";

/** The rows that are evaluated on; null: none. @throws OppoError ERR_OVERLAP and those of a corpus */
export async function readDevRows(
  config: RunConfig,
  training: readonly Sample[],
  log: (line: string) => void,
): Promise<Sample[] | null> {
  const { evalData: file, evalClips, seed } = config;
  if (file === null) return null;
  const samples = await readCorpus(file, config.maxSkippedRows, log, parseFieldMap(config.fields));
  await refuseOverlap(contentOf(config.data, training), contentOf(file, samples));
  if (samples.length <= evalClips) return samples;
  const drawn = permutation(samples.length, createRandom(deriveSeed(seed, "evaluation")));
  return drawn
    .slice(0, evalClips)
    .sort((a, b) => a - b)
    .map((i) => samples[i]!);
}

export interface DevRun extends Disposable {
  readonly evaluation: Evaluation;
}

export interface DevSetting {
  /** The folder of the run. */
  readonly directory: string;
  readonly config: RunConfig;
  /** Of training. */
  readonly claims: ClaimSources;
  readonly models: OpenedPolicy;
  readonly setting: Setting;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

/** Decodes the clips and makes the questions. null: nothing is evaluated. @throws those of fitCorpus */
export async function openDevSet(samples: readonly Sample[] | null, dev: DevSetting): Promise<DevRun | null> {
  const { directory, config, claims, models, setting, progress, interrupt } = dev;
  if (samples === null) return null;
  const { fitted } = await fitCorpus(models.policy, samples, {
    file: config.evalData!,
    maxSkippedFraction: config.maxSkippedFraction,
    cacheFile: join(directory, "dev-clips.safetensors"),
    skipFile: join(directory, "dev-skipped.jsonl"),
    progress,
    interrupt,
  });
  const maxNewTokens = config.maxNewTokens ?? defaultsBySize(models.numParameters, config.trainable).maxNewTokens;
  const evaluator = await openDevEvaluator({
    models,
    fitted,
    setting,
    scoring: scoreOptions(
      { config, embedder: setting.embedder, emotionScore: setting.emotion.score },
      claims,
      maxNewTokens,
    ),
    maxNewTokens,
    interrupt,
  });
  progress.log(
    `evaluated on ${fitted.length} clips of ${config.evalData} at the start, every ${config.evalEvery} steps and at the end; the best ${config.bestBy} goes to best/`,
  );
  return {
    evaluation: {
      every: config.evalEvery,
      atStart: true,
      evaluate: () => evaluator.evaluate(),
      bestBy: { measure: config.bestBy, better: "higher" },
    },
    [Symbol.dispose]: () => evaluator[Symbol.dispose](),
  };
}

const shown = ["reward", "recall", "format", "emotionF1", "accVideo", "accAudio"];

/** Example: "after 20 steps: reward 1.832 recall 0.710 format 1.000 accVideo 0.500" */
export function evaluationLine(numSteps: number, metrics: StepMetrics): string {
  const numbers = shown.flatMap((name) => (metrics[name] === undefined ? [] : [`${name} ${metrics[name].toFixed(3)}`]));
  return `after ${numSteps} steps: ${numbers.join(" ")}`;
}
