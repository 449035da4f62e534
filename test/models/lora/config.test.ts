// adapter_config.json: what is honoured, what changes nothing, and what is refused by name. The fields and their meaning are
// PEFT's; the numbers of the two adapters that are made here are checked against plain arithmetic on merged weights.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { addAdapter, loadAdapter } from "../../../src/models/adapt.ts";
import { linearLayers } from "../../../src/models/decoder/parameters.ts";
import { defaultLora, type LoraConfig, parseLoraConfig } from "../../../src/models/lora/config.ts";
import { moduleRanks, targetModules } from "../../../src/models/lora/targets.ts";
import { parameterSpecs } from "../../../src/models/qwen-omni/parameters.ts";
import { noGrad, op, openSafetensors, scope, type Tensor, writeSafetensors } from "../../../src/tensor/index.ts";
import { testDevice } from "../../support/device.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { tinyThinker } from "../qwen-omni/tiny.ts";

/** As PEFT 0.21 writes it for a plain adapter. */
const plain = {
  ...{ alora_invocation_tokens: null, alpha_pattern: {}, arrow_config: null, auto_mapping: null, bias: "none" },
  ...{ base_model_name_or_path: "x", corda_config: null, ensure_weight_tying: false, eva_config: null },
  ...{ exclude_modules: null, fan_in_fan_out: false, inference_mode: true, init_lora_weights: true },
  ...{ kasa_config: null, layer_replication: null, layers_pattern: null, layers_to_transform: null, loftq_config: {} },
  ...{ lora_alpha: 8, lora_bias: false, lora_dropout: 0.05, lora_ga_config: null, megatron_config: null, r: 4 },
  ...{ megatron_core: "megatron.core", modules_to_save: null, monteclora_config: null, peft_type: "LORA" },
  ...{ peft_version: "0.21.0", qalora_group_size: 16, rank_pattern: {}, revision: null, target_modules: ["q_proj"] },
  ...{ target_parameters: null, task_type: "CAUSAL_LM", trainable_token_indices: null, use_bdlora: null },
  ...{ use_dora: false, use_qalora: false, use_rslora: false, velora_config: null },
};

test("fields that change nothing pass", () => {
  const want = { rank: 4, alpha: 8, dropout: 0.05, targets: ["q_proj"], isRankStabilised: false };
  for (const change of [
    {},
    ...[false, null, "gaussian", "eva", "orthogonal"].map((start) => ({ init_lora_weights: start })),
    { fan_in_fan_out: true },
    { loftq_config: { loftq_bits: 4 } },
    { corda_config: { corda_method: "kpm" } },
    { qalora_group_size: 32 },
    { modules_to_save: [] },
    { a_field_of_next_year: null, another: false, a_third: {} },
  ]) {
    assert.deepEqual(parseLoraConfig({ ...plain, ...change }, "a"), want, JSON.stringify(change));
  }
});

test("what gives other numbers is refused by name", () => {
  for (const [key, value] of [
    ...["pissa", "pissa_niter_16", "olora", "OLoRA", "corda", "loftq", "lora_ga", "unheard of", 3].map(
      (start) => ["init_lora_weights", start] as const,
    ),
    ["alora_invocation_tokens", [1, 2]],
    ["alora_invocation_tokens", []],
    ["use_dora", true],
    ["lora_bias", true],
    ["bias", "all"],
    ["bias", "lora_only"],
    ["modules_to_save", ["lm_head"]],
    ["layer_replication", [[0, 2]]],
    ["target_parameters", ["mlp.experts"]],
    ["trainable_token_indices", [1]],
    ["trainable_token_indices", { embed_tokens: [1] }],
    ["use_qalora", true],
    ["use_bdlora", { nblocks: 2 }],
    ["arrow_config", { top_k: 2 }],
    ["kasa_config", { beta: 1 }],
    ["velora_config", { rank: 1 }],
    ["monteclora_config", { samples: 2 }],
    ["megatron_config", { tp: 2 }],
    ["a_field_of_next_year", true],
    ["a_field_of_next_year", { deep: 1 }],
    ["peft_type", "ADALORA"],
  ] as const) {
    assert.throws(
      () => parseLoraConfig({ ...plain, [key]: value }, "a"),
      { code: "ERR_ADAPTER_CONFIG", message: new RegExp(key) },
      `${key} ${JSON.stringify(value)}`,
    );
  }
  // An initialisation that has touched the base says how the adapter becomes a plain one.
  assert.throws(() => parseLoraConfig({ ...plain, init_lora_weights: "pissa" }, "a"), {
    message: /path_initial_model_for_weight_conversion/,
  });
  for (const change of [
    { target_modules: "q_proj", layers_to_transform: 0 },
    { target_modules: ".*", layers_pattern: ["layers"] },
  ]) {
    assert.throws(() => parseLoraConfig({ ...plain, ...change }, "a"), { message: /layers_to_transform or layers_p/ });
  }
});

