// A short run of an adapter on a very small theatre whose completions come from servers, or from this process: what tests of
// rollout servers share. A fresh model says nothing that is paid for, so a judge pays for what its answers happen to be.
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import { clipSettings } from "../../src/corpus/clips/clip-settings.ts";
import { heldClips } from "../../src/corpus/clips/clip-source.ts";
import type { FittedSample } from "../../src/corpus/clips/fitted-samples.ts";
import { openClips } from "../../src/corpus/clips/open-clips.ts";
import type { Sample } from "../../src/data/sample.ts";
import type { JudgedTerm } from "../../src/rl/rewards/judged.ts";
import { resolveConfig } from "../../src/run/config.ts";
import type { Interrupt } from "../../src/run/interrupt.ts";
import { readStepLog } from "../../src/run/metrics.ts";
import { alone, type World } from "../../src/tensor/index.ts";
import { batchOf } from "../../src/train/batches.ts";
import { trainSchema } from "../../src/train/config.ts";
import { trainGrpo } from "../../src/train/grpo.ts";
import { openPolicy } from "../../src/train/policy.ts";
import { presets } from "../../src/train/presets.ts";
import { RolloutsOverRanks } from "../../src/train/rollouts/over-ranks.ts";
import { ServedRollouts } from "../../src/train/rollouts/served-rollouts.ts";
import { quietRun } from "./quiet-run.ts";
import { theatreTerms } from "./theatre-training.ts";
import { digestOf, interruptAt, withoutTimes } from "./training-runs.ts";

export interface ServedRun {
  /** Its folder. */
  readonly directory: string;
  /** The model to start from. */
  readonly model: string;
  readonly fitted: readonly FittedSample[];
  /** Of the servers; none: this process samples. */
  readonly addresses?: readonly string[];
  readonly overrides?: readonly string[];
  readonly steps?: number;
  readonly stopAt?: number | null;
  readonly patienceSeconds?: number;
  readonly seconds?: number;
  readonly folder?: string;
  readonly onStep?: (step: number) => void;
  /** Told of servers that fail. */
  readonly notices?: string[];
  readonly signal?: AbortSignal;
  /** In the place of `stopAt` and `signal`. */
  readonly interrupt?: Interrupt;
  /** Of the corpus, whose clips are read step by step then. */
  readonly streamedFrom?: string;
  /** The processes that make the run together. */
  readonly world?: World;
}

const judge: JudgedTerm = {
  name: "context",
  weight: 1,
  judge: async (groups) =>
    groups.map((group) => group.map(({ rollout }) => createHash("sha256").update(rollout.text).digest()[0]! / 255)),
};

export const maxNewTokens = 12;

/** @returns its metrics without times, its rows and a digest of the adapter afterwards */
export async function servedRun(run: ServedRun) {
  const { directory, model, fitted, addresses = [], overrides = [], steps = 3, stopAt = null, notices = [] } = run;
  const { world = alone, interrupt = interruptAt(stopAt) } = run;
  mkdirSync(directory, { recursive: true });
  const rules = ["trainable=lora", "lora.rank=4", "learningRate=1e-2", "warmupSteps=0", `maxNewTokens=${maxNewTokens}`];
  const config = resolveConfig(trainSchema, {
    preset: presets["reward-only"].config,
    overrides: [...rules, "promptsPerStep=3", "checkpointEvery=2", `steps=${steps}`, ...overrides],
  });
  using models = await openPolicy({ ...config, model });
  using library = new ClipLibrary(models.reference);
  const samples = fitted.map(({ sample }) => sample);
  const order = {
    ...{ items: samples, clipsOf: (sample: Sample) => [sample], steps },
    batchAt: (step: number) => batchOf(samples, config.promptsPerStep, config.seed, step),
  };
  if (run.streamedFrom === undefined) library.add(fitted);
  using clips =
    run.streamedFrom === undefined
      ? heldClips(library, order)
      : await openClips(library, order, {
          settings: clipSettings.parse({ mode: "stream", workers: 1 }),
          ...{ file: run.streamedFrom, maxSkippedFraction: 0, maxPromptTokens: null, ...quietRun() },
        });
  const signal = run.signal ?? interrupt.signal;
  using rollouts =
    addresses.length === 0 || world.rank > 0
      ? null
      : new ServedRollouts(
          models,
          { ...config, maxNewTokens },
          {
            addresses,
            token: null,
            seconds: run.seconds ?? 60,
            directory,
            folder: run.folder ?? null,
            concurrency: 4,
            patienceSeconds: run.patienceSeconds ?? 60,
            ahead: config.rolloutAhead,
            signal,
            onNotice: (line) => void notices.push(line),
          },
        );
  await trainGrpo(
    {
      config,
      models,
      library,
      samples,
      clips,
      ...theatreTerms(),
      judged: [judge],
      ...(addresses.length === 0 ? {} : { rollouts: new RolloutsOverRanks(world, rollouts) }),
      world,
    },
    {
      directory,
      interrupt,
      ...(run.onStep === undefined ? {} : { onStep: run.onStep }),
    },
  );
  const isFirst = world.rank === 0;
  return {
    metrics: isFirst ? withoutTimes(directory) : [],
    rows: isFirst ? readStepLog(join(directory, "rollouts.jsonl")) : [],
    weights: digestOf(models.trainable),
  };
}
