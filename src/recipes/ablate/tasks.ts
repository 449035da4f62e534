// The tasks of a grid as a child process runs them. What each makes is whole or not there.
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Measures } from "../../bench/measure.ts";
import { theatreKind } from "../../corpus/theatre-kind.ts";
import { OppoError } from "../../error.ts";
import type { Modality } from "../../media/clip.ts";
import { loadModel } from "../../models/registry.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import type { DeepReadonly } from "../../run/config.ts";
import type { TrainConfig } from "../../train/config.ts";
import { coldStart } from "../../train/theatre/cold-start.ts";
import { measureConditions } from "../../train/theatre/conditions.ts";
import type { TaskContext } from "../../train/theatre/context.ts";
import { type HeldOut, measureSuite, openUnderTest, respondentOf } from "../../train/theatre/measure.ts";
import { theatreObserver } from "../../train/theatre/observer.ts";
import { renderShard, type Shard } from "../../train/theatre/splits.ts";
import { trainArm } from "../../train/theatre/train-arm.ts";
import { warmTower } from "../../train/theatre/warm-tower.ts";
import { type MakerCode, makerCode, Workshop } from "./cells.ts";
import type { Evaluation } from "./grid.ts";
import type { AblateConfig } from "./settings.ts";
import type { StartKind } from "./start-kinds.ts";

export type CellTask =
  | ({ readonly kind: "clips" } & Shard)
  | { readonly kind: "tower"; readonly modality: Modality }
  | { readonly kind: "start" }
  | { readonly kind: "observer" }
  | {
      readonly kind: "training";
      readonly folder: string;
      readonly config: DeepReadonly<TrainConfig>;
      readonly title: string;
    }
  | {
      readonly kind: "measure";
      readonly model: string;
      readonly evaluation: Evaluation;
      readonly splits: HeldOut;
      readonly file: string;
    };

/** What the parent sends: steps that one process does one after another, each unless what it makes is there. */
export interface TaskPayload {
  readonly tasks: readonly CellTask[];
  readonly root: string;
  readonly config: AblateConfig;
  /** As the parent read it. */
  readonly code: MakerCode;
  readonly start: { readonly kind: StartKind; readonly index: number };
}

/** Seconds by kind of what was done. */
export type Spent = Partial<Record<CellTask["kind"], number>>;

/** The file of a measured model. */
export interface Measured {
  /** What every clip gave to every score. */
  readonly measures: Measures;
}

export async function runTasks(
  { tasks, root, config, code, start }: TaskPayload,
  shared: Pick<TaskContext, "interrupt" | "progress">,
): Promise<Spent> {
  requireSameCode(code);
  const workshop = new Workshop(root, config, code);
  const made = workshop.start(start.kind, start.index);
  const spent: Spent = {};
  for (const [i, task] of tasks.entries()) {
    if (isDone(task, workshop.paths(made))) continue;
    const began = performance.now();
    await runTask(task, {
      interrupt: shared.interrupt,
      paths: workshop.paths(made),
      // Clips are every cold start's.
      config: task.kind === "clips" ? workshop.theatre("mixed", 0) : made.theatre,
      progress: ({ done, total, ...rest }) =>
        shared.progress({ done: i + done / Math.max(1, total), total: tasks.length, ...rest }),
    });
    spent[task.kind] = (spent[task.kind] ?? 0) + (performance.now() - began) / 1000;
  }
  return spent;
}

/** A build that is made while a grid runs would put its results under the names of the one before. */
function requireSameCode({ program }: MakerCode): void {
  if (makerCode().program === program) return;
  throw new OppoError(
    "ERR_ABLATE_CODE",
    "oppo ablate: expected the code that the grid began with, got another build of it. Run the same command again; what is there is kept.",
  );
}

/** Whether what the task makes is there, whole. */
export function isDone(task: CellTask, paths: TaskContext["paths"]): boolean {
  if (task.kind === "clips") {
    return existsSync(join(paths.corpus(task.split), `fitted-${task.index}-of-${task.count}.safetensors`));
  }
  if (task.kind === "tower") return existsSync(paths.towerAccuracy(task.modality));
  if (task.kind === "start") return existsSync(join(paths.sft, "config.json"));
  if (task.kind === "observer") return existsSync(observerMark(paths));
  if (task.kind === "training") return existsSync(join(task.folder, "done"));
  return existsSync(task.file);
}

const observerMark = (paths: TaskContext["paths"]) => join(paths.learning("observer"), "done");

async function runTask(task: CellTask, context: TaskContext): Promise<void> {
  if (task.kind === "clips") {
    using policy = await loadModel(context.paths.fresh);
    await renderShard(context, task, policy);
  } else if (task.kind === "tower") await warmTower(context, task.modality);
  else if (task.kind === "start") await coldStart(context);
  else if (task.kind === "observer") {
    using model = await loadModel(context.paths.sft);
    const observer = await theatreObserver(context, model, await theatreKind.bank(theatreKind.embedder()));
    observer[Symbol.dispose]();
    replaceFile(observerMark(context.paths), "");
  } else if (task.kind === "training") {
    const { folder, config, title } = task;
    await trainArm(context, { config, directory: folder, title });
    // The moments of hundreds of cells would fill a disk; what was learnt is in the model.
    await rm(join(folder, "checkpoints"), { recursive: true, force: true });
    replaceFile(join(folder, "done"), "");
  } else await measure(context, task);
}

async function measure(
  context: TaskContext,
  { model, evaluation, splits, file }: Extract<CellTask, { kind: "measure" }>,
): Promise<void> {
  const { suite, conditions, clipsPerCondition } = evaluation;
  using tested = await openUnderTest(context, model, splits);
  const numParts = (suite ? 1 : 0) + (conditions.length > 0 ? 1 : 0);
  const part = (index: number): TaskContext => ({
    ...context,
    progress: ({ done, total, ...rest }) =>
      context.progress({ done: index + done / Math.max(1, total), total: numParts, ...rest }),
  });
  const standard = suite ? (await measureSuite(tested, respondentOf(part(0), tested, "cell"))).measures : {};
  const some = { ...tested, congruent: tested.congruent.slice(0, clipsPerCondition) };
  const others = await measureConditions(part(numParts - 1), some, conditions);
  await mkdir(dirname(file), { recursive: true });
  const measured: Measured = { measures: { ...standard, ...others } };
  replaceFile(file, `${JSON.stringify(measured)}\n`);
}
