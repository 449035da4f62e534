// A plan from a published name and from a folder, as text and with nothing that fits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildTheatreTokenizer } from "../../../src/data/theatre/tokenizer.ts";
import { initTiny } from "../../../src/models/qwen-omni/init.ts";
import { planModel } from "../../../src/recipes/plan/plan-model.ts";
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
