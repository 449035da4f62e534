// `oppo sft`: supervised fine-tuning on any corpus, from a model directory to a model directory with the question that it was trained
// with. A run that was stopped goes on from its checkpoint.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { changeableClips } from "../../corpus/clips/clip-settings.ts";
import type { Conversation } from "../../data/conversations/conversation.ts";
import { requireModelDirectory } from "../../models/checkpoint/model-directory.ts";
import { latestCheckpoint } from "../../run/checkpoint.ts";
import { requireSpaceForRest } from "../../run/disk.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import { readStepLog } from "../../run/metrics.ts";
import type { Progress } from "../../run/progress.ts";
import { changeableSettings, type RunDirectory, type RunFacts } from "../../run/run-directory.ts";
import { readVersions } from "../../run/versions.ts";
import type { Place } from "../../run/world/address.ts";
import { torchVersion } from "../../tensor/index.ts";
import { sftRateBySize } from "../../train/by-size.ts";
import { learningOrder, type SftTask, trainSft } from "../../train/cold-start/cold-start.ts";
import { evaluationOrder } from "../../train/cold-start/sft-evaluation.ts";
import { type BestModel, lastModel } from "../../train/export.ts";
import { type DryRun, dryRunOf, requireMemory } from "../../train/memory/table.ts";
import { bytesOnDisk, type CopiesOnDisk, type OpenedPolicy, openPolicy } from "../../train/policy.ts";
import { learnAndSave } from "../../train/world/learn-and-save.ts";
import {
  asRank,
  openSharedRun,
  type RankRun,
  readingInterrupt,
  settingFacts,
  shardOf,
  versionFact,
  weightsFact,
  worldNotes,
} from "../../train/world/run-world.ts";
import { firstThenOthers, onFirst, requireSame } from "../../train/world/together.ts";
import { memoryOfSft } from "./memory.ts";
import { type OpenedRows, openRows } from "./open-rows.ts";
import { type Prepared, prepareRows } from "./prepare-rows.ts";
import type { SftRunConfig } from "./settings.ts";
import type { SftData } from "./sft-data.ts";
import { restName, writeRest } from "./split.ts";

export interface SftRun {
  readonly directory: string;
  readonly config: SftRunConfig;
  /** Begins also where memory seems too small; left out, it is refused. */
  readonly overcommits?: boolean;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
  /** Among the processes that train together; null or left out: there is one. */
  readonly place?: Place | null;
}

export interface SftResult {
  readonly run: string;
  /** The trained model, an adapter merged in, with the question that it was trained with. */
  readonly model: string;
  /** That of the least held-out loss; null: nothing was evaluated. */
  readonly best: BestModel | null;
  readonly steps: number;
  readonly numLearnt: number;
  readonly numHeldOut: number;
  /** Samples for reinforcement, in rest.jsonl; null: all were learnt from. */
  readonly numRest: number | null;
  /** Conversations left out: their clips cannot be read or lack what is asked for, or they are too long. */
  readonly numSkipped: number;
  /** Clips that were read, and gave less than their files state. */
  readonly numNoticedClips: number;
  /** Of the last step. */
  readonly metrics: Readonly<Record<string, unknown>>;
  /** Of the last evaluation; null without one. */
  readonly evaluation: Readonly<Record<string, unknown>> | null;
}

/** Logs and decoded clips of a small corpus; a large one says so when it gets there. */
const otherBytes = 2e7;

/** What a step of the run would take of memory. Nothing is loaded and nothing written. */
export async function dryRun(run: SftRun): Promise<DryRun> {
  const prepared = await prepareRows(run.config, run.progress.log);
  const memory = await memoryOfSft(run.config, prepared, run.place ?? null, run.interrupt.signal);
  return dryRunOf(memory, memory.assumptions);
}

export const runSft = (run: SftRun): Promise<SftResult> => asRank(run, learnIn);

async function learnIn(run: RankRun<SftRun>): Promise<SftResult> {
  const { config, progress, interrupt, world, device } = run;
  await requireSame(world, () => ({ version: versionFact(), ...settingFacts({ ...config, run: run.directory }) }));
  const prepared = await prepareRows(config, progress.log);
  const { data, evalData, split } = prepared;
  await requireSame(world, () => ({ rows: rowsFact(split.learnt) }));
  requireModelDirectory(config.model);
  const own = { ...config, device, ...shardOf(world, config) };
  if (run.overcommits !== true) requireMemory(await memoryOfSft(own, prepared, run.place ?? null, interrupt.signal));
  using models = await openPolicy({ ...own, isAlone: true });
  await requireSame(world, () => ({ weights: weightsFact(models) }));
  using directory = await openSharedRun(world, run.directory, () => factsOf(run, models));
  const numRest = await onFirst(world, "keeping of the rest", () => keepRest(directory, prepared, run));
  const notes = [...data.notes, ...splitNotes(prepared), ...rateNotes(models, config), ...worldNotes(world)];
  for (const note of [headline(run, directory), ...notes]) progress.log(note);
  const shared = { models, config, folder: directory.path, progress, interrupt, isWriter: world.rank === 0 };
  const order = learningOrder(split.learnt, config);
  using learnt = await firstThenOthers(world, "reading of clips", () =>
    openRows({ ...shared, interrupt: readingInterrupt(world, interrupt), data, order, prefix: "" }),
  );
  const evalOrder = evaluationOrder(split.heldOut, config.samplesPerStep);
  using heldOut =
    split.heldOut.length === 0 || world.rank !== 0
      ? null
      : await openRows({ ...shared, data: evalData, order: evalOrder, prefix: "held-out-" });
  const task: SftTask = {
    ...{ config, models, steps: order.steps, clips: learnt.rows, world, isEvaluated: split.heldOut.length > 0 },
    heldOut: heldOut === null ? null : { clips: heldOut.rows, numBatches: evalOrder.steps },
  };
  const best = await learn(run, directory, task, data.wording);
  const last = (file: string) => (world.rank === 0 ? readStepLog(file).at(-1) : undefined);
  return {
    run: directory.path,
    model: lastModel(directory.path).model,
    best,
    steps: order.steps,
    numLearnt: split.learnt.length,
    numHeldOut: split.heldOut.length,
    numRest,
    ...accountOf([learnt, heldOut]),
    metrics: last(directory.metricsFile) ?? {},
    evaluation: last(join(directory.path, "evaluation.jsonl")) ?? null,
  };
}

