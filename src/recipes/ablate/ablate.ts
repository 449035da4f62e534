// `oppo ablate`: a grid from nothing to its tables and page. Cells are made over a few processes, each once, whichever grid asks for
// it; one that fails costs itself. Choices look at the dev split, the test split is looked at once.
import { mkdirSync, readFileSync } from "node:fs";
import { OppoError } from "../../error.ts";
import { requireSpaceForRest } from "../../run/disk.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import { runPool } from "../../run/pool/pool.ts";
import { type GraphTask, runTaskGraph } from "../../run/pool/task-graph.ts";
import type { Progress } from "../../run/progress.ts";
import { lockRun } from "../../run/run-lock.ts";
import { makeFreshPolicy } from "../../train/theatre/fresh-policy.ts";
import { type Cell, type Phase, type Shelf, type TheatreCell, Workshop } from "./cells.ts";
import { makeCorpusCells, planCorpusCells } from "./corpus/corpus-cells.ts";
import { CorpusShelf } from "./corpus/corpus-shelf.ts";
import { Estimate } from "./estimate.ts";
import { faithfulnessGrid } from "./faithfulness.ts";
import { freeGrid } from "./free-grid.ts";
import type { Grid } from "./grid.ts";
import { GridProgress, whyMissing } from "./grid-progress.ts";
import { type OutputFiles, writeOutputs } from "./outputs.ts";
import { cellName, isMade, type PlannedGrid, type PlannedTask, planCells } from "./plan.ts";
import { chooseRow, failuresOf, type GridResults, phaseResults } from "./results.ts";
import { readRuns } from "./runs-by-row.ts";
import type { AblateConfig } from "./settings.ts";
import { figureGrid, type figureNames, tableGrid } from "./tables.ts";
import type { Measured, Spent, TaskPayload } from "./tasks.ts";

