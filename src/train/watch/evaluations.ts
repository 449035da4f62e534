// Evaluation in the course of training: when it is due, its log, and which of the evaluated weights were the best. An evaluation is
// of the weights after a step and a function of them alone, so a run that goes on has the evaluations of one that was not stopped.
import { join } from "node:path";
import { OppoError } from "../../error.ts";
import type { StepMetrics } from "../../rl/metrics.ts";
import { type Checkpoint, listCheckpoints, retainCheckpoints, saveCheckpoint } from "../../run/checkpoint.ts";
import { openStepLog, readStepLog, type StepLog, type StepRow } from "../../run/metrics.ts";
import { type Learning, saveWeights } from "./training-state.ts";

export interface BestBy {
  /** A number that an evaluation gives. */
  readonly measure: string;
  readonly better: "higher" | "lower";
}

export interface Evaluation {
  /** After so many steps, and after the last one. */
  readonly every: number;
  /** Whether the weights that a run starts with are evaluated too. Default: no. */
  readonly atStart?: boolean;
  readonly evaluate: (numSteps: number) => StepMetrics | Promise<StepMetrics>;
  /** Keeps the weights of the best evaluation; of equals the first. Left out: none are kept. */
  readonly bestBy?: BestBy;
}

/** The best evaluation of a run, with its weights. */
export interface BestWeights {
  readonly measure: string;
  readonly value: number;
  /** Its `step` is the number of updates behind the weights. */
  readonly checkpoint: Checkpoint;
}

interface Candidate {
  readonly numSteps: number;
  readonly value: number;
}

/** @param directory of the run */
export const bestFolder = (directory: string) => join(directory, "checkpoints", "best");

/** The log of a run's evaluations, and the keeper of its best weights. Owner of the log. */
export class Evaluations implements Disposable {
  readonly #directory: string;
  readonly #evaluation: Evaluation;
  readonly #learning: Learning;
  readonly #log: StepLog;
  readonly #done: Set<number>;
  #best: Candidate | null = null;

  /** @param firstStep the step that the run goes on with: what was evaluated later is forgotten */
  constructor(directory: string, evaluation: Evaluation, learning: Learning, firstStep: number) {
    this.#directory = directory;
    this.#evaluation = evaluation;
    this.#learning = learning;
    const file = join(directory, "evaluation.jsonl");
    // That of the start belongs to the step before the first.
    this.#log = openStepLog(file, firstStep === 0 ? -1 : firstStep);
    const rows = readStepLog(file);
    this.#done = new Set(rows.map(({ step }) => step + 1));
    for (const row of rows) this.#consider(row, row.step + 1);
    this.forgetOthers();
  }

  /** Whether the weights after so many updates are still to be evaluated. */
  isDue(numSteps: number, isLast: boolean): boolean {
    const { every, atStart = false } = this.#evaluation;
    if (this.#done.has(numSteps)) return false;
    return numSteps === 0 ? atStart : isLast || numSteps % every === 0;
  }

  /** Evaluates the weights as they are, writes it down, and keeps them if none were better. @throws OppoError ERR_EVAL_MEASURE */
  async run(numSteps: number): Promise<StepMetrics> {
    const metrics = await this.#evaluation.evaluate(numSteps);
    const isBest = this.#consider(metrics, numSteps);
    if (isBest) {
      const folder = bestFolder(this.#directory);
      // The one before stays until the next checkpoint: a run that goes on from before this step needs it.
      const keepLast = Number.POSITIVE_INFINITY;
      await saveCheckpoint(folder, numSteps, (into) => saveWeights(into, this.#learning), { keepLast });
    }
    this.#log.append({ step: numSteps - 1, ...metrics });
    this.#done.add(numSteps);
    return metrics;
  }

  /** To be called after a checkpoint of the run: its best weights need no other beside them. */
  forgetOthers(): void {
    retainCheckpoints(bestFolder(this.#directory), (step) => step === this.#best?.numSteps);
  }

  /** null: nothing was evaluated, or no measure decides. */
  best(): BestWeights | null {
    const { bestBy } = this.#evaluation;
    const best = this.#best;
    if (bestBy === undefined || best === null) return null;
    const checkpoint = listCheckpoints(bestFolder(this.#directory)).find(({ step }) => step === best.numSteps);
    return checkpoint === undefined ? null : { measure: bestBy.measure, value: best.value, checkpoint };
  }

  #consider(metrics: StepMetrics | StepRow, numSteps: number): boolean {
    const { bestBy } = this.#evaluation;
    if (bestBy === undefined) return false;
    const value = metrics[bestBy.measure];
    if (value === undefined) throw missingMeasure(bestBy.measure, metrics);
    // One that is not finite is null in a log.
    if (typeof value !== "number" || !Number.isFinite(value)) return false;
    const sign = bestBy.better === "higher" ? 1 : -1;
    if (this.#best !== null && sign * value <= sign * this.#best.value) return false;
    this.#best = { numSteps, value };
    return true;
  }

  [Symbol.dispose](): void {
    this.#log[Symbol.dispose]();
  }
}

function missingMeasure(measure: string, metrics: StepMetrics | StepRow): OppoError {
  const names = Object.keys(metrics).filter((name) => name !== "step");
  return new OppoError(
    "ERR_EVAL_MEASURE",
    `bestBy: expected a number of the evaluation, got "${measure}", which these samples do not give (they give ${names.join(", ")}). Choose one of them.`,
  );
}
