// The one training loop. What learns brings an objective; the loop zeroes, updates, logs, keeps checkpoints, evaluates, stops when
// it is asked to, and goes on from where it stopped as if it had not been.
import { join } from "node:path";
import { AdamW, updateParameters } from "../nn/index.ts";
import type { Metrics, StepMetrics } from "../rl/metrics.ts";
import { latestCheckpoint, saveCheckpoint, tidyCheckpoints } from "../run/checkpoint.ts";
import type { Interrupt } from "../run/interrupt.ts";
import { openStepLog } from "../run/metrics.ts";
import { openSafetensors, scope, type Tensor, writeSafetensors } from "../tensor/index.ts";

/** What one step of an objective gives beside its gradient. */
export interface StepOutcome {
  readonly metrics: Metrics;
  /** Lines for the objective's own log, without the step. */
  readonly rows?: readonly Readonly<Record<string, unknown>>[];
}

export interface Objective {
  /**
   * Adds the gradient of a step to the parameters' `.grad`, which are clear. A function of the step alone, so that a resumed
   * run sees the same data and draws.
   */
  gradients(step: number): StepOutcome | Promise<StepOutcome>;
  /** Looks at the numbers of step 0 before they change a parameter. @throws what stops the run */
  readonly check?: (metrics: StepMetrics) => void;
}

export interface OptimizerOptions {
  readonly learningRate: number;
  readonly betas: readonly [number, number];
  readonly weightDecay: number;
  readonly maxGradNorm: number;
  /** Share of the learning rate at a step. */
  readonly schedule: (step: number) => number;
}

export interface Evaluation {
  /** After so many steps, and after the last one. */
  readonly every: number;
  readonly evaluate: (numSteps: number) => StepMetrics | Promise<StepMetrics>;
}

export interface StepRun {
  readonly steps: number;
  readonly objective: Objective;
  /** The parameters that learn, by checkpoint key. */
  readonly trainable: ReadonlyMap<string, Tensor>;
  /** float32, of those in half precision (`OpenedPolicy`): what is updated and kept in their place; left out, none. */
  readonly masters?: ReadonlyMap<string, Tensor>;
  readonly optimizer: OptimizerOptions;
  /** Holds metrics.jsonl, evaluation.jsonl, the objective's own log and checkpoints/. */
  readonly directory: string;
  /** File name of the objective's own log; left out, it has none. */
  readonly rowsFile?: string;
  readonly checkpointEvery: number;
  readonly interrupt: Interrupt;
  readonly evaluation?: Evaluation;
  readonly onStep?: (step: number, metrics: StepMetrics) => void;
}

/** Runs to the last step, from the newest checkpoint in the run's directory if there is one. */
export async function runSteps(run: StepRun): Promise<void> {
  const { optimizer: options, directory } = run;
  const trainable = [...run.trainable.values()];
  const kept = new Map([...run.trainable].map(([name, parameter]) => [name, run.masters?.get(name) ?? parameter]));
  using optimizer = new AdamW([{ parameters: trainable, masters: [...kept.values()] }], {
    lr: options.learningRate,
    betas: options.betas,
    weightDecay: options.weightDecay,
  });
  const checkpoints = join(directory, "checkpoints");
  tidyCheckpoints(checkpoints, { keepLast: 1 });
  const firstStep = restore(checkpoints, kept, optimizer);
  using log = openStepLog(join(directory, "metrics.jsonl"), firstStep);
  using rows = run.rowsFile === undefined ? null : openStepLog(join(directory, run.rowsFile), firstStep);
  // An evaluation is of the weights after a step, and belongs to it.
  using evaluations = run.evaluation === undefined ? null : openStepLog(join(directory, "evaluation.jsonl"), firstStep);
  const checkpoint = (step: number) =>
    saveCheckpoint(checkpoints, step, (folder) => save(folder, kept, optimizer), { keepLast: 1 });
  for (let step = firstStep; step < run.steps; step++) {
    try {
      await run.interrupt.safePoint();
    } catch (error) {
      if (step > firstStep) await checkpoint(step);
      throw error;
    }
    const start = performance.now();
    optimizer.zeroGrad();
    const outcome = await run.objective.gradients(step);
    if (step === 0) run.objective.check?.(outcome.metrics.values());
    const metrics = { ...update(optimizer, trainable, options, step, outcome.metrics), step_time: secondsSince(start) };
    log.append({ step, ...metrics });
    for (const row of outcome.rows ?? []) rows?.append({ step, ...row });
    run.onStep?.(step, metrics);
    const isLast = step + 1 === run.steps;
    if (run.evaluation !== undefined && ((step + 1) % run.evaluation.every === 0 || isLast)) {
      evaluations!.append({ step, ...(await run.evaluation.evaluate(step + 1)) });
    }
    if ((step + 1) % run.checkpointEvery === 0 || isLast) await checkpoint(step + 1);
  }
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

const policyFile = "policy.safetensors";
const optimizerFile = "optimizer.safetensors";

/** @param kept the parameters, or their masters */
function save(directory: string, kept: ReadonlyMap<string, Tensor>, optimizer: AdamW): void {
  writeSafetensors(join(directory, policyFile), kept);
  scope(() => writeSafetensors(join(directory, optimizerFile), optimizer.state()));
}

/** Loads the newest checkpoint into the parameters and the optimizer. @returns the step to go on with. */
function restore(folder: string, kept: ReadonlyMap<string, Tensor>, optimizer: AdamW): number {
  const checkpoint = latestCheckpoint(folder);
  if (checkpoint === null) return 0;
  scope(() => {
    using policy = openSafetensors(join(checkpoint.directory, policyFile));
    for (const [name, tensor] of kept) tensor.detach().copy_(policy.tensor(name));
    using state = openSafetensors(join(checkpoint.directory, optimizerFile));
    optimizer.loadState(new Map([...state.entries.keys()].map((name) => [name, state.tensor(name)])));
    optimizer.copyMasters();
  });
  return checkpoint.step;
}
