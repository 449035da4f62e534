// Where a run starts: from another run's model, one of its checkpoints, or further on in itself with more steps than it began with.
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { wordingOf } from "../../corpus/wording.ts";
import { OppoError } from "../../error.ts";
import { latestCheckpoint, listCheckpoints, openCheckpoint } from "../../run/checkpoint.ts";
import { type DeepReadonly, readConfigFile, resolveConfig } from "../../run/config.ts";
import { kindOfRun } from "../../run/run-directory.ts";
import { temporaryBeside } from "../../temporary-files.ts";
import { type TrainConfig, trainSchema } from "../../train/config.ts";
import { exportModel } from "../../train/export.ts";
import { schedules } from "../../train/grpo.ts";
import { openPolicy } from "../../train/policy.ts";
import { loadWeights } from "../../train/watch/training-state.ts";

export interface Start {
  /** As it was given. */
  readonly run: string;
  /** A model's folder, or a checkpoint's. */
  readonly model: string;
  /** What its config.yaml says, of a run of this program; of another one nothing is taken over. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** @param from RUN, RUN/best, RUN/model or RUN/checkpoints/step-N @throws OppoError ERR_FROM_RUN */
export function startOf(from: string): Start {
  const part = partOf(from);
  const kind = kindOfRun(part.run);
  if (kind !== "train" && kind !== "sft") {
    throw notARun(from, existsSync(from) ? "another folder" : "no such folder");
  }
  const { values } = readConfigFile(join(part.run, "config.yaml"));
  return { run: from, model: part.model ?? modelOf(from, values.steps), settings: kind === "train" ? values : {} };
}

function partOf(from: string): { readonly run: string; readonly model: string | null } {
  const parent = dirname(resolve(from));
  const name = basename(resolve(from));
  if (/^step-\d+$/.test(name)) return { run: dirname(parent), model: openCheckpoint(from).directory };
  if (name === "best" && basename(parent) === "checkpoints") return { run: dirname(parent), model: newestIn(from) };
  if (["best", "model"].includes(name) && existsSync(join(parent, "config.yaml"))) return { run: parent, model: from };
  return { run: from, model: null };
}

function newestIn(folder: string): string {
  const newest = listCheckpoints(folder).at(-1);
  if (newest === undefined) throw notARun(folder, "no checkpoint");
  return newest.directory;
}

/** Its model; of a run that is not at its end the newest checkpoint. */
function modelOf(run: string, steps: unknown): string {
  const model = join(run, "model");
  const newest = latestCheckpoint(join(run, "checkpoints"));
  const isDone = newest === null || newest.step === steps;
  if (existsSync(model) && isDone) return model;
  if (newest === null) throw notARun(run, "one without a model or a checkpoint");
  return newest.directory;
}

function notARun(from: string, got: string): OppoError {
  return new OppoError(
    "ERR_FROM_RUN",
    `--from ${from}: expected the folder of an oppo train or oppo sft run, its best/ or one of its checkpoints, got ${got}. Check the path, or give --model.`,
  );
}

const isCheckpoint = (folder: string) => existsSync(join(folder, "checkpoint.json"));

/**
 * The folder of the model to load. A checkpoint, which holds only what learned, is made a model first: that of its run, with its
 * weights. @param run the folder of the new run @throws CheckpointError, OppoError ERR_DISK_FULL
 */
export async function startModel(model: string, run: string): Promise<string> {
  if (!isCheckpoint(model)) return model;
  const start = join(run, "start");
  if (existsSync(start)) return start;
  const directory = runAbove(model);
  const { values } = readConfigFile(join(directory, "config.yaml"));
  const known = Object.keys(trainSchema.shape).filter((name) => name in values);
  const settings = resolveConfig(trainSchema, {
    preset: Object.fromEntries(known.map((name) => [name, values[name]])),
  });
  const base = await startModel(String(values.model), directory);
  using models = await openPolicy({ ...settings, model: base });
  loadWeights(openCheckpoint(model), models.trainable);
  // Appears in one piece: whoever was stopped on the way begins anew.
  const temporary = temporaryBeside(start);
  mkdirSync(temporary, { recursive: true });
  const asked = wordingOf([base]);
  exportModel(models, asked.file === null ? null : asked.wording, {
    model: temporary,
    adapter: join(temporary, "adapter"),
  });
  renameSync(temporary, start);
  return start;
}

/** RUN of RUN/checkpoints/step-N and RUN/checkpoints/best/step-N. */
function runAbove(checkpoint: string): string {
  let folder = dirname(resolve(checkpoint));
  while (basename(folder) !== "checkpoints" && dirname(folder) !== folder) folder = dirname(folder);
  return dirname(folder);
}

const stepsDone = (directory: string) => latestCheckpoint(join(directory, "checkpoints"))?.step ?? 0;

/** @throws OppoError ERR_RUN_DIFFERS where a run has done more than it is asked for */
export function requireStepsAhead(directory: string, steps: number): void {
  const done = stepsDone(directory);
  if (steps >= done) return;
  throw new OppoError(
    "ERR_RUN_DIFFERS",
    `${directory}: expected at least the ${done} steps that this run has done, got steps ${steps}. Raise steps, or start another run with --from.`,
  );
}

type LearningRateSettings = DeepReadonly<Pick<TrainConfig, "steps" | "schedule" | "warmupSteps" | "learningRateFloor">>;

/** What another number of steps means for a run that goes on: its learning rate follows the new one from here. A line, or none. */
export function changedSteps(directory: string, config: LearningRateSettings): string[] {
  const done = stepsDone(directory);
  const file = join(directory, "config.yaml");
  const before = existsSync(file) ? readConfigFile(file).values.steps : undefined;
  if (done === 0 || typeof before !== "number" || before === config.steps) return [];
  const { steps, schedule, warmupSteps: warmup, learningRateFloor: floor } = config;
  const share = (step: number, total: number) => schedules[schedule](step, { total, warmup, floor }).toFixed(2);
  return [
    `steps: ${steps}, where the run began with ${before}. The learning rate falls towards the new end: at step ${done} it is ${share(done, steps)} of learningRate, where it was ${share(done - 1, before)} the step before; a run of ${steps} steps from the start would not give the same weights`,
  ];
}
