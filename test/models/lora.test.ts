// LoRA adapters against PEFT's own files and numbers, and what they promise: a fresh one changes nothing, the base is the
// policy with its adapter off, gradients reach the adapter only, merged and unmerged agree.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { addAdapter, loadAdapter } from "../../src/models/adapt.ts";
import { runPrompts } from "../../src/models/decoder/language.ts";
import { linearLayers } from "../../src/models/decoder/parameters.ts";
import type { WeightSource } from "../../src/models/decoder/projection.ts";
import { defaultLora, type LoraConfig, parseLoraConfig } from "../../src/models/lora/config.ts";
import { targetModules } from "../../src/models/lora/targets.ts";
import type { AdaptedModel, ModelPrompt, OmniModel } from "../../src/models/omni-model.ts";
import { loadThinker } from "../../src/models/qwen-omni/load.ts";
import { parameterSpecs } from "../../src/models/qwen-omni/parameters.ts";
import {
  indices,
  noGrad,
  numLiveTensors,
  op,
  openSafetensors,
  type SafetensorsFile,
  scope,
  type Tensor,
} from "../../src/tensor/index.ts";
import { isFake, onDevice, testDevice } from "../support/device.ts";
import { sharedPath } from "../support/shared.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import {
  caseIndex,
  closeGoldens,
  goldenLanguage,
  goldenPrompts,
  openCase,
  openGolden,
  relativeError,
} from "./qwen-omni/golden.ts";
import { mixedPrompts, tinyThinker } from "./qwen-omni/tiny.ts";

const ACTIVATION_TOLERANCE = 2e-5;
const MISTAKE = 50 * ACTIVATION_TOLERANCE;
const GRADIENT_TOLERANCE = 2e-3;
const LOSS_TOLERANCE = 1e-5;
/** Of labels: no loss. */
const IGNORED = -100;
const MERGE_TOLERANCE = 1e-5;

const root = sharedPath("golden/qwen-omni");
const adapters = sharedPath("golden/lora");

/** What an adapted model's layers read. */
function source({ base: model, adapter }: AdaptedModel): WeightSource {
  const weights = model.parameters();
  return { get: (name) => weights.get(name), adapterOf: (layer) => adapter.get(layer) };
}

for (const name of ["decoder", "endings"]) {
  test(`PEFT's adapter "${name}": logits on, off and merged, loss and gradients`, (t) => {
    if (!root || !adapters) return t.skip("golden/qwen-omni or golden/lora is absent");
    const before = numLiveTensors();
    {
      using model = loadThinker(join(root, "omni"), { device: testDevice });
      using adapted = loadAdapter(model, join(adapters, name));
      scope(() => {
        const golden = openGolden(adapters, name, "golden.safetensors");
        for (const caseName of ["text_only", "use_audio_in_video"]) {
          const given = openCase(root, caseName, model.config, caseIndex(root)[caseName]!);
          const logits = (weights: WeightSource) => {
            const prompts = goldenPrompts(given, weights, model.config);
            return model.logits(runPrompts(goldenLanguage(weights, model.config), prompts));
          };
          const on = golden.tensor(`${caseName}.logits`);
          const off = golden.tensor(`${caseName}.off`);
          const errorOf = (weights: WeightSource, want: Tensor) =>
            noGrad(() => {
              const all = logits(weights);
              return relativeError(all.narrow(1, all.size(1) - want.size(1), want.size(1)), want);
            });
          const plain = model.parameters();
          assert.ok(errorOf(source(adapted), on) < ACTIVATION_TOLERANCE, `${caseName} on`);
          assert.ok(errorOf(plain, off) < ACTIVATION_TOLERANCE, `${caseName} off`);
          assert.ok(errorOf(plain, on) > MISTAKE, `${caseName}: the adapter matters`);
          if (caseName === "text_only") {
            adapted.adapter.merge(plain);
            assert.ok(errorOf(plain, golden.tensor("text_only.merged")) < ACTIVATION_TOLERANCE, "merged");
            adapted.adapter.merge(plain, -1);
            assert.ok(errorOf(plain, off) < ACTIVATION_TOLERANCE, "taken off again");
          }
          checkLoss(adapted, () => logits(source(adapted)), given.samples[0]!.ids, golden, caseName);
        }
      });
      closeGoldens();
    }
    assert.equal(numLiveTensors(), before);
  });
}

