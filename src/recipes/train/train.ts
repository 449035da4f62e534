// `oppo train`: one preset on any corpus in the project's sample format, from a model directory to a model directory.
// A small corpus is decoded and encoded once, a large one streamed. A run that was stopped goes on from its checkpoint.
import { join } from "node:path";
import { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import { changeableClips } from "../../corpus/clips/clip-settings.ts";
import type { ClipOrder, OpenClipSource } from "../../corpus/clips/clip-source.ts";
import { type OpenedClips, openClips } from "../../corpus/clips/open-clips.ts";
import { readCorpus } from "../../corpus/clips/read-corpus.ts";
import { cueStage } from "../../corpus/cue-stage.ts";
import type { EmbedderAccess } from "../../corpus/embedding/opened-embedder.ts";
import { type OpenedJudges, openJudges } from "../../corpus/judges/open-judges.ts";
import { deltaWarnings, readKnownDelta } from "../../corpus/known-delta.ts";
import { chooseSetting, type Setting } from "../../corpus/setting.ts";
import { wordingOf } from "../../corpus/wording.ts";
import { parseFieldMap } from "../../data/row-fields.ts";
import type { Sample } from "../../data/sample.ts";
import type { EndpointOptions } from "../../endpoint/endpoint-options.ts";
import { requireModelDirectory } from "../../models/checkpoint/model-directory.ts";
import { latestCheckpoint } from "../../run/checkpoint.ts";
import { requireSpaceForRest } from "../../run/disk.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import { readStepLog } from "../../run/metrics.ts";
import type { Progress, Stage } from "../../run/progress.ts";
import { changeableSettings, type RunDirectory, type RunFacts } from "../../run/run-directory.ts";
import { readVersions } from "../../run/versions.ts";
import type { Place } from "../../run/world/address.ts";
import { torchVersion } from "../../tensor/index.ts";
import { readingModes } from "../../text/answer.ts";
import { batchOf } from "../../train/batches.ts";
import { defaultsBySize, largeModel } from "../../train/by-size.ts";
import { type BestModel, lastModel } from "../../train/export.ts";
import { claimSources, trainGrpo } from "../../train/grpo.ts";
import { type DryRun, dryRunOf, requireMemory } from "../../train/memory/table.ts";
import type { ClaimSources } from "../../train/method/task.ts";
import { bytesOnDisk, type CopiesOnDisk, type OpenedPolicy, openPolicy } from "../../train/policy.ts";
import { calibratedDeltas } from "../../train/presets.ts";
import { RolloutsOverRanks } from "../../train/rollouts/over-ranks.ts";
import { ServedRollouts } from "../../train/rollouts/served-rollouts.ts";
import { changeableRollouts, serverAddresses } from "../../train/rollouts/settings.ts";
import { learnAndSave } from "../../train/world/learn-and-save.ts";
import {
  asRank,
  fileFact,
  openSharedRun,
  type RankRun,
  readingInterrupt,
  settingFacts,
  shardOf,
  versionFact,
  weightsFact,
  worldNotes,
} from "../../train/world/run-world.ts";
import { evaluatedElsewhere, firstThenOthers, onFirst, requireSame } from "../../train/world/together.ts";
import { annotationNotes } from "./annotations.ts";
import { type OpenedReading, openReading } from "./corpus-reading.ts";
import { type DevRun, evaluationLine, openDevSet, readDevRows } from "./dev-set.ts";
import { memoryOfRun } from "./memory.ts";
import type { RunConfig } from "./run-config.ts";
import { changedSteps, requireStepsAhead, startModel } from "./start.ts";

export interface TrainRun {
  readonly directory: string;
  readonly config: RunConfig;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
  /** Where imported lexicons are. */
  readonly home: string;
  /** Begins also where memory seems too small; left out, it is refused. */
  readonly overcommits?: boolean;
  /** How the embedder is reached; left out: as it comes, with nothing kept between runs. */
  readonly access?: EmbedderAccess | undefined;
  /** What rollout servers want to be shown; null: nothing. */
  readonly rolloutToken?: string | null;
  /** How the judge is reached; left out: there is none. */
  readonly judge?: EndpointOptions | null;
  /** Among the processes that train together; null or left out: there is one. */
  readonly place?: Place | null;
}

export interface TrainResult {
  readonly run: string;
  /** The trained model, as a Hugging Face directory. */
  readonly model: string;
  /** The model of the best evaluation; null: nothing was evaluated. */
  readonly best: BestModel | null;
  readonly steps: number;
  readonly numSamples: number;
  readonly numSkippedClips: number;
  /** Clips that were read, and gave less than their files state. */
  readonly numNoticedClips: number;
  /** Of the last step. */
  readonly metrics: Readonly<Record<string, unknown>>;
}

/** What a step of the run would take of memory. Nothing is loaded and nothing written. */
export async function dryRun({
  config,
  progress,
  interrupt,
  place = null,
}: Pick<TrainRun, "config" | "progress" | "interrupt" | "place">): Promise<DryRun> {
  const rows = await readCorpus(config.data, config.maxSkippedRows, progress.log, parseFieldMap(config.fields));
  const memory = await memoryOfRun(config, rows, place, interrupt.signal);
  return dryRunOf(memory, memory.assumptions);
}

/** Logs and decoded clips of a small corpus; a large one says so when it gets there. */
const otherBytes = 2e7;

export const runTraining = (run: TrainRun): Promise<TrainResult> => asRank(run, trainIn);

async function trainIn(run: RankRun<TrainRun>): Promise<TrainResult> {
  const { config, progress, interrupt, world, device } = run;
  await requireSame(world, async () => ({
    ...{ version: versionFact(), [`content of ${config.data}`]: await fileFact(config.data) },
    ...settingFacts({ ...config, run: run.directory }),
  }));
  const rows = await readCorpus(config.data, config.maxSkippedRows, progress.log, parseFieldMap(config.fields));
  const annotated = annotationNotes(rows, config);
  const devRows = world.rank === 0 ? await readDevRows(config, rows, progress.log) : null;
  requireStepsAhead(run.directory, config.steps);
  const start = await onFirst(world, "making of the start", () => startModel(config.model, run.directory));
  requireModelDirectory(start);
  const own = { ...config, model: start, device, ...shardOf(world, config) };
  if (run.overcommits !== true) requireMemory(await memoryOfRun(own, rows, run.place ?? null, interrupt.signal));
  using models = await openPolicy(own);
  const known = wordingOf([start]);
  using setting = await chooseSetting(rows, {
    ...config,
    wording: known.file === null ? null : known,
    similarityThreshold: config.reward.similarityThreshold,
    home: run.home,
    access: run.access,
    onCues: cueStage(progress, interrupt),
  });
  await requireSame(world, () => ({
    embedder: setting.embedder.name,
    "emotion score": setting.emotion.name,
    weights: weightsFact(models),
  }));
  using judges = openJudges(config.reward, run.judge ?? null);
  const stepsNote = changedSteps(run.directory, config);
  using directory = await openSharedRun(world, run.directory, () => factsOf(run, models, setting));
  const ofRun = [...deltaLines(setting.embedder.name, config), ...sizeNotes(models, config), ...stepsNote];
  const reading = `completions are read by the ${readingModes.strict}`;
  announce(run, directory, [...setting.notes, ...annotated, reading, ...ofRun, ...worldNotes(world)]);
  using library = new ClipLibrary(models.reference, setting.wording.system);
  using clips = await firstThenOthers(world, "reading of clips", () =>
    clipsOf(run, directory, library, orderOf(rows, config)),
  );
  using cueReading = await firstThenOthers(world, "making of the observer", () => {
    const where = { config, directory: directory.path, setting, progress };
    return openReading(models.reference, rows, { ...where, interrupt: readingInterrupt(world, interrupt) });
  });
  for (const note of cueReading.notes) progress.log(note);
  const claims = claimSources({ config, samples: rows, embedder: setting.embedder });
  const where = { directory: directory.path, config, claims, models, setting, progress, interrupt };
  using dev = await openDevSet(devRows, where);
  const best = await learn({ ...where, run, directory, library, judges, samples: rows, clips, dev, cueReading });
  const { total, skipped, noticed } = clips.account();
  return {
    run: directory.path,
    model: lastModel(directory.path).model,
    best,
    steps: config.steps,
    numSamples: total - skipped.length,
    numSkippedClips: skipped.length,
    numNoticedClips: noticed.length,
    metrics: world.rank === 0 ? (readStepLog(directory.metricsFile).at(-1) ?? {}) : {},
  };
}

/** What `run.json` says of it, once there is room for what it writes. @throws OppoError ERR_DISK_FULL */
function factsOf({ directory, config }: TrainRun, models: OpenedPolicy, setting: Setting): RunFacts {
  requireSpaceForRest(directory, bytesOnDisk(models, onDisk(config)) + otherBytes, "the run");
  return {
    kind: "train",
    config,
    mayChange: changeableSettings(directory, config, alwaysChangeable, ["embedder", "emotionScore"]),
    versions: readVersions(torchVersion()),
    seeds: [config.seed],
    device: config.device,
    choices: { embedder: setting.embedder.name, emotionScore: setting.emotion.name },
  };
}

function clipsOf(
  { config, progress, interrupt, world }: RankRun<TrainRun>,
  directory: RunDirectory,
  library: ClipLibrary,
  order: ClipOrder<Sample>,
): Promise<OpenedClips<Sample>> {
  return openClips(library, order, {
    settings: config.clips,
    file: config.data,
    maxSkippedFraction: config.maxSkippedFraction,
    maxPromptTokens: config.maxPromptTokens,
    cacheFile: join(directory.path, "clips.safetensors"),
    ...(world.rank === 0 ? { skipFile: join(directory.path, "skipped.jsonl") } : {}),
    progress,
    interrupt: readingInterrupt(world, interrupt),
  });
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

/** How many models and checkpoints lie there at once. */
function onDisk({ keep, evalData }: RunConfig): CopiesOnDisk {
  // A new checkpoint is written before an old one goes; so are the best weights, which have no moments.
  return evalData === null
    ? { models: 1, checkpoints: keep + 1, weights: 0 }
    : { models: 2, checkpoints: keep + 1, weights: 2 };
}

/** What decides nothing of what was learned so far; the learning rate follows the new number of steps, and a line says so. */
const alwaysChangeable = [
  ...["checkpointEvery", "keep", "tensorboard", "shardOptimizer", "steps"],
  ...changeableClips,
  ...changeableRollouts,
];

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
  readonly run: RankRun<TrainRun>;
  readonly directory: RunDirectory;
  readonly models: OpenedPolicy;
  readonly library: ClipLibrary;
  readonly setting: Setting;
  readonly judges: OpenedJudges;
  readonly samples: readonly Sample[];
  readonly clips: OpenClipSource<Sample>;
  readonly claims: ClaimSources;
  /** null: nothing is evaluated here. */
  readonly dev: DevRun | null;
  readonly cueReading: OpenedReading;
}

async function learn(given: Learning) {
  const { run, directory, models, library, setting, judges, samples, clips, claims, dev, cueReading } = given;
  const { config, progress, interrupt, world } = run;
  const { embedder, promptText, wording } = setting;
  const emotionScore = setting.emotion.score;
  using rollouts = world.rank === 0 ? servedRollouts(run, directory, models) : null;
  const served = config.rollouts === null ? {} : { rollouts: new RolloutsOverRanks(world, rollouts) };
  const task = {
    config,
    models,
    library,
    samples,
    clips,
    claims,
    embedder,
    emotionScore,
    judged: judges.terms,
    world,
    ...served,
    ...cueReading.task,
  };
  const learning = { directory, models, wording, title: "training", steps: config.steps };
  return await learnAndSave(run, learning, (stage) =>
    trainGrpo(
      { ...task, promptText },
      {
        directory: directory.path,
        interrupt,
        onStep: (step, metrics) => showStep(stage, step, metrics),
        onNotice: (line) => progress.log(`warning: ${line}`),
        ...(config.evalData === null ? {} : { evaluation: dev?.evaluation ?? evaluatedElsewhere }),
        onEvaluation: (numSteps, metrics) => progress.log(evaluationLine(numSteps, metrics)),
      },
    ),
  );
}

/** null: this process samples. */
function servedRollouts(
  { config, interrupt, progress, rolloutToken: token = null }: TrainRun,
  { path }: RunDirectory,
  models: OpenedPolicy,
): ServedRollouts | null {
  if (config.rollouts === null) return null;
  const { groupSize, temperature, maxNewTokens } = config;
  const limit = maxNewTokens ?? defaultsBySize(models.numParameters, config.trainable).maxNewTokens;
  const rules = { groupSize, temperature, maxNewTokens: limit };
  return new ServedRollouts(models, rules, {
    addresses: serverAddresses(config.rollouts),
    token,
    seconds: config.rolloutTimeout,
    directory: path,
    folder: config.rolloutFolder,
    concurrency: config.rolloutConcurrency,
    patienceSeconds: config.rolloutPatience,
    ahead: config.rolloutAhead,
    signal: interrupt.signal,
    onNotice: (line) => progress.log(`rollouts: ${line}`),
  });
}

function announce({ config, progress }: TrainRun, directory: RunDirectory, notes: readonly string[]): void {
  const done = latestCheckpoint(directory.checkpoints)?.step ?? 0;
  const start = done > 0 ? `, going on after step ${done} of ${config.steps}` : "";
  progress.log(`${config.preset} on ${config.data}, from ${config.model} into ${directory.path}${start}`);
  for (const note of notes) progress.log(note);
}

/** Whether delta fits the embedder. */
function deltaLines(embedder: string, { calibration, reward, perception }: RunConfig): string[] {
  const isCompared = perception.views !== "none" || reward.terms.some(({ name }) => name === "omni");
  if (!isCompared) return [];
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
    ["kl|alike", metrics["omni/kl_alike"]],
  ] as const;
  stage.update(
    step + 1,
    shown.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value.toFixed(3)}`])).join(" "),
  );
}