/** What `run.json` says of it, once there is room for what it writes. @throws OppoError ERR_DISK_FULL */
function factsOf({ directory, config }: SftRun, models: OpenedPolicy): RunFacts {
  requireSpaceForRest(directory, bytesOnDisk(models, onDisk(config)) + otherBytes, "the run");
  return {
    kind: "sft",
    config,
    mayChange: changeableSettings(directory, config, alwaysChangeable, []),
    versions: readVersions(torchVersion()),
    seeds: [config.seed],
    device: config.device,
  };
}

/** Of what is learnt. */
function rowsFact(rows: readonly Conversation[]): string {
  return createHash("sha256").update(JSON.stringify(rows)).digest("hex").slice(0, 16);
}

/** What decides nothing of what is learnt. */
const alwaysChangeable = ["checkpointEvery", "keep", "tensorboard", "shardOptimizer", ...changeableClips];

function accountOf(opened: readonly (OpenedRows | null)[]): Pick<SftResult, "numSkipped" | "numNoticedClips"> {
  const sum = (of: (one: OpenedRows) => number) =>
    opened.reduce((total, one) => total + (one === null ? 0 : of(one)), 0);
  return {
    numSkipped: sum(({ rows, clips }) => rows.skipped.length + clips.account().skipped.length),
    numNoticedClips: sum(({ clips }) => clips.account().noticed.length),
  };
}

/** The samples for reinforcement as a file beside the run's logs. @returns their number; null where there are none */
async function keepRest(
  directory: RunDirectory,
  { data, split }: Prepared,
  { config }: SftRun,
): Promise<number | null> {
  if (config.samples === null || data.samples === null) return null;
  const heldOut = config.evalData === null ? split.heldOut : [];
  return writeRest(directory.path, { ...data, samples: data.samples }, { ...split, heldOut });
}

function headline({ config, progress: _, ...run }: SftRun, directory: RunDirectory): string {
  const done = latestCheckpoint(directory.checkpoints)?.step ?? 0;
  const start = done > 0 ? `, going on after step ${done}` : "";
  return `${config.preset} on ${config.data}, from ${config.model} into ${run.directory}${start}`;
}

function splitNotes({ data, evalData, split }: Prepared): string[] {
  const { learnt, heldOut, rest } = split;
  const measured =
    heldOut.length === 0 ? "nothing is evaluated on" : `evaluated on ${heldOut.length} of ${evalData.file}`;
  const kept =
    rest.length === 0
      ? ""
      : data.samples === null
        ? `; ${rest.length} others are left out`
        : `; the others are in ${restName}, for reinforcement`;
  return [`learnt from ${learnt.length} of ${data.conversations.length}; ${measured}${kept}`];
}

function rateNotes({ numParameters, masters, recomputes }: OpenedPolicy, config: SftRunConfig): string[] {
  const chosen = [
    ...(config.learningRate === null ? [`learning rate ${sftRateBySize(numParameters, config.trainable)}`] : []),
    ...(recomputes ? ["layers computed again on the way back"] : []),
    ...(masters.size > 0 ? ["half precision with float32 masters"] : []),
  ];
  return chosen.length === 0
    ? []
    : [`for ${(numParameters / 1e6).toFixed(1)} million parameters: ${chosen.join("; ")}`];
}

function learn(
  run: RankRun<SftRun>,
  directory: RunDirectory,
  task: SftTask,
  wording: SftData["wording"],
): Promise<BestModel | null> {
  const { progress, interrupt } = run;
  const learning = { directory, models: task.models, wording, title: "learning", steps: task.steps };
  return learnAndSave(run, learning, (stage) =>
    trainSft(task, {
      directory: directory.path,
      interrupt,
      onStep: (step, { loss }) => stage.update(step + 1, `loss ${loss!.toFixed(3)}`),
      onEvaluation: (numSteps, { loss }) => progress.log(`after ${numSteps} steps: held-out loss ${loss!.toFixed(3)}`),
      onNotice: (line) => progress.log(`warning: ${line}`),
    }),
  );
}

/** How many models and checkpoints lie there at once. */
function onDisk({ keep, evalData, evalSamples }: SftRunConfig): CopiesOnDisk {
  const isEvaluated = evalData !== null || evalSamples !== null;
  return { models: isEvaluated ? 2 : 1, checkpoints: keep + 1, weights: isEvaluated ? 2 : 0 };
}