/** Hidden states of short completions. */
function hiddenOf(model: OmniModel, prompts: readonly ModelPrompt[]): Tensor {
  return model.hidden(prompts, shortCompletions(prompts));
}

function shortCompletions(prompts: readonly ModelPrompt[]): Int32Array[][] {
  return prompts.map((_, i) => [Int32Array.of(5, 9, 17 + i)]);
}

/** The loss of make_lora.py, and its gradient for every adapter tensor where the golden has them. */
function checkLoss(
  { adapter, base }: AdaptedModel,
  logits: () => Tensor,
  ids: Int32Array,
  golden: SafetensorsFile,
  caseName: string,
): void {
  const parameters = adapter.parameters();
  for (const parameter of parameters.values()) parameter.requiresGrad = true;
  const ignored = Math.floor(ids.length / 3);
  const labels = ids.map((id, i) => (i < ignored ? IGNORED : id));
  const loss = op.crossEntropyLoss(
    logits()
      .select(0, 0)
      .narrow(0, 0, ids.length - 1),
    onDevice(indices(labels.subarray(1))),
  );
  assert.ok(Math.abs(loss.item() / golden.tensor(`${caseName}.loss`).item() - 1) < LOSS_TOLERANCE, caseName);
  loss.backward();
  assert.ok([...base.parameters().values()].every(({ grad }) => grad === null));
  let numCompared = 0;
  for (const [name, parameter] of parameters) {
    if (caseName === "use_audio_in_video") {
      const want = golden.tensor(`grad.${name}`);
      assert.ok(relativeError(parameter.grad!, want) < GRADIENT_TOLERANCE, name);
      assert.ok(relativeError(parameter.grad!.mul(1.01), want) > GRADIENT_TOLERANCE, `${name}: a wrong one would show`);
      numCompared++;
    }
    parameter.grad = null;
    parameter.requiresGrad = false;
  }
  assert.equal(numCompared, caseName === "use_audio_in_video" ? parameters.size : 0);
}

const config: LoraConfig = { ...defaultLora, rank: 3, alpha: 6 };

test("a fresh adapter changes nothing; a trained one changes the policy and not its base", () => {
  const before = numLiveTensors();
  {
    using model = tinyThinker(1);
    using adapted = addAdapter(model, config, 7);
    scope(() =>
      noGrad(() => {
        const prompts = mixedPrompts(model);
        const plain = hiddenOf(model, prompts);
        // Adapted layers are multiplied one by one, others together: the same up to rounding.
        assert.ok(relativeError(hiddenOf(adapted, prompts), plain) < ACTIVATION_TOLERANCE);
        const options = { numSamples: 2, maxNewTokens: 6, temperature: 1, seeds: [1, 2, 3, 4, 5, 6] };
        const ids = (policy: OmniModel) => policy.sample(prompts, options).map((own) => own.map((one) => [...one.ids]));
        assert.deepEqual(ids(adapted), ids(model));
        for (const [name, value] of adapted.parameters()) if (name.endsWith("lora_B.weight")) value.fill_(0.05);
        assert.ok(relativeError(hiddenOf(adapted, prompts), plain) > MISTAKE);
        assert.equal(relativeError(hiddenOf(model, prompts), plain), 0);
        assert.notDeepEqual(ids(adapted), ids(model));
        for (const { rows } of prompts) rows?.[Symbol.dispose]();
      }),
    );
  }
  assert.equal(numLiveTensors(), before);
});

