// Evaluations of a run: when they are due, which weights are kept as the best, and that a run which was stopped anywhere (also in
// the middle of an evaluation) has the log, the weights and the events of one that was not.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Metrics } from "../../../src/rl/metrics.ts";
import { listCheckpoints } from "../../../src/run/checkpoint.ts";
import { InterruptedError } from "../../../src/run/interrupt.ts";
import { readStepLog } from "../../../src/run/metrics.ts";
import { keep, scope, tensor } from "../../../src/tensor/index.ts";
import { runSteps, type StepRun } from "../../../src/train/run-steps.ts";
import { bestFolder, type Evaluation } from "../../../src/train/watch/evaluations.ts";
import { loadWeights } from "../../../src/train/watch/training-state.ts";
import { sharedFolder } from "../../support/temporary-folder.ts";
import { interruptAt, plainOptimizer } from "../../support/training-runs.ts";

const root = sharedFolder();
const steps = 10;
/** After so many updates: which evaluation is best. */
const scores: Readonly<Record<number, number>> = { 0: 0.1, 3: 0.5, 6: 0.7, 9: 0.7, 10: 0.2 };

interface Options {
  readonly stopAt?: number;
  /** Interrupts within the evaluation after so many updates. */
  readonly stopInEvaluation?: number;
  readonly evaluation?: Partial<Evaluation>;
  readonly run?: Partial<StepRun>;
}

/** One number learns to be 1; its evaluations are scripted, and say what it was. */
async function learn(name: string, options: Options = {}) {
  using weight = scope(() => keep(tensor(Float32Array.of(0), [1])));
  weight.requiresGrad = true;
  const trainable = new Map([["weight", weight]]);
  const directory = join(root, name);
  const value = () => scope(() => weight.detach().item());
  const done = await runSteps({
    steps,
    trainable,
    objective: {
      gradients: (step) => {
        scope(() => weight.sub(1).pow(2).sum().backward());
        const metrics = new Metrics();
        metrics.sum("step_again", step);
        return { metrics, notices: [{ name: "planted", line: `at ${step}` }] };
      },
    },
    optimizer: { ...plainOptimizer, learningRate: 0.05, schedule: () => 1 },
    directory,
    checkpointEvery: 4,
    keep: 2,
    interrupt: interruptAt(options.stopAt ?? null),
    evaluation: {
      every: 3,
      atStart: true,
      bestBy: { measure: "score", better: "higher" },
      evaluate: (numSteps) => {
        if (numSteps === options.stopInEvaluation) throw new InterruptedError();
        return { score: scores[numSteps]!, weight: value() };
      },
      ...options.evaluation,
    },
    ...options.run,
  });
  const rows = readStepLog(join(directory, "evaluation.jsonl"));
  const best = done.best === null ? null : { ...done.best, checkpoint: done.best.checkpoint.step };
  if (done.best !== null) loadWeights(done.best.checkpoint, trainable);
  const kept = (folder: string) => listCheckpoints(folder).map(({ step }) => step);
  return {
    rows,
    best,
    bestWeight: value(),
    kept: kept(join(directory, "checkpoints")),
    bests: kept(bestFolder(directory)),
    warnings: readStepLog(join(directory, "warnings.jsonl")),
  };
}

