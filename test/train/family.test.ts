// Counterfactuals of a family on a very small theatre: the same run from the same seed, resumed, cut into micro-batches, with the
// decoder, towers or an adapter learning.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import type { FittedSample } from "../../src/corpus/clips/fitted-samples.ts";
import { cosineSchedule } from "../../src/nn/index.ts";
import { resolveConfig } from "../../src/run/config.ts";
import { InterruptedError } from "../../src/run/interrupt.ts";
import { trainSchema } from "../../src/train/config.ts";
import { trainGrpo } from "../../src/train/grpo.ts";
import { openPolicy } from "../../src/train/policy.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";
import { theatreTerms, warmModel } from "../support/theatre-training.ts";
import { digestOf, interruptAt, withoutTimes } from "../support/training-runs.ts";

/** Of float32 sums in another order. */
const roundingTolerance = 1e-5;
const stepTolerance = 1e-6;
/** It has the format and still makes mistakes. */
const warmSteps = 32;
const ofSchedule = 90;

let theatre: SmallTheatre;
let fitted: FittedSample[];
let warm: string;

before(async () => {
  theatre = await smallTheatre(4);
  const schedule = { total: ofSchedule, warmup: 10, floor: 0.1 };
  ({ directory: warm, fitted } = await warmModel(theatre, warmSteps, (step) => cosineSchedule(step, schedule)));
});
after(() => theatre[Symbol.dispose]());

async function train(
  name: string,
  { overrides, steps = 3, stopAt = null }: { overrides: readonly string[]; steps?: number; stopAt?: number | null },
) {
  const directory = join(theatre.root, name);
  mkdirSync(directory, { recursive: true });
  const shared = ["promptsPerStep=3", "warmupSteps=0", "maxNewTokens=48", "learningRate=2e-4", "checkpointEvery=50"];
  const config = resolveConfig(trainSchema, { overrides: [...shared, `steps=${steps}`, ...overrides] });
  using models = await openPolicy({ ...config, model: warm });
  using library = new ClipLibrary(models.reference);
  library.add(fitted);
  await trainGrpo(
    {
      config,
      models,
      library,
      samples: fitted.map(({ sample }) => sample),
      ...theatreTerms(),
    },
    { directory, interrupt: interruptAt(stopAt) },
  );
  return { metrics: withoutTimes(directory), weights: digestOf(models.trainable) };
}

test("counterfactuals of a family: to the bit, resumed, whatever the micro-batch, with any part of the model learning", async () => {
  const family = [
    "perception.maskFamily={ video: [units, blur, swap], audio: [noise, swap] }",
    "perception.maskDoses={ low: 0.3, high: 0.9, full: 0.8 }",
    "perception.support=mask",
    "perception.target=calibrated",
    "perception.rolloutShare=0.67",
    "perception.alikeWeight=0.5",
    "perception.viewDraw=all",
    "reward.terms=[{ name: format, weight: 1 }, { name: omni, weight: 0.5 }, { name: support, weight: 0.2 }]",
  ];
  const whole = await train("family", { overrides: family });
  assert.deepEqual(await train("family-again", { overrides: family }), whole);
  await assert.rejects(train("family-stopped", { overrides: family, stopAt: 2 }), InterruptedError);
  assert.deepEqual(await train("family-stopped", { overrides: family }), whole);
  for (const row of whole.metrics) {
    // two of three prompts are about a degraded clip
    assert.ok(row["counterfactual/support"]! <= 0 && Number.isFinite(row["counterfactual/reward"]!));
    assert.ok(row["omni/readable"]! >= 0 && row["omni/readable"]! <= 1);
  }
  assert.ok(
    whole.metrics.some((row) => row["omni/kl_alike"]! > 0),
    "some prompts are about a blank in place of a blur",
  );
  const plain = await train("family-of-one", { overrides: [] });
  assert.notEqual(plain.weights, whole.weights);
  const micro = await train("family-micro", { overrides: [...family, "promptsPerMicroBatch=1"], steps: 1 });
  for (const name of ["loss", "grad_norm", "omni/kl_video", "omni/readable", "counterfactual/reward"]) {
    const [one, all] = [micro.metrics[0]![name]!, whole.metrics[0]![name]!];
    assert.ok(Math.abs(one - all) <= roundingTolerance * Math.max(1, Math.abs(all)), `${name}: ${one} ${all}`);
  }
  for (const trainable of ["full", "lora"]) {
    const { metrics } = await train(`family-${trainable}`, {
      overrides: [...family, `trainable=${trainable}`],
      steps: 2,
    });
    // towers that learn encode both modalities at once, which differs in the last bit
    assert.ok(Math.abs(metrics[0]!.kl!) < stepTolerance, "the reference sees the same degraded clips");
    assert.ok(metrics[0]!.grad_norm! > 0);
  }
  await assert.rejects(train("unobserved", { overrides: ["perception.support=observer"] }), { code: "ERR_OBSERVER" });
});

