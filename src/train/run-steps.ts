// The one training loop. What learns brings an objective; the loop zeroes, updates, logs, keeps checkpoints, evaluates, stops when
// it is asked to, and goes on from where it stopped as if it had not been.
import { join } from "node:path";
import { AdamW, updateParameters } from "../nn/index.ts";
import type { Metrics, StepMetrics } from "../rl/metrics.ts";
import { saveCheckpoint, tidyCheckpoints } from "../run/checkpoint.ts";
import { type Interrupt, InterruptedError } from "../run/interrupt.ts";
import type { StepRow } from "../run/metrics.ts";
import type { Tensor } from "../tensor/index.ts";
import { type BestWeights, type Evaluation, Evaluations } from "./watch/evaluations.ts";
import { RunLogs, type RunRecord, type StepRows } from "./watch/run-logs.ts";
import { restoreState, saveState } from "./watch/training-state.ts";

/** What one step of an objective gives beside its gradient. */
export interface StepOutcome extends StepRows {
  readonly metrics: Metrics;
}

/** What the loop lends an objective for one step. */
export interface StepTurn {
  /**
   * Updates from the gradients so far and clears them, for an objective that learns from a step more than once; the last update of a
   * step is the loop's.
   * @param measured with these gradients
   */
  readonly update: (measured: Metrics) => void;
  /** What guards left of the weight of the perception loss. */
  readonly perceptionScale: number;
}

export interface Objective {
  /**
   * Adds the gradient of a step to the parameters' `.grad`, which are clear. A function of the step alone, so that a resumed
   * run sees the same data and draws.
   */
  gradients(step: number, turn: StepTurn): StepOutcome | Promise<StepOutcome>;
  /** Told after the last update of a step, before anything is kept of it. */
  readonly afterStep?: (step: number) => void;
  /** What changes beside the parameters that learn, by checkpoint key; kept with them. */
  readonly moving?: ReadonlyMap<string, Tensor>;
  /** Looks at the numbers of step 0 before they change a parameter. @throws what stops the run */
  readonly check?: (metrics: StepMetrics) => void;
  /** Told the last rows of its own log, where a run goes on: what it says of many steps must be what it would have said. */
  readonly remember?: (rows: readonly StepRow[]) => void;
}

export interface OptimizerOptions {
  readonly learningRate: number;
  readonly betas: readonly [number, number];
  readonly weightDecay: number;
  readonly maxGradNorm: number;
  /** Share of the learning rate at a step. */
  readonly schedule: (step: number) => number;
}

export interface StepRun extends RunRecord {
  readonly steps: number;
  readonly objective: Objective;
  /** The parameters that learn, by checkpoint key. */
  readonly trainable: ReadonlyMap<string, Tensor>;
  /** float32, of those in half precision (`OpenedPolicy`): what is updated and kept in their place; left out, none. */
  readonly masters?: ReadonlyMap<string, Tensor>;
  readonly optimizer: OptimizerOptions;
  readonly checkpointEvery: number;
  /** How many of the newest checkpoints stay. Default: one. */
  readonly keep?: number;
  readonly interrupt: Interrupt;
  readonly evaluation?: Evaluation;
}

export interface StepsDone {
  /** null: nothing was evaluated, or no measure decides. */
  readonly best: BestWeights | null;
}

/**
 * Runs to the last step, from the newest checkpoint in the run's directory if there is one.
 * @throws InterruptedError, OppoError ERR_DISK_FULL, ERR_COLLAPSE, and what the objective and the evaluation throw; the newest checkpoint stays
 */