test("sizes, starting values and seeds of a fresh adapter", () => {
  using model = tinyThinker(1);
  using adapted = addAdapter(model, config, 7);
  using again = addAdapter(model, config, 7);
  using other = addAdapter(model, config, 8);
  // 3 layers, width 128, 4 heads on 2 of 32, MLP 288: rank * (inputs + outputs) of q, k, v, o, gate, up, down.
  const perLayer = 256 + 2 * (128 + 64) + 256 + 3 * (128 + 288);
  const total = [...adapted.parameters().values()].reduce((sum, { numel }) => sum + numel, 0);
  assert.equal(total, 3 * 3 * perLayer);
  assert.equal(adapted.adapter.modules.length, 3 * 7);
  scope(() => {
    for (const [name, value] of adapted.parameters()) {
      const [rows, columns] = value.shape as [number, number];
      const largest = value.abs().max().item();
      if (name.endsWith("lora_B.weight")) assert.deepEqual([columns, largest], [3, 0]);
      else assert.ok(rows === 3 && largest <= columns ** -0.5 && largest > 0.8 * columns ** -0.5, name);
      assert.ok(op.equal(value, again.parameters().get(name)!), name);
    }
    const first = "model.layers.0.self_attn.q_proj.lora_A.weight";
    assert.ok(!op.equal(adapted.parameters().get(first)!, other.parameters().get(first)!));
  });
});

test("gradients reach the adapter only", () => {
  using model = tinyThinker(1);
  using adapted = addAdapter(model, { ...config, dropout: 0.5 }, 7);
  scope(() => {
    const prompts = noGrad(() => mixedPrompts(model));
    for (const value of adapted.parameters().values()) value.fill_(0.05).requiresGrad = true;
    const run = () => hiddenOf(adapted, prompts).narrow(2, 0, 5).sum();
    run().backward();
    for (const [name, { grad }] of adapted.parameters()) assert.ok(grad !== null && grad.norm().item() > 0, name);
    assert.ok([...model.parameters().values()].every(({ grad }) => grad === null));
    for (const { rows } of prompts) rows?.[Symbol.dispose]();
  });
});

test("steps with dropout differ from steps without", (t) => {
  if (isFake) return t.skip("libtorch makes no random generators for the fake device");
  using model = tinyThinker(1);
  using adapted = addAdapter(model, { ...config, dropout: 0.5 }, 7);
  scope(() => {
    const prompts = noGrad(() => mixedPrompts(model));
    for (const value of adapted.parameters().values()) value.fill_(0.05);
    const run = () => hiddenOf(adapted, prompts).narrow(2, 0, 5).sum();
    const learned = () => adapted.trunk(prompts, shortCompletions(prompts)).hidden.narrow(2, 0, 5).sum();
    const still = noGrad(() => run().item());
    adapted.adapter.train(1);
    assert.equal(
      noGrad(() => run().item()),
      still,
      "what is not learned from is whole",
    );
    assert.notEqual(
      noGrad(() => learned().item()),
      still,
    );
    adapted.adapter.train(null);
    assert.equal(
      noGrad(() => run().item()),
      still,
    );
    for (const { rows } of prompts) rows?.[Symbol.dispose]();
  });
});

test("an adapter that is saved is read again, merged into a model or not", (t) => {
  const folder = temporaryFolder(t);
  using model = tinyThinker(1);
  using adapted = addAdapter(model, config, 7);
  for (const value of adapted.parameters().values()) value.fill_(0.03);
  adapted.save(join(folder, "adapter"));
  adapted.saveMerged(join(folder, "merged"));
  using again = loadAdapter(model, join(folder, "adapter"));
  assert.deepEqual(again.adapter.config, config);
  using merged = loadThinker(join(folder, "merged"), { device: testDevice });
  scope(() =>
    noGrad(() => {
      const prompts = mixedPrompts(model);
      const want = hiddenOf(adapted, prompts);
      assert.equal(relativeError(hiddenOf(again, prompts), want), 0);
      assert.ok(relativeError(hiddenOf(merged, prompts), want) < MERGE_TOLERANCE);
      assert.ok(relativeError(hiddenOf(model, prompts), want) > MISTAKE);
      for (const { rows } of prompts) rows?.[Symbol.dispose]();
    }),
  );
  const json = JSON.parse(readFileSync(join(folder, "adapter/adapter_config.json"), "utf8"));
  assert.deepEqual([json.peft_type, json.r, json.lora_alpha, json.bias], ["LORA", 3, 6, "none"]);
  using file = openSafetensors(join(folder, "adapter/adapter_model.safetensors"));
  assert.ok(file.entries.has("base_model.model.model.layers.2.mlp.down_proj.lora_B.weight"));
});

