// The training loop with the objectives that are not the method's: stopped and resumed to the bit, evaluated when asked.
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import type { FittedSample } from "../../src/corpus/clips/fitted-samples.ts";
import { numStates, sceneOf, stateIndices } from "../../src/data/theatre/sample-scene.ts";
import { loadModel } from "../../src/models/registry.ts";
import { InterruptedError } from "../../src/run/interrupt.ts";
import { readStepLog } from "../../src/run/metrics.ts";
import { op, openSafetensors, scope, writeSafetensors } from "../../src/tensor/index.ts";
import { batchOf } from "../../src/train/batches.ts";
import { runSteps } from "../../src/train/run-steps.ts";
import { sftObjective } from "../../src/train/sft.ts";
import { type LabelledClip, StateClassifier, warmUpObjective } from "../../src/train/warm-up.ts";
import { fitAll, type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";
import { digestOf, examples, interruptAt, plainOptimizer, trainable, withoutTimes } from "../support/training-runs.ts";

let theatre: SmallTheatre;
let fitted: FittedSample[];

before(async () => {
  theatre = await smallTheatre(4);
  using model = await loadModel(theatre.freshModel(1));
  fitted = await fitAll(theatre, model);
});
after(() => theatre[Symbol.dispose]());

describe("runSteps", () => {
  const steps = 6;
  /** SFT or a tower's warm-up into a folder. @returns its log without times, and a digest of what learned. */
  async function learn(kind: "sft" | "warm-up", name: string, stopAt: number | null = null) {
    using model = await loadModel(theatre.freshModel(3));
    using library = new ClipLibrary(model);
    library.add(fitted);
    const labelled = fitted.map(({ sample, clip }): LabelledClip => {
      return {
        features: model.features({ ...clip, waveform: new Float32Array(0) }),
        states: stateIndices(sceneOf(sample), "video"),
      };
    });
    using classifier = new StateClassifier(model, "video", labelled[0]!.features, numStates.video, 5);
    const visual = new Map([...model.parameters()].filter(([key]) => key.startsWith("visual.")));
    for (const parameter of visual.values()) parameter.requiresGrad = kind === "warm-up";
    const all = kind === "sft" ? examples(model, library, fitted) : [];
    const learning =
      kind === "sft"
        ? { objective: sftObjective(model, (step) => batchOf(all, 2, 7, step)), trainable: trainable(model) }
        : {
            objective: warmUpObjective(classifier, (step) => batchOf(labelled, 2, 7, step)),
            trainable: new Map([...visual, ...classifier.parameters()]),
          };
    const directory = join(theatre.root, name);
    await runSteps({
      ...learning,
      steps,
      optimizer: { ...plainOptimizer, weightDecay: 0.01, learningRate: 1e-3, schedule: () => 1 },
      directory,
      checkpointEvery: 4,
      interrupt: interruptAt(stopAt),
      evaluation: { every: 4, evaluate: (numSteps) => ({ numSteps }) },
    });
    const evaluations = readStepLog(join(directory, "evaluation.jsonl"));
    return { log: withoutTimes(directory), evaluations, weights: digestOf(learning.trainable) };
  }

  for (const kind of ["sft", "warm-up"] as const) {
    test(`${kind} goes on from where it was stopped to the bit, and evaluates when it should`, async () => {
      const whole = await learn(kind, `${kind}-whole`);
      assert.equal(whole.log.length, steps);
      assert.deepEqual(
        whole.evaluations.map(({ step, numSteps }) => [step, numSteps]),
        [
          [3, 4],
          [5, 6],
        ],
      );
      await assert.rejects(learn(kind, `${kind}-stopped`, 3), InterruptedError);
      assert.deepEqual(await learn(kind, `${kind}-stopped`), whole);
      // negative control: what learns is what is compared
      assert.notEqual((await learn(kind, `${kind}-other`, null)).log[0]!.loss, whole.log[5]!.loss);
    });
  }

  test("a checkpoint whose moments are numbered, as once they were, goes on to the bit", async () => {
    const whole = await learn("sft", "numbered-whole");
    using model = await loadModel(theatre.freshModel(3));
    const learned = [...trainable(model).keys()];
    await assert.rejects(learn("sft", "numbered", 3), InterruptedError);
    const folder = join(theatre.root, "numbered/checkpoints/step-000003");
    scope(() => {
      using policy = openSafetensors(join(folder, "policy.safetensors"));
      using named = openSafetensors(join(folder, "optimizer.safetensors"));
      // In the order of the model's parameters.
      const names = learned.filter((name) => policy.entries.has(name));
      const kept = (key: string) => named.tensor(key).clone();
      const numbered = new Map([["step", op.stack(names.map((name) => kept(`step.${name}`)))]]);
      for (const [i, name] of names.entries()) {
        for (const kind of ["exp_avg", "exp_avg_sq"]) numbered.set(`${kind}.${i}`, kept(`${kind}.${name}`));
      }
      writeSafetensors(join(folder, "optimizer.safetensors"), numbered);
    });
    const manifest = join(folder, "checkpoint.json");
    const record = JSON.parse(readFileSync(manifest, "utf8"));
    record.files["optimizer.safetensors"] = statSync(join(folder, "optimizer.safetensors")).size;
    writeFileSync(manifest, JSON.stringify(record));
    assert.deepEqual(await learn("sft", "numbered"), whole);
  });
});