describe("evaluations", () => {
  test("come at the start, every few steps and at the end; of equals the first is the best", async () => {
    const { rows, best, bestWeight, kept, bests, warnings } = await learn("whole");
    assert.deepEqual(
      rows.map(({ step, score }) => [step, score]),
      [
        [-1, 0.1],
        [2, 0.5],
        [5, 0.7],
        [8, 0.7],
        [9, 0.2],
      ],
    );
    assert.deepEqual(best, { measure: "score", value: 0.7, checkpoint: 6 });
    assert.equal(bestWeight, rows[2]!.weight);
    assert.notEqual(bestWeight, rows[3]!.weight);
    assert.deepEqual([kept, bests], [[8, 10], [6]]);
    assert.deepEqual(warnings, [{ step: 0, name: "planted", line: "at 0" }]);
  });

  for (const stopAt of [1, 4, 5, 7, 9]) {
    test(`a run stopped before step ${stopAt} and gone on with is the same`, async () => {
      const whole = await learn(`whole-${stopAt}`);
      await assert.rejects(learn(`stopped-${stopAt}`, { stopAt }), InterruptedError);
      // A checkpoint more: that of the stop.
      assert.deepEqual({ ...(await learn(`stopped-${stopAt}`)), kept: [] }, { ...whole, kept: [] });
    });
  }

  for (const stopInEvaluation of [0, 3, 6, 10]) {
    test(`so is one that was stopped in the evaluation after ${stopInEvaluation} steps`, async () => {
      const whole = await learn(`whole-in-${stopInEvaluation}`);
      const name = `stopped-in-${stopInEvaluation}`;
      await assert.rejects(learn(name, { stopInEvaluation }), InterruptedError);
      const newest = listCheckpoints(join(root, name, "checkpoints")).at(-1)?.step ?? 0;
      assert.equal(newest, stopInEvaluation, "nothing that was learned is lost");
      assert.deepEqual({ ...(await learn(name)), kept: [] }, { ...whole, kept: [] });
    });
  }

  test("a process that ends after a better evaluation leaves the best of its last checkpoint", async () => {
    const checkpointEvery = 5;
    const whole = await learn("whole-killed", { run: { checkpointEvery } });
    const gone = new Error("gone");
    const onStep = (step: number) => {
      if (step === 7) throw gone;
    };
    await assert.rejects(learn("killed", { run: { checkpointEvery, onStep } }), gone);
    // The checkpoint of step 5 has the best of step 3, and that of step 6 came after it.
    const bests = () => listCheckpoints(bestFolder(join(root, "killed"))).map(({ step }) => step);
    assert.deepEqual(bests(), [3, 6]);
    const stillThere: number[][] = [];
    const evaluate = (numSteps: number) => {
      stillThere.push(bests());
      return { score: scores[numSteps]!, weight: 0 };
    };
    await assert.rejects(learn("killed", { run: { checkpointEvery, onStep }, evaluation: { evaluate } }), gone);
    assert.deepEqual(stillThere, [[3]], "as it was at the checkpoint");
    assert.deepEqual(await learn("killed", { run: { checkpointEvery } }), whole);
  });

  test("lower may be better, and without a measure nothing is kept", async () => {
    const low = await learn("low", { evaluation: { bestBy: { measure: "score", better: "lower" } } });
    assert.deepEqual([low.best?.value, low.bests], [0.1, [0]]);
    const { best, bests } = await learn("none", { evaluation: { bestBy: undefined as never } });
    assert.deepEqual([best, bests], [null, []]);
  });

  test("a measure that the samples do not give is named, with those that they give", async () => {
    await assert.rejects(learn("missing", { evaluation: { bestBy: { measure: "accAudio", better: "higher" } } }), {
      code: "ERR_EVAL_MEASURE",
      message: /got "accAudio".*they give score, weight/,
    });
  });

  test("events of TensorBoard have every step once, also when the run was stopped", async () => {
    const eventsOf = (name: string) => {
      const bytes = readFileSync(join(root, name, "tensorboard/events.out.tfevents.0000000000.oppo"), "latin1");
      return [bytes.split("step_again").length - 1, bytes.split("eval/score").length - 1];
    };
    await learn("events", { run: { tensorboard: true } });
    await assert.rejects(learn("events-stopped", { stopAt: 7, run: { tensorboard: true } }), InterruptedError);
    await learn("events-stopped", { run: { tensorboard: true } });
    assert.deepEqual(eventsOf("events"), [10, 5]);
    assert.deepEqual(eventsOf("events-stopped"), [10, 5]);
    assert.equal(existsSync(join(root, "whole/tensorboard")), false);
  });
});
