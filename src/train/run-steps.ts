// The one training loop. What learns brings an objective; the loop zeroes, updates, logs, keeps checkpoints, evaluates, stops when
// it is asked to, and goes on from where it stopped as if it had not been.
import { join } from "node:path";
import { type Learner, shardedLearner, wholeLearner } from "../nn/index.ts";
import type { Metrics, StepMetrics } from "../rl/metrics.ts";
import { tidyCheckpoints } from "../run/checkpoint.ts";
import { type Interrupt, InterruptedError } from "../run/interrupt.ts";
import { readStepLog, type StepRow } from "../run/metrics.ts";
import { alone, type Tensor, type World } from "../tensor/index.ts";
import { type BestWeights, type Evaluation, Evaluations } from "./watch/evaluations.ts";
import { Guards } from "./watch/guards.ts";
import { RunLogs, type RunRecord, type StepRows } from "./watch/run-logs.ts";
import { restoreState, saveState } from "./watch/training-state.ts";
import { checkpointTogether } from "./world/checkpoint-together.ts";
import { onFirst, requireSame, StoppedTogether, safePointOf } from "./world/together.ts";

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
  /** The processes that make the steps together, whose gradients are summed; left out: one. */
  readonly world?: World;
  /** Whether every process keeps a part of masters and moments (ZeRO-2); masters are those of its pieces then. Default: no. */
  readonly isSharded?: boolean;
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
  const { directory, keep = 1, world = alone } = run;
  using learner = openLearner(run, world);
  const checkpoints = join(directory, "checkpoints");
  await onFirst(world, "opening of checkpoints", () => tidyCheckpoints(checkpoints, { keepLast: keep }));
  const moving = run.objective.moving ?? null;
  const firstStep = restoreState(checkpoints, learner, [...run.trainable.keys()], moving);
  await requireSame(world, () => ({ "step to go on with": String(firstStep) }));
  using watch = world.rank === 0 ? new RunWatch(run, weightsOf(run, learner), firstStep) : null;
  const guards = watch?.logs.guards ?? followedGuards(run, firstStep);
  if (guards.collapse !== null) throw guards.collapse;
  const checkpoint = async (step: number) => {
    const where = { folder: checkpoints, step, keepLast: keep, isInParts: learner.isSharded };
    await checkpointTogether(world, where, (folder) => saveState(folder, learner, world, moving));
    watch?.evaluations?.forgetOthers();
  };
  /** Stopped on the way to the next checkpoint: what is done since the last one is kept. */
  const keptIfStopped = async <T>(step: number, work: () => Promise<T> | T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const isOfAll = error instanceof (world.size === 1 ? InterruptedError : StoppedTogether);
      if (isOfAll && step > firstStep) await checkpoint(step);
      throw error;
    }
  };
  const evaluate = async (numSteps: number) => {
    if (run.evaluation === undefined) return;
    await keptIfStopped(numSteps, () => onFirst(world, "evaluation", async () => await watch?.evaluate(numSteps)));
  };
  // Of the start, or one that a stopped run still owes.
  await evaluate(firstStep);
  for (let step = firstStep; step < run.steps; step++) {
    await keptIfStopped(step, () => safePointOf(world, run.interrupt));
    // Stopped while it waits, for completions or clips, a step has changed nothing yet.
    const { numbers, outcome } = await keptIfStopped(step, () => takeStep(run, step, learner, guards));
    if (watch === null) guards.look(numbers);
    else watch.logs.step(step, numbers, outcome);
    if (guards.collapse !== null) {
      await checkpoint(step + 1);
      throw guards.collapse;
    }
    await evaluate(step + 1);
    if ((step + 1) % run.checkpointEvery === 0 || step + 1 === run.steps) await checkpoint(step + 1);
  }
  return { best: watch?.evaluations?.best() ?? null };
}

function openLearner({ trainable, masters = new Map(), optimizer, isSharded }: StepRun, world: World): Learner {
  const { learningRate: lr, betas, weightDecay } = optimizer;
  const options = { parameters: trainable, masters, optimizer: { lr, betas, weightDecay }, world };
  return isSharded && world.size > 1 ? shardedLearner(options) : wholeLearner(options);
}

/** What the best of a run is kept as: masters where they are whole, else the numbers that are computed with. */
function weightsOf({ trainable }: StepRun, { slots, isSharded }: Learner): ReadonlyMap<string, Tensor> {
  return isSharded ? trainable : new Map(slots.map(({ key, master }) => [key, master]));
}

/** Guards that have seen what rank 0's have: what they say is the same on every rank. */
function followedGuards({ directory, guards: options }: StepRun, firstStep: number): Guards {
  const guards = new Guards(options);
  const file = join(directory, "metrics.jsonl");
  const rows = firstStep === 0 ? [] : readStepLog(file);
  for (const numbers of rows) if (numbers.step < firstStep) guards.look(numbers);
  return guards;
}

/** What a run writes about itself: one process does. Owner of the logs. */
class RunWatch implements Disposable {
  readonly logs: RunLogs;
  readonly evaluations: Evaluations | null;
  readonly #steps: number;

  constructor(run: StepRun, kept: ReadonlyMap<string, Tensor>, firstStep: number) {
    this.#steps = run.steps;
    this.logs = new RunLogs(run, firstStep);
    run.objective.remember?.(this.logs.lastRows());
    this.evaluations =
      run.evaluation === undefined ? null : new Evaluations(run.directory, run.evaluation, kept, firstStep);
  }

  async evaluate(numSteps: number): Promise<void> {
    if (!this.evaluations?.isDue(numSteps, numSteps === this.#steps)) return;
    this.logs.evaluated(numSteps, await this.evaluations.run(numSteps));
  }

  [Symbol.dispose](): void {
    this.evaluations?.[Symbol.dispose]();
    this.logs[Symbol.dispose]();
  }
}

/** A step's gradients and updates. @returns what is to be written of it */
async function takeStep(
  { objective, optimizer: options }: StepRun,
  step: number,
  learner: Learner,
  guards: Guards,
): Promise<{ readonly numbers: StepMetrics; readonly outcome: StepOutcome }> {
  const start = performance.now();
  learner.zeroGrad();
  const { perceptionScale, learningRateScale } = guards;
  const updates = new StepUpdates(learner, options, step, learningRateScale);
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
  const numbers = { ...outcome.metrics.values(), ...updates.metrics(), ...guards.metrics() };
  return { numbers: { ...numbers, step_time: secondsSince(start) }, outcome };
}

/** The updates of one step: mostly one. */
class StepUpdates {
  readonly #learner: Learner;
  readonly #lr: number;
  readonly #maxGradNorm: number;
  readonly #gradNorms: number[] = [];
  #numSkipped = 0;
  #seconds = 0;

  constructor(
    learner: Learner,
    { learningRate, schedule, maxGradNorm }: OptimizerOptions,
    step: number,
    scale: number,
  ) {
    this.#learner = learner;
    this.#lr = learningRate * schedule(step) * scale;
    this.#maxGradNorm = maxGradNorm;
  }

  /** Nothing was updated yet. */
  get isFirst(): boolean {
    return this.#gradNorms.length === 0;
  }

  between(): void {
    this.last();
    this.#learner.zeroGrad();
  }

  last(): void {
    const start = performance.now();
    const { gradNorm, isSkipped } = this.#learner.update(this.#lr, this.#maxGradNorm);
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