test("targets: PEFT's two ways of naming modules", () => {
  using model = tinyThinker(1);
  const layers = linearLayers(parameterSpecs(model.config)).map(({ name }) => name);
  assert.ok(!layers.some((name) => /embed|lm_head|conv|norm|bos_eos|patch_embed/.test(name)));
  const chosen = (targets: LoraConfig["targets"]) => targetModules({ targets }, layers, "a");
  assert.equal(chosen(["q_proj", "down_proj"]).length, 2 + 3 + 3 + 3); // audio, text; vision, text
  assert.deepEqual(chosen(["visual.merger.mlp.0"]), ["visual.merger.mlp.0"]);
  assert.equal(chosen("all-linear").length, layers.length);
  assert.equal(chosen("thinker\\.model\\.layers\\.[01]\\..*_proj").length, 2 * 7);
  // A list matches endings after a dot, an expression whole names.
  for (const targets of [["_proj"], "q_proj", ["lm_head"], "("]) {
    assert.throws(() => chosen(targets), { code: "ERR_ADAPTER_TARGETS" });
  }
});

test("what is no plain LoRA adapter of this model is refused", (t) => {
  const plain = { peft_type: "LORA", r: 4, lora_alpha: 8, target_modules: ["q_proj"], rank_pattern: {}, bias: "none" };
  assert.deepEqual(parseLoraConfig(plain, "a"), {
    rank: 4,
    alpha: 8,
    dropout: 0,
    targets: ["q_proj"],
    isRankStabilised: false,
  });
  for (const change of [
    { peft_type: "IA3" },
    { use_dora: true },
    { bias: "all" },
    { modules_to_save: ["lm_head"] },
    { rank_pattern: { q_proj: 0 } },
    { r: 0 },
    { lora_dropout: 1 },
    { target_modules: null },
  ]) {
    assert.throws(() => parseLoraConfig({ ...plain, ...change }, "a"), { code: "ERR_ADAPTER_CONFIG" });
  }
  const folder = temporaryFolder(t);
  using model = tinyThinker(1);
  using adapted = addAdapter(model, config, 7);
  adapted.save(folder);
  using wider = tinyThinker(2, { text_config: { intermediate_size: 256 } });
  assert.throws(() => loadAdapter(wider, folder), {
    code: "ERR_ADAPTER_KEYS",
    message: /gate_proj\.lora_B\.weight expected \[256,3\], got \[288,3\]/,
  });
  using deeper = tinyThinker(2, { text_config: { num_hidden_layers: 4 } });
  assert.throws(() => loadAdapter(deeper, folder), { code: "ERR_ADAPTER_KEYS", message: /missing model\.layers\.3/ });
  using shallow = tinyThinker(2, { text_config: { num_hidden_layers: 2 } });
  assert.throws(() => loadAdapter(shallow, folder), { message: /unexpected model\.layers\.2/ });
  assert.throws(() => loadAdapter(model, join(folder, "nowhere")), { code: "ERR_CHECKPOINT_MISSING" });
  writeFileSync(join(folder, "adapter_config.json"), "{");
  assert.throws(() => loadAdapter(model, folder), { code: "ERR_ADAPTER_CONFIG" });
});
