// A plan from a published name and from a folder, as text and with nothing that fits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildTheatreTokenizer } from "../../../src/data/theatre/tokenizer.ts";
import { initTiny } from "../../../src/models/qwen-omni/init.ts";
import { planModel, planScale } from "../../../src/recipes/plan/plan-model.ts";
import { planText } from "../../../src/recipes/plan/plan-text.ts";
import { planSettings } from "../../../src/recipes/plan/settings.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const settings = (given: object) => planSettings.parse({ gpu: "24", ...given });

test("a 7B on 24 GB learns through an adapter, and the text says how and why", async () => {
  const plan = await planModel("qwen2.5-omni-7b", settings({}));
  assert.ok(plan.chosen?.name.startsWith("lora"));
  assert.equal(plan.steps, 3262);
  const text = planText(plan);
  for (const expected of ["--trainable lora", "RTX 4090", "sampling", "Assumed", "whitepaper", "the run"]) {
    assert.ok(text.includes(expected), expected);
  }
});

test("a cold start is planned with oppo sft's settings", async () => {
  const plan = await planModel("qwen2.5-omni-3b", settings({ gpu: "a100-80", preset: "sft-paper" }));
  assert.equal(plan.program, "sft");
  assert.ok(!plan.candidates[0]!.time.parts.some(({ name }) => name === "sampling"));
});

test("a folder's own shape is planned", async (t) => {
  const folder = temporaryFolder(t);
  initTiny(folder, buildTheatreTokenizer(), 1);
  const plan = await planModel(folder, settings({ gpu: "1", preset: "oppo", frames: 4, height: 112, width: 112 }));
  assert.ok(plan.numParameters < 2e6);
});

test("where nothing fits it says how much the least is", async () => {
  const plan = await planModel("qwen2.5-omni-7b", settings({ gpu: "8" }));
  assert.equal(plan.chosen, null);
  assert.match(planText(plan), /Nothing fits; the least that any of them takes is \d/);
});

test("neither a folder nor a name is refused", async () => {
  await assert.rejects(planModel("qwen9", settings({})), { code: "ERR_MODEL_SHAPE", message: /qwen2\.5-omni-3b/ });
});

test("engines take the sampling off the ranks, and a step ahead leaves only what is waited for", async () => {
  const sixteen = { gpu: "h100", gpus: 16 };
  const [alone, apart, ahead] = await Promise.all([
    planModel("qwen2.5-omni-7b", settings(sixteen)),
    planModel("qwen2.5-omni-7b", settings({ ...sixteen, engines: 8 })),
    planModel("qwen2.5-omni-7b", settings({ ...sixteen, engines: 8, rolloutAhead: 1 })),
  ]);
  const names = (plan: typeof alone) => plan.chosen!.time.parts.map(({ name }) => name);
  assert.ok(names(alone).includes("sampling") && !names(apart).includes("sampling"));
  assert.ok(names(apart).includes("sampling on engines"));
  const engineSeconds = apart
    .chosen!.time.parts.filter(({ name }) => name.includes("engines"))
    .reduce((sum, { seconds }) => sum + seconds, 0);
  const trained = apart.chosen!.time.seconds - engineSeconds;
  assert.ok(Math.abs(ahead.chosen!.time.seconds - Math.max(trained, engineSeconds)) < 1e-9);
  assert.match(planText(apart), /--rollouts URL/);
  assert.match(planText(apart), /memory of one, without its server/);
});

test("beyond one machine gradients go over the network", async () => {
  const exchange = async (change: object) => {
    const plan = await planModel("qwen2.5-omni-7b", settings({ gpu: "h100", gpus: 16, ...change }));
    return plan.chosen!.time.parts.find(({ name }) => name === "exchange of gradients")!.seconds;
  };
  const [slow, fast, inside] = [
    await exchange({ network: 25 }),
    await exchange({}),
    await exchange({ gpusPerNode: 16 }),
  ];
  assert.ok(Math.abs(slow / fast - 2) < 1e-9);
  assert.ok(Math.abs(fast / inside - 9) < 1e-9); // 450 against 50 GB/s
});

test("on more GPUs than completions the rest are said to be idle", async () => {
  const plans = await planScale("qwen2.5-omni-7b", settings({ gpu: "h100", scale: true }));
  assert.deepEqual(
    plans.map(({ gpus, idleGpus }) => [gpus, idleGpus]),
    [
      [1, 0],
      [8, 0],
      [16, 0],
      [64, 32],
    ],
  );
  assert.match(planText(plans[3]!), /32 have no completion of a step/);
});
