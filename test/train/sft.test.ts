// The cold start's loss does not depend on how it is cut: micro-batches of clips, chunks of tokens, layers computed again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import { loadModel } from "../../src/models/registry.ts";
import { numLiveTensors, scope } from "../../src/tensor/index.ts";
import { type SftExample, sftGradients } from "../../src/train/sft.ts";
import { fitAll, type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";
import { examples, trainable } from "../support/training-runs.ts";

/** Of the loss and of the joint norm of all gradients. */
const wholeTolerance = 1e-6;
/** Of the largest number of a gradient. */
const numberTolerance = 1e-5;
const mistake = 1e-3;

let theatre: SmallTheatre;
before(async () => {
  theatre = await smallTheatre(8);
});
after(() => theatre[Symbol.dispose]());

test("micro-batches of 1 and 3, chunks of 7 tokens and recomputation give the loss and gradient of all 8 clips at once", async () => {
  const before = numLiveTensors();
  {
    using model = await loadModel(theatre.freshModel(3));
    const fitted = await fitAll(theatre, model);
    using library = new ClipLibrary(model);
    library.add(fitted);
    const parameters = [...trainable(model)];
    const batch = examples(model, library, fitted);
    const run = (
      options: Partial<Parameters<typeof sftGradients>[2]>,
      some: readonly (readonly SftExample[])[] = batch,
    ) => {
      for (const [, parameter] of parameters) parameter.grad = null;
      const plain = { promptsPerMicroBatch: null, tokensPerChunk: null, recomputes: false };
      const loss = sftGradients(model, some, { ...plain, ...options });
      const gradients = scope(() => parameters.map(([, { grad }]) => grad!.toFloat32Array()));
      return { loss, gradients };
    };
    const whole = run({});
    const norm = ({ gradients }: typeof whole) => Math.hypot(...gradients.map((all) => Math.hypot(...all)));
    assert.equal(batch.length, 8);
    const ways = [
      { promptsPerMicroBatch: 1 },
      { promptsPerMicroBatch: 3 },
      { tokensPerChunk: 7 },
      { recomputes: true },
      { promptsPerMicroBatch: 1, tokensPerChunk: 5, recomputes: true },
    ];
    for (const way of ways) {
      const name = JSON.stringify(way);
      const got = run(way);
      assert.ok(Math.abs(got.loss / whole.loss - 1) < wholeTolerance, `${name}: ${got.loss} ${whole.loss}`);
      assert.ok(Math.abs(norm(got) / norm(whole) - 1) < wholeTolerance, `${name}: norm`);
      whole.gradients.forEach((values, i) => {
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        values.forEach((value, j) => {
          assert.ok(
            Math.abs(got.gradients[i]![j]! - value) <= numberTolerance * largest,
            `${name}: ${parameters[i]![0]}`,
          );
        });
      });
    }
    // negative control: one clip less is another loss
    assert.ok(Math.abs(run({ promptsPerMicroBatch: 1 }, batch.slice(1)).loss / whole.loss - 1) > mistake);
  }
  assert.equal(numLiveTensors(), before);
});