export interface AblateRun {
  readonly directory: string;
  readonly config: AblateConfig;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

export interface AblateResult {
  readonly results: GridResults;
  readonly files: OutputFiles;
}

export function chooseGrid(config: AblateConfig): Grid {
  const { table, figure, experiment } = config;
  if (table !== null) return tableGrid(table);
  if (figure !== null) return figureGrid(figure as (typeof figureNames)[number]);
  return experiment !== null ? faithfulnessGrid(config) : freeGrid(config);
}

export async function runAblate(run: AblateRun): Promise<AblateResult> {
  const { directory, config } = run;
  const grid = chooseGrid(config);
  mkdirSync(directory, { recursive: true });
  requireSpaceForRest(directory, bytesNeeded(grid), "the grid");
  const release = lockRun(directory);
  try {
    const began = performance.now();
    const { shelf, cells, make } = config.data === null ? theatreMaker(run, grid) : corpusMaker(run, grid);
    const messages = new Map<string, string>();
    const measure = async (phase: Phase, wanted: (cell: Cell) => boolean) => {
      for (const [name, message] of await make(wanted, phase)) messages.set(name, message);
      return phaseResults(grid, readRuns(shelf, grid, cells.filter(wanted), phase), phase);
    };
    const all = await measure(grid.choice === null ? "test" : "dev", () => true);
    const choice = grid.choice === null ? null : chooseRow(grid.columns, all);
    const chosen =
      choice === null
        ? null
        : {
            ...choice,
            test: await measure("test", ({ row }) => row.name === choice.row),
          };
    const seconds = (performance.now() - began) / 1000;
    const results = { grid, all, chosen, failures: failuresOf(cells, messages), seconds };
    return { results, files: writeOutputs(shelf, cells, results) };
  } finally {
    release();
  }
}

interface Maker {
  readonly shelf: Shelf;
  readonly cells: readonly Cell[];
  /** @returns why cells are missing, by their names */
  make(wanted: (cell: Cell) => boolean, phase: Phase): Promise<ReadonlyMap<string, string>>;
}

function theatreMaker(run: AblateRun, grid: Grid): Maker {
  const workshop = new Workshop(run.directory, run.config);
  const cells = workshop.cells(grid);
  return {
    shelf: theatreShelf(workshop),
    cells,
    make: (wanted, phase) => makeCells(run, workshop, grid, cells.filter(wanted), phase),
  };
}

/** The theatre's cells as the outputs read them: they are all a workshop's. */
function theatreShelf(workshop: Workshop): Shelf {
  const { root, config, code } = workshop;
  return {
    ...{ root, config, code },
    trainingFolder: (training) => workshop.trainingFolder(training),
    isMade: (cell, ...asked) => isMade(workshop, cell as TheatreCell, ...asked),
    measuresOf: (cell, ...asked) => {
      const file = workshop.measuredFile(cell, ...asked);
      return (JSON.parse(readFileSync(file, "utf8")) as Measured).measures;
    },
  };
}

function corpusMaker(run: AblateRun, grid: Grid): Maker {
  const shelf = new CorpusShelf(run.directory, run.config);
  for (const phase of ["dev", "test"] as const) if (phase === "test" || grid.choice !== null) shelf.measuredOn(phase);
  const cells = shelf.cells(grid);
  return {
    ...{ shelf, cells },
    make: (wanted, phase) => makeCorpusCells(run, shelf, grid, cells.filter(wanted), phase),
  };
}

/** A cell's model and logs, with the clips and cold starts of a first grid. */
function bytesNeeded({ rows, numStarts, numSeeds }: Grid): number {
  return 1e9 + rows.length * numStarts * numSeeds * 1e7;
}

/** What a run would do, without doing it. Of a choice, the test of the chosen row comes on top. */
export function planAblate(directory: string, config: AblateConfig): PlannedGrid {
  const grid = chooseGrid(config);
  if (config.data !== null) return planCorpusCells(new CorpusShelf(directory, config), grid);
  const workshop = new Workshop(directory, config);
  const cells = workshop.cells(grid);
  const planned = planCells(workshop, cells, grid.evaluation, grid.choice === null ? "test" : "dev");
  const estimate = new Estimate(directory);
  const tasks = planned.map(({ name, tasks: own, start }) => ({ name, seconds: estimate.seconds(own, start.theatre) }));
  const numLeft = new Set(planned.map(({ name }) => name));
  return {
    grid,
    tasks,
    numCells: cells.length,
    numMade: cells.filter((cell) => !numLeft.has(cellName(cell))).length,
    seconds: tasks.reduce((sum, { seconds }) => sum + seconds, 0) / config.processes,
    isMeasured: estimate.isMeasured,
  };
}

/** @returns why cells are missing, by their names */
async function makeCells(
  run: AblateRun,
  workshop: Workshop,
  grid: Grid,
  cells: readonly TheatreCell[],
  phase: Phase,
): Promise<Map<string, string>> {
  const planned = planCells(workshop, cells, grid.evaluation, phase);
  const messages = new Map<string, string>();
  if (planned.length === 0) return messages;
  for (const { start } of planned) await makeFreshPolicy(workshop.paths(start).fresh, start.theatre.seed);
  const estimate = new Estimate(workshop.root);
  const weights = new Map(planned.map((task) => [task.name, estimate.seconds(task.tasks, task.start.theatre)]));
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const stage = run.progress.stage(`${grid.name}, seconds of work`, Math.ceil(total));
  const shares = new GridProgress(stage, weights);
  const tasks = planned.map((task) => graphTask(run, workshop, task, shares));
  const outcomes = await runTaskGraph(tasks, {
    numAtOnce: run.config.processes,
    signal: run.interrupt.signal,
    onEnd: ({ name }, outcome) => {
      shares.end(name);
      const task = planned.find((one) => one.name === name)!;
      if (outcome.kind === "done") estimate.add(task.tasks, task.start.theatre, outcome.value as Spent);
      else run.progress.log(`${name}: ${whyMissing(name, outcome)}`);
    },
  });
  stage.finish("");
  for (const cell of cells) {
    const outcome = outcomes.get(cellName(cell));
    if (outcome !== undefined && outcome.kind !== "done")
      messages.set(cellName(cell), whyMissing(cellName(cell), outcome));
  }
  return messages;
}

function graphTask({ progress }: AblateRun, workshop: Workshop, task: PlannedTask, shares: GridProgress): GraphTask {
  const { kind, index } = task.start;
  const { root, config, code } = workshop;
  const payload: TaskPayload = { tasks: task.tasks, root, config, code, start: { kind, index } };
  return {
    name: task.name,
    needs: task.needs,
    run: async (signal) => {
      const child = { name: task.name, args: ["ablate"], payload };
      const [spent] = await runPool([child], {
        numProcesses: 1,
        signal,
        onLine: (_, line) => progress.log(`${task.name}: ${line}`),
        onProgress: (_, { done, total, detail }) => shares.update(task.name, done / total, detail),
      });
      return spent;
    },
  };
}

/** @throws OppoError ERR_ABLATE_CELLS where cells are missing */
export function requireComplete({ grid, failures }: GridResults): void {
  if (failures.length === 0) return;
  throw new OppoError(
    "ERR_ABLATE_CELLS",
    `${grid.name}: expected every cell to be made, got ${failures.length} that failed: ${failures
      .slice(0, 3)
      .map(({ cell, message }) => `${cell} (${message})`)
      .join(
        "; ",
      )}${failures.length > 3 ? "; ..." : ""}. Run the same command again: what is there is kept, and these are tried once more.`,
  );
}
