// `oppo train`: one preset on any corpus in the project's sample format, from a model directory to a model directory.
// Towers stay frozen, so every clip is decoded and encoded once. A run that was stopped goes on from its checkpoint.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ClipLibrary } from "../../corpus/clip-library.ts";
import { cueStage } from "../../corpus/cue-stage.ts";
import { deltaWarnings, readKnownDelta } from "../../corpus/known-delta.ts";
import type { EmbedderAccess } from "../../corpus/open-embedder.ts";
import { fitCorpus, readCorpus } from "../../corpus/read-corpus.ts";
import { chooseSetting } from "../../corpus/setting.ts";
import { loadModel, type Thinker } from "../../models/index.ts";
import { latestCheckpoint } from "../../run/checkpoint.ts";
import { configDifferences, readConfigFile } from "../../run/config.ts";
import { requireFreeSpace } from "../../run/disk.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import { readStepLog } from "../../run/metrics.ts";
import type { Progress, Stage } from "../../run/progress.ts";
import { openRunDirectory, type RunDirectory } from "../../run/run-directory.ts";
import { readVersions } from "../../run/versions.ts";
import { torchVersion } from "../../tensor/index.ts";
import { trainGrpo } from "../../train/grpo.ts";
import { trainableParameters } from "../../train/policy.ts";
import { calibratedDeltas } from "../../train/presets.ts";
import type { RunConfig } from "./run-config.ts";

export interface TrainRun {
  readonly directory: string;
  readonly config: RunConfig;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
  /** How the embedder is reached; left out: as it comes, with nothing kept between runs. */
  readonly access?: EmbedderAccess | undefined;
}

export interface TrainResult {
  readonly run: string;
  /** The trained model, as a Hugging Face directory. */
  readonly model: string;
  readonly steps: number;
  readonly numSamples: number;
  readonly numSkippedClips: number;
  /** Of the last step. */
  readonly metrics: Readonly<Record<string, unknown>>;
}

/** Two checkpoints (weights and the optimizer's two moments) and the model, in weights. */
const copiesOfWeights = 7;
/** Logs and decoded clips of a small corpus; a large one says so when it gets there. */
const otherBytes = 2e7;
const bytesPerNumber = 4;

export async function runTraining(run: TrainRun): Promise<TrainResult> {
  const { config, progress, interrupt } = run;
  const rows = await readCorpus(config.data, config.maxSkippedRows, progress.log);
  using policy = loadModel(config.model);
  using setting = await chooseSetting(rows, {
    ...config,
    similarityThreshold: config.reward.similarityThreshold,
    access: run.access,
    onCues: cueStage(progress, interrupt),
  });
  requireFreeSpace(run.directory, bytesNeeded(policy), "the run");
  using directory = openRunDirectory(run.directory, {
    config,
    mayChange: changeable(run),
    versions: readVersions(torchVersion()),
    seeds: [config.seed],
    device: "cpu",
  });
  announce(run, directory, [...setting.notes, ...deltaLines(setting.embedder.name, config)]);
  const { fitted, skipped } = await fitCorpus(policy, rows, {
    file: config.data,
    modelDirectory: config.model,
    maxSkippedFraction: config.maxSkippedFraction,
    cacheFile: join(directory.path, "clips.safetensors"),
    skipFile: join(directory.path, "skipped.jsonl"),
    progress,
    interrupt,
  });
  using library = new ClipLibrary(policy);
  await encodeClips(library, fitted, run);
  const model = join(directory.path, "model");
  await trainPolicy({ run, directory, policy, library, setting, samples: fitted.map(({ sample }) => sample), model });
  return {
    run: directory.path,
    model,
    steps: config.steps,
    numSamples: fitted.length,
    numSkippedClips: skipped.length,
    metrics: readStepLog(directory.metricsFile).at(-1) ?? {},
  };
}

function bytesNeeded(policy: Thinker): number {
  const numNumbers = [...policy.parameters().values()].reduce((sum, { numel }) => sum + numel, 0);
  return copiesOfWeights * bytesPerNumber * numNumbers + otherBytes;
}

/** Until its first checkpoint a run has learned nothing: whatever stopped it may be put right. */
function changeable({ directory, config }: TrainRun): string[] {
  const file = join(directory, "config.yaml");
  if (latestCheckpoint(join(directory, "checkpoints")) !== null || !existsSync(file)) return ["checkpointEvery"];
  return configDifferences(readConfigFile(file).values, JSON.parse(JSON.stringify(config)));
}

interface PolicyTraining {
  readonly run: TrainRun;
  readonly directory: RunDirectory;
  readonly policy: Thinker;
  readonly library: ClipLibrary;
  readonly setting: Awaited<ReturnType<typeof chooseSetting>>;
  readonly samples: Parameters<typeof trainGrpo>[0]["samples"];
  /** Where the model goes: at the end, and when the run is stopped on the way. */
  readonly model: string;
}

async function trainPolicy({ run, directory, policy, library, setting, samples, model }: PolicyTraining) {
  const { config, progress, interrupt } = run;
  using reference = loadModel(config.model);
  const trainable = trainableParameters(policy);
  for (const parameter of trainable.values()) parameter.requiresGrad = true;
  const stage = progress.stage("training", config.steps);
  stage.update(latestCheckpoint(directory.checkpoints)?.step ?? 0);
  try {
    await trainGrpo({
      config,
      policy,
      reference,
      trainable,
      library,
      samples,
      promptText: (sample) => setting.promptText(sample),
      embedder: setting.embedder,
      emotionScore: setting.emotionScore,
      directory: directory.path,
      interrupt,
      onStep: (step, metrics) => showStep(stage, step, metrics),
    });
  } catch (error) {
    // A stopped run can be looked at: its checkpoint as a model.
    if (interrupt.signal.aborted && latestCheckpoint(directory.checkpoints) !== null) policy.save(model);
    throw error;
  }
  stage.finish();
  policy.save(model);
}

function announce({ config, progress }: TrainRun, directory: RunDirectory, notes: readonly string[]): void {
  const done = latestCheckpoint(directory.checkpoints)?.step ?? 0;
  const start = done > 0 ? `, going on after step ${done} of ${config.steps}` : "";
  progress.log(`${config.preset} on ${config.data}, from ${config.model} into ${directory.path}${start}`);
  for (const note of notes) progress.log(note);
}

/** Whether delta fits the embedder. */
function deltaLines(embedder: string, { calibration, reward }: RunConfig): string[] {
  const own = calibration === null ? [] : [readKnownDelta(calibration)];
  return deltaWarnings(embedder, reward.similarityThreshold, [...own, ...calibratedDeltas]);
}

async function encodeClips(library: ClipLibrary, fitted: Parameters<ClipLibrary["add"]>[0], run: TrainRun) {
  const stage = run.progress.stage("encoding", fitted.length);
  const perTurn = 64;
  for (let start = 0; start < fitted.length; start += perTurn) {
    library.add(fitted.slice(start, start + perTurn));
    stage.update(Math.min(fitted.length, start + perTurn));
    await run.interrupt.safePoint();
  }
  stage.finish();
}

function showStep(stage: Stage, step: number, metrics: Readonly<Record<string, number>>): void {
  const shown = [
    ["reward", metrics.reward],
    ["cues", metrics["rewards/omni/mean"]],
    ["kl", metrics.kl],
    ["kl|video", metrics["omni/kl_video"]],
    ["kl|audio", metrics["omni/kl_audio"]],
  ] as const;
  stage.update(
    step + 1,
    shown.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value.toFixed(3)}`])).join(" "),
  );
}