test("probes among the prompts: to the bit, resumed, whatever the micro-batch, with towers learning too", async () => {
  const probes = [
    "promptsPerStep=4",
    "probeShare=0.5",
    "perception.rolloutShare=0.25",
    "perception.maskRatio=1",
    "perception.views=papo",
    "reward.terms=[{ name: format, weight: 1 }, { name: omni, weight: 0.5 }, { name: verdict, weight: 1 }]",
  ];
  const whole = await train("probes-whole", { overrides: probes });
  const readable = whole.metrics.map((row) => row["probes/readable"]!);
  assert.ok(readable.every((share) => share >= 0 && share <= 1));
  assert.ok(whole.metrics.some((row) => row["rewards/format/mean"]! > 0));
  await assert.rejects(train("probes", { overrides: probes, stopAt: 2 }), InterruptedError);
  assert.deepEqual(await train("probes", { overrides: probes }), whole);
  const parts = await train("probes-parts", { overrides: [...probes, "promptsPerMicroBatch=1"] });
  for (const [step, { grad_norm: norm }] of parts.metrics.entries()) {
    assert.ok(Math.abs(norm! / whole.metrics[step]!.grad_norm! - 1) < roundingTolerance);
  }
  const towers = await train("probes-towers", { overrides: [...probes, "trainable=full"], steps: 2 });
  assert.ok(Math.abs(towers.metrics[0]!.kl!) < stepTolerance, "the reference is asked the same question");
  const without = [
    ...probes.filter((one) => !/^probeShare|verdict/.test(one)),
    "reward.terms=[{ name: format, weight: 1 }, { name: omni, weight: 0.5 }]",
  ];
  const usual = await train("probes-none", { overrides: without, steps: 1 });
  assert.equal("probes/readable" in usual.metrics[0]!, false);
  assert.notEqual(usual.metrics[0]!.num_tokens, whole.metrics[0]!.num_tokens);
});

test("the reference says what can be read: to the bit, resumed, and not as the mask says", async () => {
  const read = (support: string) => [
    "perception.maskFamily={ video: [units, blur], audio: [units, noise] }",
    "perception.maskDoses={ low: 0.3, high: 0.9, full: 0.3 }",
    `perception.support=${support}`,
    "perception.rolloutShare=0.34",
    "perception.viewDraw=all",
    "reward.terms=[{ name: format, weight: 1 }, { name: omni, weight: 0.5 }, { name: support, weight: 0.2 }]",
  ];
  const whole = await train("read-whole", { overrides: read("reference") });
  await assert.rejects(train("read", { overrides: read("reference"), stopAt: 2 }), InterruptedError);
  assert.deepEqual(await train("read", { overrides: read("reference") }), whole);
  const readable = (row: Record<string, number>) => row["omni/readable"]!;
  assert.ok(whole.metrics.every((row) => readable(row) >= 0 && readable(row) <= 1));
  const byMask = await train("read-by-mask", { overrides: read("mask") });
  assert.notDeepEqual(whole.metrics.map(readable), byMask.metrics.map(readable));
  await assert.rejects(
    train("read-moving", { overrides: [...read("reference"), "referenceSyncEvery=1"] }),
    /perception\.support: expected a reference that stays/,
  );
});