const layers = [0, 1, 2].flatMap((i) => ["q_proj", "v_proj"].map((name) => `model.layers.${i}.self_attn.${name}`));
const modules = [...layers, "visual.blocks.1.attn.q", "audio_tower.layers.1.self_attn.q_proj"];

test("targets by full names, exclusions, layers: PEFT's rules", () => {
  const chosen = (change: object) => targetModules(parseLoraConfig({ ...plain, ...change }, "a"), modules, "a");
  const full = ["thinker.model.layers.1.self_attn.q_proj", "model.layers.0.self_attn.v_proj"];
  assert.deepEqual(chosen({ target_modules: full }), [layers[1], layers[2]]);
  assert.equal(chosen({}).length, 4);
  assert.deepEqual(chosen({ exclude_modules: ["self_attn.q_proj"], target_modules: ".*q" }), [modules[6]]);
  assert.deepEqual(chosen({ exclude_modules: ".*(audio|layers\\.[01]\\.).*" }), [layers[4]]);
  assert.deepEqual(chosen({ exclude_modules: "thinker\\.(audio|model\\.layers\\.[01]\\.).*" }), [layers[4]]);
  assert.deepEqual(chosen({ layers_to_transform: 1 }), [layers[2], modules[7]]);
  assert.deepEqual(chosen({ layers_to_transform: [0, 2], layers_pattern: "layers" }), [layers[0], layers[4]]);
  assert.deepEqual(chosen({ target_modules: ["q"], layers_to_transform: [1], layers_pattern: ["blocks"] }), [
    modules[6],
  ]);
  // A module that is named whole is meant whatever its layer.
  assert.deepEqual(chosen({ target_modules: [layers[0]], layers_to_transform: [2] }), [layers[0]]);
  for (const change of [
    { target_modules: ["q"], layers_pattern: ["layers"], layers_to_transform: [1] },
    { target_modules: "(" },
    { exclude_modules: "(a)\\1" },
    { target_modules: "(a+)+".repeat(50) },
  ]) {
    assert.throws(() => chosen(change), { code: "ERR_ADAPTER_TARGETS" }, JSON.stringify(change));
  }
});

test("ranks and alphas of their own: the first pattern that matches the name or its end", () => {
  const of = moduleRanks(
    parseLoraConfig(
      {
        ...plain,
        rank_pattern: { "^model.layers.0.self_attn.q_proj": 16, q_proj: 2, "layers\\.[12]\\.self_attn\\.v_proj": 6 },
        alpha_pattern: { "thinker.model.layers.2.self_attn.v_proj": 3 },
      },
      "a",
    ),
    "a",
  );
  assert.deepEqual(
    modules.map((name) => [of(name).rank, of(name).alpha].join()),
    ["16,8", "4,8", "2,8", "6,8", "2,8", "6,3", "4,8", "2,8"],
  );
  assert.throws(() => moduleRanks({ ...defaultLora, rankPattern: { "(": 1 } }, "a"), { code: "ERR_ADAPTER_TARGETS" });
});

