// `oppo train`: one preset on any corpus in the project's sample format, from a model directory to a model directory.
// A small corpus is decoded and encoded once, a large one streamed. A run that was stopped goes on from its checkpoint.
import { join } from "node:path";
import { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import { changeableClips } from "../../corpus/clips/clip-settings.ts";
import type { ClipOrder, ClipSource } from "../../corpus/clips/clip-source.ts";
import { openClips } from "../../corpus/clips/open-clips.ts";
import { readCorpus } from "../../corpus/clips/read-corpus.ts";
import { cueStage } from "../../corpus/cue-stage.ts";
import { deltaWarnings, readKnownDelta } from "../../corpus/known-delta.ts";
import type { EmbedderAccess } from "../../corpus/open-embedder.ts";
import { chooseSetting, type Setting } from "../../corpus/setting.ts";
import { saveWording, wordingOf } from "../../corpus/wording.ts";
import { parseFieldMap } from "../../data/row-fields.ts";
import type { Sample } from "../../data/sample.ts";
import { latestCheckpoint } from "../../run/checkpoint.ts";
import { requireSpaceForRest } from "../../run/disk.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import { readStepLog } from "../../run/metrics.ts";
import type { Progress, Stage } from "../../run/progress.ts";
import { changeableSettings, openRunDirectory, type RunDirectory } from "../../run/run-directory.ts";
import { readVersions } from "../../run/versions.ts";
import { torchVersion } from "../../tensor/index.ts";
import { readingModes } from "../../text/answer.ts";
import { batchOf } from "../../train/batches.ts";
import { defaultsBySize, largeModel } from "../../train/by-size.ts";
import { trainGrpo } from "../../train/grpo.ts";
import { bytesOnDisk, type OpenedPolicy, openPolicy } from "../../train/policy.ts";
import { calibratedDeltas } from "../../train/presets.ts";
import { annotationNotes } from "./annotations.ts";
import type { RunConfig } from "./run-config.ts";

export interface TrainRun {
  readonly directory: string;
  readonly config: RunConfig;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
  /** Where imported lexicons are. */
  readonly home: string;
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
  /** Clips that were read, and gave less than their files state. */
  readonly numNoticedClips: number;
  /** Of the last step. */
  readonly metrics: Readonly<Record<string, unknown>>;
}

/** Logs and decoded clips of a small corpus; a large one says so when it gets there. */
const otherBytes = 2e7;

export async function runTraining(run: TrainRun): Promise<TrainResult> {
  const { config, progress, interrupt } = run;
  const rows = await readCorpus(config.data, config.maxSkippedRows, progress.log, parseFieldMap(config.fields));
  const annotated = annotationNotes(rows, config);
  using models = await openPolicy(config);
  const known = wordingOf([config.model]);
  using setting = await chooseSetting(rows, {
    ...config,
    wording: known.file === null ? null : known,
    similarityThreshold: config.reward.similarityThreshold,
    home: run.home,
    access: run.access,
    onCues: cueStage(progress, interrupt),
  });
  requireSpaceForRest(run.directory, bytesOnDisk(models) + otherBytes, "the run");
  using directory = openRunDirectory(run.directory, {
    config,
    mayChange: changeableSettings(run.directory, config, alwaysChangeable, ["embedder", "emotionScore"]),
    versions: readVersions(torchVersion()),
    seeds: [config.seed],
    device: config.device,
    choices: { embedder: setting.embedder.name, emotionScore: setting.emotion.name },
  });
  announce(run, directory, [
    ...setting.notes,
    ...annotated,
    `completions are read by the ${readingModes.strict}`,
    ...deltaLines(setting.embedder.name, config),
    ...sizeNotes(models, config),
  ]);
  using library = new ClipLibrary(models.reference, setting.wording.system);
  using clips = await openClips(library, orderOf(rows, config), {
    settings: config.clips,
    file: config.data,
    maxSkippedFraction: config.maxSkippedFraction,
    cacheFile: join(directory.path, "clips.safetensors"),
    skipFile: join(directory.path, "skipped.jsonl"),
    progress,
    interrupt,
  });
  const model = join(directory.path, "model");
  await learn({ run, directory, models, library, setting, samples: rows, clips, model });
  const { total, skipped, noticed } = clips.account();
  return {
    run: directory.path,
    model,
    steps: config.steps,
    numSamples: total - skipped.length,
    numSkippedClips: skipped.length,
    numNoticedClips: noticed.length,
    metrics: readStepLog(directory.metricsFile).at(-1) ?? {},
  };
}

/** Which clips each step shows: those that cannot be read, too, so that it does not depend on when that is found. */
function orderOf(rows: readonly Sample[], { promptsPerStep, seed, steps }: RunConfig): ClipOrder<Sample> {
  return {
    items: rows,
    clipsOf: (sample) => [sample],
    batchAt: (step) => batchOf(rows, promptsPerStep, seed, step),
    steps,
  };
}

/** What decides nothing of what is learnt. */
const alwaysChangeable = ["checkpointEvery", ...changeableClips];

/** What a run takes where nothing was said, and what a large model is told of what was. */
function sizeNotes({ numParameters, masters, policy, recomputes }: OpenedPolicy, config: RunConfig): string[] {
  const standing = defaultsBySize(numParameters, config.trainable);
  const { dtype } = policy;
  const size =
    numParameters < 1e9 ? `${(numParameters / 1e6).toFixed(1)} million` : `${(numParameters / 1e9).toFixed(1)} billion`;
  const chosen = [
    ...(config.learningRate === null ? [`learning rate ${standing.learningRate}`] : []),
    ...(config.maxNewTokens === null ? [`completions of at most ${standing.maxNewTokens} tokens`] : []),
    ...(recomputes ? ["layers computed again on the way back"] : []),
    ...(masters.size > 0 ? [`${dtype} with float32 masters, saved as ${dtype}`] : []),
  ];
  const notes = chosen.length === 0 ? [] : [`for ${size} parameters: ${chosen.join("; ")}`];
  if (numParameters < largeModel) return notes;
  const small = defaultsBySize(0, config.trainable);
  if (config.learningRate !== null && config.learningRate >= small.learningRate && config.trainable !== "lora") {
    notes.push(`warning: learning rate ${config.learningRate} for ${size} parameters; the paper took 2e-6 for 7B`);
  }
  if (config.maxNewTokens !== null && config.maxNewTokens <= small.maxNewTokens) {
    notes.push(
      `warning: completions of at most ${config.maxNewTokens} tokens; reasonings of ${size} parameters are longer`,
    );
  }
  return notes;
}

interface Learning {
  readonly run: TrainRun;
  readonly directory: RunDirectory;
  readonly models: OpenedPolicy;
  readonly library: ClipLibrary;
  readonly setting: Setting;
  readonly samples: readonly Sample[];
  readonly clips: ClipSource<Sample>;
  /** Where the model goes: at the end, and when the run is stopped on the way. */
  readonly model: string;
}

async function learn({ run, directory, models, library, setting, samples, clips, model }: Learning): Promise<void> {
  const { config, progress, interrupt } = run;
  const { embedder, promptText } = setting;
  const adapter = join(directory.path, "adapter");
  const stage = progress.stage("training", config.steps);
  stage.update(latestCheckpoint(directory.checkpoints)?.step ?? 0);
  const task = { config, models, library, samples, clips, embedder, emotionScore: setting.emotion.score };
  const save = () => {
    for (const folder of models.save(model, adapter)) saveWording(folder, setting.wording);
  };
  try {
    await trainGrpo(
      { ...task, promptText: (sample) => promptText(sample), onNotice: progress.log },
      { directory: directory.path, interrupt, onStep: (step, metrics) => showStep(stage, step, metrics) },
    );
  } catch (error) {
    // A stopped run can be looked at: its checkpoint as a model.
    if (interrupt.signal.aborted && latestCheckpoint(directory.checkpoints) !== null) save();
    throw error;
  }
  stage.finish();
  save();
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
