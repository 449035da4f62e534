// `oppo ablate`: a grid from nothing to its tables and page. Cells are made over a few processes, each once, whichever grid asks for
// it; one that fails costs itself. Choices look at the dev split, the test split is looked at once.
import { mkdirSync } from "node:fs";
import { OppoError } from "../../error.ts";
import { requireSpaceForRest } from "../../run/disk.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import { runPool } from "../../run/pool/pool.ts";
import { type GraphTask, runTaskGraph, type TaskOutcome } from "../../run/pool/task-graph.ts";
import type { Progress, Stage } from "../../run/progress.ts";
import { lockRun } from "../../run/run-lock.ts";
import { makeFreshPolicy } from "../../train/theatre/fresh-policy.ts";
import { type Cell, type Phase, Workshop } from "./cells.ts";
import { Estimate } from "./estimate.ts";
import { faithfulnessGrid } from "./faithfulness.ts";
import { freeGrid } from "./free-grid.ts";
import type { Grid } from "./grid.ts";
import { type OutputFiles, writeOutputs } from "./outputs.ts";
import { cellName, type PlannedGrid, type PlannedTask, planCells } from "./plan.ts";
import { chooseRow, failuresOf, type GridResults, phaseResults } from "./results.ts";
import { readRuns } from "./runs-by-row.ts";
import type { AblateConfig } from "./settings.ts";
import { figureGrid, type figureNames, tableGrid } from "./tables.ts";
import type { Spent, TaskPayload } from "./tasks.ts";

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
    const workshop = new Workshop(directory, config);
    const cells = workshop.cells(grid);
    const messages = new Map<string, string>();
    const measure = async (phase: Phase, own: readonly Cell[]) => {
      for (const [name, message] of await makeCells(run, workshop, grid, own, phase)) messages.set(name, message);
      return phaseResults(grid, readRuns(workshop, grid, own, phase), phase);
    };
    const all = await measure(grid.choice === null ? "test" : "dev", cells);
    const choice = grid.choice === null ? null : chooseRow(grid.columns, all);
    const chosen =
      choice === null
        ? null
        : {
            ...choice,
            test: await measure(
              "test",
              cells.filter(({ row }) => row.name === choice.row),
            ),
          };
    const seconds = (performance.now() - began) / 1000;
    const results = { grid, all, chosen, failures: failuresOf(cells, messages), seconds };
    return { results, files: writeOutputs(workshop, cells, results) };
  } finally {
    release();
  }
}

/** A cell's model and logs, with the clips and cold starts of a first grid. */
function bytesNeeded({ rows, numStarts, numSeeds }: Grid): number {
  return 1e9 + rows.length * numStarts * numSeeds * 1e7;
}

/** What a run would do, without doing it. Of a choice, the test of the chosen row comes on top. */
export function planAblate(directory: string, config: AblateConfig): PlannedGrid {
  const grid = chooseGrid(config);
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
  cells: readonly Cell[],
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

function whyMissing(name: string, outcome: Exclude<TaskOutcome, { kind: "done" }>): string {
  if (outcome.kind === "skipped") return `left out, for want of ${outcome.because}`;
  // The pool says whose failure it is, and so does whoever prints this.
  return `failed: ${outcome.error.message.replace(`${name}: `, "")}`;
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

/** Shares of tasks as one bar of seconds. */
class GridProgress {
  readonly #stage: Stage;
  readonly #weights: ReadonlyMap<string, number>;
  readonly #shares = new Map<string, { readonly share: number; readonly detail: string }>();

  constructor(stage: Stage, weights: ReadonlyMap<string, number>) {
    this.#stage = stage;
    this.#weights = weights;
  }

  update(name: string, share: number, detail = ""): void {
    this.#shares.set(name, { share, detail: `${name}: ${detail}` });
    let done = 0;
    for (const [other, { share: own }] of this.#shares) done += own * this.#weights.get(other)!;
    const active = [...this.#shares.values()].filter(({ share: own }) => own < 1).map(({ detail: own }) => own);
    this.#stage.update(Math.floor(done), active.join(" | "));
  }

  end(name: string): void {
    this.update(name, 1);
  }
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