test("an adapter with patterns is made, saved, read and computes W + alpha / rank B A of every module", (t) => {
  const folder = temporaryFolder(t);
  using model = tinyThinker(1);
  const config: LoraConfig = {
    ...{ rank: 2, alpha: 4, dropout: 0, targets: ["q_proj"], isRankStabilised: true },
    ...{ excluded: "audio_tower.*", rankPattern: { "layers.1.self_attn.q_proj": 5 } },
    ...{ alphaPattern: { "layers.0.self_attn.q_proj": 7 }, layers: [0, 1] },
  };
  using adapted = addAdapter(model, config, 3);
  scope(() => {
    for (const value of adapted.parameters().values()) value.fill_(0.05);
    adapted.save(folder);
    using again = loadAdapter(model, folder);
    assert.deepEqual(again.adapter.config, config);
    assert.deepEqual(again.adapter.modules, ["model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj"]);
    const first = (name: string) => {
      const weight = op.zeros([256, 128], { device: testDevice }).narrow(0, 0, model.parameters().get(name)!.size(0));
      return noGrad(() => again.adapter.merged(name, weight).select(0, 0).select(0, 0).item());
    };
    // Every element of B A is rank * 0.05 * 0.05.
    const near = (got: number, want: number) => assert.ok(Math.abs(got - want) < 1e-6, `${got}, expected ${want}`);
    near(first("model.layers.0.self_attn.q_proj.weight"), (7 / Math.sqrt(2)) * 2 * 0.0025);
    near(first("model.layers.1.self_attn.q_proj.weight"), (4 / Math.sqrt(5)) * 5 * 0.0025);
    assert.equal(first("model.layers.2.self_attn.q_proj.weight"), 0);
  });
});

test("an adapter of a whole omni model: names with thinker., its speech parts left out and counted", (t) => {
  const folder = temporaryFolder(t);
  using model = tinyThinker(1);
  const names = linearLayers(parameterSpecs(model.config)).map(({ name }) => name);
  using adapted = addAdapter(model, { ...defaultLora, rank: 2, alpha: 4, targets: ["q_proj", "v_proj"] }, 3);
  for (const value of adapted.parameters().values()) value.fill_(0.02);
  const write = (to: string, change: object, keys: (name: string) => string, extra: Record<string, Tensor> = {}) => {
    mkdirSync(to, { recursive: true });
    adapted.save(to);
    const path = join(to, "adapter_config.json");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...change }));
    const all = [...adapted.parameters()].map(([name, value]): [string, Tensor] => [keys(name), value]);
    writeSafetensors(join(to, "adapter_model.safetensors"), new Map([...all, ...Object.entries(extra)]));
  };
  scope(() => {
    const whole = join(folder, "whole");
    const talker = "base_model.model.talker.model.layers.0.self_attn.q_proj.lora_A.weight";
    const withPrefix = (name: string) => `base_model.model.thinker.${name}`;
    write(whole, {}, withPrefix, { [talker]: op.ones([2, 8]) });
    using fromWhole = loadAdapter(model, whole);
    assert.equal(fromWhole.adapter.numSkipped, 1);
    assert.equal(fromWhole.parameters().size, adapted.parameters().size);

    const listed = join(folder, "listed");
    const targets = names.filter((name) => /[qv]_proj$/.test(name)).map((name) => `thinker.${name}`);
    write(listed, { target_modules: targets }, (name) => `base_model.model.${name}`);
    using fromList = loadAdapter(model, listed);
    assert.equal(fromList.adapter.numSkipped, 0);
    for (const [name, value] of adapted.parameters()) {
      assert.ok(
        op.equal(fromWhole.parameters().get(name)!, value) && op.equal(fromList.parameters().get(name)!, value),
      );
    }
    // A tensor of no known part is still refused.
    write(whole, {}, withPrefix, { "base_model.model.singer.q_proj.lora_A.weight": op.ones([2, 8]) });
    assert.throws(() => loadAdapter(model, whole), { code: "ERR_ADAPTER_KEYS", message: /unexpected singer/ });
    using file = openSafetensors(join(listed, "adapter_model.safetensors"));
    assert.equal(file.entries.size, adapted.parameters().size);
  });
});
