// What to change where a step does not fit, in order, with what it saves; and the table and the refusal made of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readModelShape } from "../../../src/models/read-model-shape.ts";
import { resolveConfig } from "../../../src/run/config.ts";
import { trainSchema } from "../../../src/train/config.ts";
import { grpoTask, numParameters, promptTokens, sftTask, textTokens } from "../../../src/train/memory/config-task.ts";
import { estimateMemory } from "../../../src/train/memory/estimate.ts";
import { planToFit } from "../../../src/train/memory/remedies.ts";
import { memoryText, reportMemory, requireMemory } from "../../../src/train/memory/table.ts";
import { presets } from "../../../src/train/presets.ts";
import { sftSchema } from "../../../src/train/sft-config.ts";

const gigabyte = 1024 ** 3;
const media = { frames: 16, height: 364, width: 364, audioSeconds: 8 };
const place = { kind: "cuda", fusesAttention: true, gpus: 1 } as const;
const shape = await readModelShape("qwen2.5-omni-7b");
const config = (change: object) =>
  resolveConfig(trainSchema, { preset: { ...presets["oppo-paper-7b"].config, ...change } });

test("the published 7B has its parameters and its tokens", () => {
  assert.equal(numParameters(shape), 8_931_813_888);
  // 8 frame pairs of 13 x 13 cells, 25 tokens a second.
  assert.equal(promptTokens(shape, media) - textTokens, 8 * 13 * 13 + 200);
});

test("weights, masters and moments of the 7B are the published counts", () => {
  const bytes = (change: object) =>
    Object.fromEntries(
      estimateMemory(grpoTask(shape, config(change), media, place)).standing.map((line) => [line.name, line.bytes]),
    );
  const full = bytes({ trainable: "full" });
  assert.equal(full.weights, 2 * 8_931_813_888);
  assert.equal(full.reference, full.weights);
  assert.equal(full.masters, 4 * 8_931_813_888);
  const lora = bytes({ trainable: "lora", lora: { rank: 64 } });
  assert.equal(lora.reference, undefined);
  assert.equal(lora.adapter, 4 * 161_480_704);
});

test("remedies that change no result come first, each saves what it says, and together they fit", () => {
  const start = grpoTask(
    shape,
    config({ trainable: "full", recompute: "off", promptsPerMicroBatch: null }),
    media,
    place,
  );
  const plan = planToFit(start, 40 * gigabyte);
  assert.ok(plan.fits);
  assert.equal(plan.peakBytes, estimateMemory(plan.task).peakBytes);
  const kinds = plan.remedies.map(({ changesResults }) => changesResults);
  assert.deepEqual(kinds, [...kinds].sort());
  assert.deepEqual(
    plan.remedies.slice(0, 2).map(({ change }) => change),
    ["--recompute on", "--prompts-per-micro-batch 1"],
  );
  assert.ok(plan.remedies.some(({ change }) => change === "--trainable lora"));
  const saved = plan.remedies.reduce((sum, { bytesSaved }) => sum + bytesSaved, 0);
  assert.ok(Math.abs(estimateMemory(start).peakBytes - saved - plan.peakBytes) < 1);
});

test("a run that cannot fit is refused with the settings that do, and its table says so", () => {
  const task = grpoTask(shape, config({ trainable: "full" }), media, place);
  const report = reportMemory(task, { device: "cuda", freeBytes: 40 * gigabyte });
  assert.equal(report.fits, false);
  assert.throws(() => requireMemory(report), {
    code: "ERR_MEMORY",
    message: /free on cuda for a step, got 40\.0 GB\. This fits, in .* GB: .*--trainable lora/,
  });
  const text = memoryText(report);
  for (const name of ["weights", "masters", "moments", "gradients", "logits", "It does not fit"]) {
    assert.ok(text.includes(name), name);
  }
  const none = reportMemory(task, { device: "cuda", freeBytes: gigabyte });
  assert.throws(() => requireMemory(none), { code: "ERR_MEMORY", message: /take a smaller model/ });
});

test("enough, or nobody knows how much: nothing is refused", () => {
  const task = grpoTask(shape, config({ trainable: "lora" }), media, place);
  for (const freeBytes of [null, 200 * gigabyte]) requireMemory(reportMemory(task, { device: "cuda", freeBytes }));
});

test("a cold start has neither a reference nor sampling", () => {
  const { standing, phases } = estimateMemory(sftTask(shape, resolveConfig(sftSchema, {}), media, place));
  assert.ok(!standing.some(({ name }) => name === "reference"));
  assert.ok(!phases.some(({ name }) => name === "sampling"));
});
