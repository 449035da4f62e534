// Makes the cells of a grid on a corpus of one's own, over a few processes: each is what a person would type, oppo train and oppo mep
// run, so that a run that was stopped goes on and everything can be looked at with the other commands.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { readCorpus } from "../../../corpus/clips/read-corpus.ts";
import { contentOf, refuseOverlap } from "../../../corpus/overlap.ts";
import { fieldMapOf } from "../../../corpus/settings.ts";
import { OppoError } from "../../../error.ts";
import { replaceFile } from "../../../run/checkpoint.ts";
import type { Interrupt } from "../../../run/interrupt.ts";
import { type PoolTask, runPool } from "../../../run/pool/pool.ts";
import { type GraphTask, runTaskGraph } from "../../../run/pool/task-graph.ts";
import type { Progress } from "../../../run/progress.ts";
import { keyOf, type Phase } from "../cells.ts";
import type { Evaluation, Grid } from "../grid.ts";
import { GridProgress, whyMissing } from "../grid-progress.ts";
import { cellName, type PlannedGrid } from "../plan.ts";
import { type CorpusCell, type CorpusShelf, type CorpusStart, corpusCode } from "./corpus-shelf.ts";
import type { CorpusTask } from "./measure-corpus.ts";
import { readingSettings } from "./shared.ts";