export async function runSteps(run: StepRun): Promise<StepsDone> {
  const { optimizer: options, directory, keep = 1 } = run;
  const trainable = [...run.trainable.values()];
  const kept = new Map([...run.trainable].map(([name, parameter]) => [name, run.masters?.get(name) ?? parameter]));
  using optimizer = new AdamW([{ parameters: trainable, masters: [...kept.values()] }], {
    lr: options.learningRate,
    betas: options.betas,
    weightDecay: options.weightDecay,
  });
  const checkpoints = join(directory, "checkpoints");
  tidyCheckpoints(checkpoints, { keepLast: keep });
  const moving = run.objective.moving ?? null;
  const firstStep = restoreState(checkpoints, kept, optimizer, moving);
  using logs = new RunLogs(run, firstStep);
  run.objective.remember?.(logs.lastRows());
  if (logs.guards.collapse !== null) throw logs.guards.collapse;
  using evaluations = run.evaluation === undefined ? null : new Evaluations(directory, run.evaluation, kept, firstStep);
  const checkpoint = async (step: number) => {
    const write = (folder: string) => saveState(folder, kept, optimizer, moving);
    await saveCheckpoint(checkpoints, step, write, { keepLast: keep });
    evaluations?.forgetOthers();
  };
  /** Stopped on the way to the next checkpoint: what is done since the last one is kept. */
  const keptIfStopped = async <T>(step: number, work: () => Promise<T> | T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof InterruptedError && step > firstStep) await checkpoint(step);
      throw error;
    }
  };
  const evaluate = async (numSteps: number) => {
    if (evaluations === null || !evaluations.isDue(numSteps, numSteps === run.steps)) return;
    const metrics = await keptIfStopped(numSteps, () => evaluations.run(numSteps));
    logs.evaluated(numSteps, metrics);
  };
  // Of the start, or one that a stopped run still owes.
  await evaluate(firstStep);
  for (let step = firstStep; step < run.steps; step++) {
    await keptIfStopped(step, () => run.interrupt.safePoint());
    // Stopped while it waits, for completions or clips, a step has changed nothing yet.
    await keptIfStopped(step, () => takeStep(run, step, optimizer, trainable, logs));
    if (logs.guards.collapse !== null) {
      await checkpoint(step + 1);
      throw logs.guards.collapse;
    }
    await evaluate(step + 1);
    if ((step + 1) % run.checkpointEvery === 0 || step + 1 === run.steps) await checkpoint(step + 1);
  }
  return { best: evaluations?.best() ?? null };
}

/** A step's gradients and updates, and what is written of it. */
async function takeStep(
  { objective, optimizer: options }: StepRun,
  step: number,
  optimizer: AdamW,
  trainable: readonly Tensor[],
  logs: RunLogs,
): Promise<void> {
  const start = performance.now();
  optimizer.zeroGrad();
  const { perceptionScale, learningRateScale } = logs.guards;
  const updates = new StepUpdates(optimizer, trainable, options, step, learningRateScale);
  const check = (measured: Metrics) => {
    if (step === 0 && updates.isFirst) objective.check?.(measured.values());
  };
  const update = (measured: Metrics) => {
    check(measured);
    updates.between();
  };
  const outcome = await objective.gradients(step, { update, perceptionScale });
  check(outcome.metrics);
  updates.last();
  objective.afterStep?.(step);
  const numbers = { ...outcome.metrics.values(), ...updates.metrics(), ...logs.guards.metrics() };
  logs.step(step, { ...numbers, step_time: secondsSince(start) }, outcome);
}

/** The updates of one step: mostly one. */
class StepUpdates {
  readonly #optimizer: AdamW;
  readonly #trainable: readonly Tensor[];
  readonly #lr: number;
  readonly #maxGradNorm: number;
  readonly #gradNorms: number[] = [];
  #numSkipped = 0;
  #seconds = 0;

  constructor(
    optimizer: AdamW,
    trainable: readonly Tensor[],
    { learningRate, schedule, maxGradNorm }: OptimizerOptions,
    step: number,
    scale: number,
  ) {
    this.#optimizer = optimizer;
    this.#trainable = trainable;
    this.#lr = learningRate * schedule(step) * scale;
    this.#maxGradNorm = maxGradNorm;
  }

  /** Nothing was updated yet. */
  get isFirst(): boolean {
    return this.#gradNorms.length === 0;
  }

  between(): void {
    this.last();
    this.#optimizer.zeroGrad();
  }

  last(): void {
    const start = performance.now();
    const { gradNorm, isSkipped } = updateParameters(this.#optimizer, this.#trainable, this.#lr, this.#maxGradNorm);
    this.#gradNorms.push(gradNorm);
    if (isSkipped) this.#numSkipped++;
    this.#seconds += secondsSince(start);
  }

  /** The mean norm over the updates, and how many of them were skipped. */
  metrics(): StepMetrics {
    return {
      grad_norm: this.#gradNorms.reduce((sum, norm) => sum + norm, 0) / this.#gradNorms.length,
      learning_rate: this.#lr,
      "optim/skipped_steps": this.#numSkipped,
      "timing_s/optim": this.#seconds,
    };
  }
}

/** Of `performance.now()`. */
function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
