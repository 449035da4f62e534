// Estimates of memory against libtorch's bytes, counted: what always stands to the byte, the peak of a step within a tenth, over
// what learns, types, recomputation and micro-batches.
import assert from "node:assert/strict";
import { test } from "node:test";
import { noCounterfactuals } from "../../../src/train/memory/counterfactuals.ts";
import { estimateMemory } from "../../../src/train/memory/estimate.ts";
import { gradientBytes } from "../../../src/train/memory/standing.ts";
import { slowInBfloat16 } from "../../support/bfloat16-speed.ts";
import { type CountedStep, countStep, type StepChoices } from "../../support/counted-step.ts";

const tolerance = 0.1;
const usual: StepChoices = {
  ...{ trainable: "decoder", dtype: "float32", recompute: false },
  ...{ prompts: 4, promptsPerMicroBatch: null, newTokens: 64, views: "oppo" },
};

/** Weights of a checkpoint's own type are read where its file lies in memory, and no allocator counts them. */
function uncounted({ task }: CountedStep): number {
  if (task.learner.dtype !== "float32") return 0;
  const { standing } = estimateMemory(task);
  const names = ["weights", "reference"];
  return standing.reduce((sum, { name, bytes }) => sum + (names.includes(name) ? bytes : 0), 0);
}

const manyHeads = { num_attention_heads: 64, intermediate_size: 256, vocab_size: 2048 };

function compare(counted: CountedStep): number {
  const extra = uncounted(counted);
  const estimate = estimateMemory(counted.task);
  assert.equal(counted.standingBytes + extra, estimate.standingBytes);
  assert.equal(counted.gradientBytes, gradientBytes(counted.task));
  const { towers, sampling, gradients, update } = counted;
  const peak = Math.max(towers, sampling, gradients, update) + extra;
  return estimate.peakBytes / peak;
}

const cases: readonly Partial<StepChoices>[] = [
  {},
  { dtype: "bfloat16" },
  { trainable: "lora", views: "none" },
  { trainable: "lora", dtype: "bfloat16" },
  { newTokens: 16, prompts: 8, promptsPerMicroBatch: 2 },
  { recompute: true },
  { recompute: true, dtype: "bfloat16" },
  { recompute: true, trainable: "lora" },
  { recompute: true, trainable: "lora", dtype: "bfloat16", promptsPerMicroBatch: 1 },
  { recompute: true, newTokens: 200, prompts: 2 },
  // More in attention than in the feed-forward, where attention is fused.
  { recompute: true, dtype: "bfloat16", views: "none", newTokens: 48, text: manyHeads },
  { recompute: true, dtype: "bfloat16", newTokens: 200, text: { vocab_size: 2048 }, prompts: 2 },
  { recompute: true, viewsAtOnce: 2 },
  { trainable: "lora", viewsAtOnce: 2, promptsPerMicroBatch: 2 },
  // Other ways in which a modality is gone: a pass for each, over the prompts about a blank.
  { views: "none", alike: 2 },
  { views: "none", alike: 1, recompute: true, dtype: "bfloat16" },
  { views: "none", alike: 3, trainable: "lora", promptsPerMicroBatch: 1 },
];

const slow = slowInBfloat16();

for (const changes of cases) {
  const skip = changes.dtype === "bfloat16" && slow;
  test(`the estimate is within a tenth of the counted peak: ${JSON.stringify(changes)}`, { skip }, async () => {
    const ratio = compare(await countStep({ ...usual, ...changes }));
    assert.ok(Math.abs(ratio - 1) <= tolerance, `estimate / counted is ${ratio.toFixed(3)}`);
  });
}

test("a step with other ways of a modality's going is not taken for one without", async () => {
  const counted = await countStep({ ...usual, views: "none", alike: 2, trainable: "lora" });
  const { task } = counted;
  const wrong = { ...counted, task: { ...task, batch: { ...task.batch, counterfactuals: noCounterfactuals } } };
  assert.ok(compare(wrong) < 1 - tolerance);
  const { standingBytes, phases } = estimateMemory(task);
  const reading = phases.find(({ name }) => name === "reading")!;
  const ratio = (standingBytes + reading.bytes) / (counted.reading + uncounted(counted));
  assert.ok(Math.abs(ratio - 1) <= tolerance, `of the reference's reading: ${ratio.toFixed(3)}`);
});

test("a step that keeps its graph is not taken for one that computes layers again", async () => {
  const counted = await countStep({ ...usual, recompute: true });
  const { task } = counted;
  const wrong = { ...counted, task: { ...task, learner: { ...task.learner, recomputes: false } } };
  assert.ok(compare(wrong) > 1 + tolerance);
});

test("a place with one operator for attention is not taken for one without", { skip: slow }, async () => {
  const counted = await countStep({ ...usual, dtype: "bfloat16", trainable: "lora" });
  const { task } = counted;
  const place = { ...task.place, fusesAttention: !task.place.fusesAttention };
  const ratio = compare({ ...counted, task: { ...task, place } });
  assert.ok(Math.abs(ratio - 1) > tolerance, `estimate / counted is ${ratio.toFixed(3)}`);
});