export interface CorpusMaking {
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

/** Commands of one task, one after another, each unless what it makes is there. */
interface CellTask {
  readonly name: string;
  readonly needs: readonly string[];
  readonly commands: readonly Command[];
}

interface Command extends Pick<PoolTask, "args" | "payload"> {
  readonly isDone: () => boolean;
  /** Before it begins. */
  readonly onStart?: () => void;
  /** Once it is through. */
  readonly onDone?: () => void;
}

/** @returns why cells are missing, by their names @throws OppoError ERR_OVERLAP, ERR_ABLATE_CODE */
export async function makeCorpusCells(
  { progress, interrupt }: CorpusMaking,
  shelf: CorpusShelf,
  grid: Grid,
  cells: readonly CorpusCell[],
  phase: Phase,
): Promise<Map<string, string>> {
  const tasks = plannedTasks(shelf, cells, grid.evaluation, phase);
  const messages = new Map<string, string>();
  if (tasks.length === 0) return messages;
  await requireApart(shelf, phase, progress);
  const stage = progress.stage(`${grid.name}, tasks`, tasks.length);
  const shares = new GridProgress(stage, new Map(tasks.map(({ name }) => [name, 1])));
  const graph = tasks.map((task): GraphTask => {
    return { name: task.name, needs: task.needs, run: (signal) => runCommands(task, shelf, progress, shares, signal) };
  });
  const outcomes = await runTaskGraph(graph, {
    numAtOnce: shelf.config.processes,
    signal: interrupt.signal,
    onEnd: ({ name }, outcome) => {
      shares.end(name);
      if (outcome.kind !== "done") progress.log(`${name}: ${whyMissing(name, outcome)}`);
    },
  });
  stage.finish("");
  for (const cell of cells) {
    const name = cellName(cell);
    const outcome = outcomes.get(name);
    if (outcome !== undefined && outcome.kind !== "done") messages.set(name, whyMissing(name, outcome));
  }
  return messages;
}

/** What a run would do. */
export function planCorpusCells(shelf: CorpusShelf, grid: Grid): PlannedGrid {
  const phase = grid.choice === null ? "test" : "dev";
  const cells = shelf.cells(grid);
  const tasks = plannedTasks(shelf, cells, grid.evaluation, phase);
  return {
    grid,
    tasks: tasks.map(({ name }) => ({ name, seconds: null })),
    numCells: cells.length,
    numMade: cells.filter((cell) => shelf.isMade(cell, grid.evaluation, phase)).length,
    ...{ seconds: null, isMeasured: false },
  };
}

/** What is learnt from must not be measured on. */
async function requireApart(shelf: CorpusShelf, phase: Phase, progress: Progress): Promise<void> {
  const { maxSkippedRows, fields } = readingSettings(shelf.shared.all);
  const read = async (file: string) => {
    return contentOf(file, await readCorpus(file, maxSkippedRows, progress.log, fieldMapOf(fields)));
  };
  await refuseOverlap(await read(shelf.data), await read(shelf.measuredOn(phase)));
}

async function runCommands(
  { name, commands }: CellTask,
  shelf: CorpusShelf,
  progress: Progress,
  shares: GridProgress,
  signal: AbortSignal,
): Promise<void> {
  for (const [i, { args, payload, isDone, onStart, onDone }] of commands.entries()) {
    if (isDone()) continue;
    requireSameCode(shelf);
    onStart?.();
    await runPool([{ name, args, payload }], {
      numProcesses: 1,
      signal,
      // A command's own report is in its folder.
      onLine: (_, line) => {
        if (line.startsWith("warning")) progress.log(`${name}: ${line}`);
      },
      // Its stages count one after another; how long each is, nobody knows.
      onProgress: (_, { done, total, detail }) =>
        shares.update(name, i / commands.length, detail ?? `${Math.floor(done)} of ${total}`),
    });
    onDone?.();
  }
}

function requireSameCode({ code }: CorpusShelf): void {
  if (keyOf(corpusCode()) === keyOf(code)) return;
  throw new OppoError(
    "ERR_ABLATE_CODE",
    "oppo ablate: expected the code that the grid began with, got another build of it. Run the same command again; what is there is kept.",
  );
}

const setName = (phase: Phase) => `set of the ${phase} samples`;
const observerName = ({ kind }: CorpusStart) => `observer of ${kind}`;

function plannedTasks(
  shelf: CorpusShelf,
  cells: readonly CorpusCell[],
  evaluation: Evaluation,
  phase: Phase,
): CellTask[] {
  // Rows that come to the same configuration are one cell.
  const distinct = new Map(cells.map((cell) => [cell.training?.key ?? cell.start.key, cell]));
  const missing = [...distinct.values()].filter((cell) => !shelf.isMade(cell, evaluation, phase));
  if (missing.length === 0) return [];
  const starts = new Map(missing.map(({ start }) => [start.key, start]));
  const tasks = [
    ...(evaluation.suite ? [setTask(shelf, phase)] : []),
    ...(evaluation.conditions.length > 0 ? [...starts.values()].map((start) => observerTask(shelf, start)) : []),
    ...missing.map((cell) => cellTask(shelf, cell, evaluation, phase)),
  ];
  return tasks.filter(({ commands }) => commands.some(({ isDone }) => !isDone()));
}

function setTask(shelf: CorpusShelf, phase: Phase): CellTask {
  const folder = shelf.setFolder(phase);
  const args = ["mep", "build", "--data", shelf.measuredOn(phase), "--out", folder];
  const isDone = () => existsSync(join(folder, "mep.json"));
  const shared = sharedFile(shelf, "build", shelf.shared.build);
  const command = { args: [...args, ...shared.args], isDone, onStart: shared.write };
  return { name: setName(phase), needs: [], commands: [command] };
}

function observerTask(shelf: CorpusShelf, start: CorpusStart): CellTask {
  const mark = join(
    shelf.observers,
    `done-${keyOf([start.key, shelf.shared.all, shelf.code.conditions, shelf.config.seed])}`,
  );
  const command = {
    ...{ args: ["ablate"], payload: corpusTask(shelf, start.model, null) },
    isDone: () => existsSync(mark),
    onDone: () => replaceFile(mark, ""),
  };
  return { name: observerName(start), needs: [], commands: [command] };
}

function corpusTask(shelf: CorpusShelf, model: string, measured: CorpusTask["measured"]): CorpusTask {
  const { data, observers, shared, config } = shelf;
  return { kind: "corpus", model, data, observers, shared, seed: config.seed, measured };
}

function cellTask(shelf: CorpusShelf, cell: CorpusCell, evaluation: Evaluation, phase: Phase): CellTask {
  const { suite, conditions } = evaluation;
  const commands: Command[] = [];
  if (cell.training !== null) commands.push(trainCommand(shelf, cell));
  if (suite) {
    const folder = shelf.suiteFolder(cell, phase);
    const args = ["mep", "run", shelf.setFolder(phase), "--model", shelf.modelOf(cell), "--out", folder];
    const shared = sharedFile(shelf, "measure", shelf.shared.measure);
    commands.push({
      args: [...args, ...shared.args],
      onStart: shared.write,
      isDone: () => existsSync(join(folder, "results.json")),
    });
  }
  if (conditions.length > 0) {
    const file = shelf.conditionsFile(cell, evaluation, phase);
    const measured = { samples: shelf.measuredOn(phase), conditions, file };
    commands.push({
      ...{ args: ["ablate"], payload: corpusTask(shelf, shelf.modelOf(cell), measured) },
      isDone: () => existsSync(file),
    });
  }
  const needs = [...(suite ? [setName(phase)] : []), ...(conditions.length > 0 ? [observerName(cell.start)] : [])];
  return { name: cellName(cell), needs, commands };
}

function trainCommand(shelf: CorpusShelf, { row, start, training }: CorpusCell): Command {
  const folder = shelf.trainingFolder(training!);
  const { training: settings, train } = shelf.shared;
  const shared = sharedFile(shelf, "train", train);
  const given = [...settings, ...row.overrides, `seed=${training!.config.seed}`];
  return {
    args: [
      ...["train", "--run", folder, "--preset", row.preset!, "--model", start.model, "--data", shelf.data],
      ...shared.args,
      ...given.flatMap((setting) => ["--set", setting]),
    ],
    onStart: shared.write,
    isDone: () => shelf.isTrained({ row, start, training }),
    onDone: () => {
      // The moments of hundreds of cells would fill a disk; what was learnt is in the model.
      rmSync(join(folder, "checkpoints"), { recursive: true, force: true });
      replaceFile(shelf.trainingMark(training!), "");
    },
  };
}

interface SharedFile {
  readonly args: readonly string[];
  readonly write: () => void;
}

/** Nothing where nothing is shared. */
function sharedFile(shelf: CorpusShelf, name: string, values: object): SharedFile {
  if (Object.keys(values).length === 0) return { args: [], write: () => undefined };
  const file = join(shelf.root, "shared", `${name}-${keyOf(values)}.json`);
  const write = () => {
    mkdirSync(dirname(file), { recursive: true });
    replaceFile(file, `${JSON.stringify(values, null, 1)}\n`);
  };
  return { args: ["--config", file], write };
}
