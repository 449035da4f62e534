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

export interface Objective {
  /**
   * Adds the gradient of a step to the parameters' `.grad`, which are clear. A function of the step alone, so that a resumed
   * run sees the same data and draws.
   */
  gradients(step: number): StepOutcome | Promise<StepOutcome>;
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
 * @throws InterruptedError, OppoError ERR_DISK_FULL, and what the objective and the evaluation throw; the newest checkpoint stays
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
  const firstStep = restoreState(checkpoints, kept, optimizer);
  using logs = new RunLogs(run, firstStep);
  run.objective.remember?.(logs.lastRows());
  using evaluations = run.evaluation === undefined ? null : new Evaluations(directory, run.evaluation, kept, firstStep);
  const checkpoint = async (step: number) => {
    const write = (folder: string) => saveState(folder, kept, optimizer);
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
    const start = performance.now();
    optimizer.zeroGrad();
    const outcome = await run.objective.gradients(step);
    if (step === 0) run.objective.check?.(outcome.metrics.values());
    const metrics = { ...update(optimizer, trainable, options, step, outcome.metrics), step_time: secondsSince(start) };
    logs.step(step, metrics, outcome);
    await evaluate(step + 1);
    if ((step + 1) % run.checkpointEvery === 0 || step + 1 === run.steps) await checkpoint(step + 1);
  }
  return { best: evaluations?.best() ?? null };
}

function update(
  optimizer: AdamW,
  trainable: readonly Tensor[],
  { learningRate, schedule, maxGradNorm }: OptimizerOptions,
  step: number,
  measured: Metrics,
): StepMetrics {
  const start = performance.now();
  const lr = learningRate * schedule(step);
  const { gradNorm, isSkipped } = updateParameters(optimizer, trainable, lr, maxGradNorm);
  return {
    ...measured.values(),
    grad_norm: gradNorm,
    learning_rate: lr,
    "optim/skipped_steps": isSkipped ? 1 : 0,
    "timing_s/optim": secondsSince(start),
  };
}

/** Of `performance.now()`. */
function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
