// What of a grid is missing, as tasks that need one another: clips, towers, cold starts, then a process per cell that trains and
// measures it.
import { type SplitName, shardsOf } from "../../train/theatre/splits.ts";
import { type Cell, heldOut, type Phase, type RowStart, type Start, type TheatreCell, type Workshop } from "./cells.ts";
import type { Evaluation, Grid } from "./grid.ts";
import { type CellTask, isDone } from "./tasks.ts";

/** What a run would do. Of a choice, the test of the chosen row comes on top. */
export interface PlannedGrid {
  readonly grid: Grid;
  /** Seconds; null: nobody knows. */
  readonly tasks: readonly { readonly name: string; readonly seconds: number | null }[];
  readonly numCells: number;
  readonly numMade: number;
  /** With as many processes as asked; null: nobody knows. */
  readonly seconds: number | null;
  /** Whether the estimate rests on this folder's own times. */
  readonly isMeasured: boolean;
}

/** One process. */
export interface PlannedTask {
  readonly name: string;
  readonly needs: readonly string[];
  readonly start: Start;
  readonly tasks: readonly CellTask[];
}

/** @returns the missing tasks, what others wait for longest first */
export function planCells(
  workshop: Workshop,
  cells: readonly TheatreCell[],
  evaluation: Evaluation,
  phase: Phase,
): PlannedTask[] {
  // Rows that come to the same configuration are one cell.
  const distinct = new Map(cells.map((cell) => [cell.training?.key ?? cell.start.key, cell]));
  const missing = [...distinct.values()].filter((cell) => !isMade(workshop, cell, evaluation, phase));
  const first = missing[0]?.start;
  if (first === undefined) return [];
  const planned = new Map<string, PlannedTask>();
  const add = (task: PlannedTask): void => {
    const left = task.tasks.filter((one) => !isDone(one, workshop.paths(task.start)));
    if (left.length > 0 && !planned.has(task.name)) planned.set(task.name, { ...task, tasks: left });
  };
  const starts = missing.flatMap(({ start }) => (isDone({ kind: "start" }, workshop.paths(start)) ? [] : [start]));
  const trains = missing.some((cell) =>
    stepsOf(workshop, cell, evaluation, phase).some(
      (task) => task.kind === "training" && !isDone(task, workshop.paths(cell.start)),
    ),
  );
  const { congruent, conflict } = heldOut[phase];
  const isMeasured = evaluation.suite || evaluation.conditions.length > 0;
  const needsWarmup = starts.length > 0 || missing.some((cell) => asksObserver(cell, evaluation));
  const splits: SplitName[] = [
    ...(needsWarmup ? (["warmup", "warmupDev", "sft"] as const) : []),
    ...(trains ? (["rl"] as const) : []),
    ...(isMeasured ? [congruent, conflict] : []),
  ];
  const clips = splits.flatMap((split) =>
    shardsOf(first.theatre, split).map((shard): PlannedTask => {
      const name = clipsName(split, shard.index);
      return { name, needs: [], start: first, tasks: [{ kind: "clips", ...shard }] };
    }),
  );
  const early = needsWarmup ? 3 * first.theatre.shards : 0;
  for (const task of clips.slice(0, early)) add(task);
  for (const start of starts) for (const task of startTasks(start)) add(task);
  for (const task of clips.slice(early)) add(task);
  const observing = missing.filter((cell) => asksObserver(cell, evaluation)).map(({ start }) => start);
  for (const start of observing) add(observerTask(start));
  for (const cell of missing) add(cellTask(workshop, cell, evaluation, phase));
  return [...planned.values()];
}

/** Whether everything that a grid wants of a cell is there. */
export function isMade(workshop: Workshop, cell: TheatreCell, evaluation: Evaluation, phase: Phase): boolean {
  return stepsOf(workshop, cell, evaluation, phase).every((task) => isDone(task, workshop.paths(cell.start)));
}

const clipsName = (split: SplitName, index: number) => `clips ${split} ${index + 1}`;
const clipsOf = (theatre: Start["theatre"], splits: readonly SplitName[]) =>
  splits.flatMap((split) => shardsOf(theatre, split).map(({ index }) => clipsName(split, index)));
const startName = ({ kind, index }: RowStart) => `cold start ${kind} ${index + 1}`;

function startTasks(start: Start): PlannedTask[] {
  const towers = (["video", "audio"] as const).map((modality): PlannedTask => {
    const needs = clipsOf(start.theatre, ["warmup", "warmupDev"]);
    return { name: `${modality} tower ${start.index + 1}`, needs, start, tasks: [{ kind: "tower", modality }] };
  });
  const needs = [...towers.map(({ name }) => name), ...clipsOf(start.theatre, ["sft"])];
  return [...towers, { name: startName(start), needs, start, tasks: [{ kind: "start" }] }];
}

function observerTask(start: Start): PlannedTask {
  const needs = [startName(start), ...clipsOf(start.theatre, ["warmup", "warmupDev"])];
  return { name: `observer ${start.index + 1}`, needs, start, tasks: [{ kind: "observer" }] };
}

function asksObserver({ training }: Cell, { conditions }: Evaluation): boolean {
  return conditions.length > 0 || training?.config.perception.support === "observer";
}

/** Example: "oppo, cold start mixed 1, seed 2" */
export function cellName({ row, start, training }: Cell): string {
  return `${row.name}, ${startName(start)}${training === null ? "" : `, seed ${training.seed + 1}`}`;
}

function stepsOf(workshop: Workshop, cell: TheatreCell, evaluation: Evaluation, phase: Phase): CellTask[] {
  const { training } = cell;
  const steps: CellTask[] = [];
  if (training !== null) {
    const { config } = training;
    steps.push({ kind: "training", folder: workshop.trainingFolder(training), config, title: cellName(cell) });
  }
  if (evaluation.suite || evaluation.conditions.length > 0) {
    const file = workshop.measuredFile(cell, evaluation, phase);
    steps.push({ kind: "measure", model: workshop.modelOf(cell), evaluation, splits: heldOut[phase], file });
  }
  return steps;
}

function cellTask(workshop: Workshop, cell: TheatreCell, evaluation: Evaluation, phase: Phase): PlannedTask {
  const { congruent, conflict } = heldOut[phase];
  const needs = [
    startName(cell.start),
    ...clipsOf(cell.start.theatre, ["rl", congruent, conflict]),
    ...(asksObserver(cell, evaluation) ? [observerTask(cell.start).name] : []),
  ];
  return { name: cellName(cell), needs, start: cell.start, tasks: stepsOf(workshop, cell, evaluation, phase) };
}
