// Embedders in the forms in which they are published: without a head, without a causal mask, with the files of
// sentence-transformers. The vectors with and without a causal mask are transformers' (5.18.0) on the same weights.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { instructClauses } from "../../../src/evidence/instructed-embedder.ts";
import { inspectModel } from "../../../src/models/inspect.ts";
import { loadTextEmbedder } from "../../../src/models/qwen-text/embedder.ts";
import { readSentenceSettings } from "../../../src/models/qwen-text/sentence-settings.ts";
import { loadTextModel } from "../../../src/models/qwen-text/text-model.ts";
import { numLiveTensors, scope } from "../../../src/tensor/index.ts";
import { sharedPath } from "../../support/shared.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const TOLERANCE = 2e-5;
const TEXT = "a bright smile";
const CAUSAL = [0.110431, -0.039409, 0.033659];
const BIDIRECTIONAL = [0.0671, 0.01972, 0.02497, -0.00521];

/** A copy of the small Qwen3-Embedding with changes to its config.json, and other files beside it. */
function variant(t: TestContext, change: object, files: Readonly<Record<string, unknown>> = {}): string {
  const source = sharedPath("golden/qwen-omni/qwen3_embed")!;
  const directory = join(temporaryFolder(t), "model");
  mkdirSync(directory);
  for (const name of readdirSync(source)) {
    if (!name.startsWith("golden")) copyFileSync(join(source, name), join(directory, name));
  }
  const config = JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
  const all = { "config.json": { ...config, ...change }, ...files };
  for (const [name, json] of Object.entries(all)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), JSON.stringify(json));
  }
  return directory;
}

function vectorOf(directory: string, text = TEXT): Float32Array {
  using embedder = loadTextEmbedder(directory);
  return embedder.embed([text]);
}

function distance(got: Float32Array, want: ArrayLike<number>): number {
  return Math.max(...Array.from(want, (value, i) => Math.abs(value - got[i]!)));
}

test("an untied model without a head embeds, is complete, and writes no text", async (t) => {
  const untied = variant(t, { architectures: ["Qwen3ForCausalLM"], tie_word_embeddings: false });
  assert.ok(distance(vectorOf(untied), CAUSAL) < TOLERANCE);
  assert.ok((await inspectModel(untied)).isComplete);
  assert.throws(() => loadTextModel(untied), { code: "ERR_CHECKPOINT_KEYS", message: /missing \(lm_head\.weight\)/ });
});

test("is_causal false: every token sees all others, in any batch; no text is written", (t) => {
  const directory = variant(t, { is_causal: false });
  const single = vectorOf(directory);
  assert.ok(distance(single, BIDIRECTIONAL) < TOLERANCE);
  assert.ok(distance(single, CAUSAL) > 100 * TOLERANCE);
  using embedder = loadTextEmbedder(directory);
  const padded = embedder.embed([`${TEXT}, and a long text that the other one is padded to`, TEXT]);
  assert.ok(distance(padded.subarray(embedder.dimension), BIDIRECTIONAL) < TOLERANCE);
  using causal = loadTextEmbedder(variant(t, { is_causal: true }));
  assert.notEqual(embedder.name, causal.name);
  assert.throws(() => loadTextModel(directory), { code: "ERR_CHECKPOINT_CONFIG", message: /is_causal/ });
});

const module = (kind: string, path = "") => ({ idx: 0, name: "0", path, type: `sentence_transformers.models.${kind}` });
const MODULES = [module("Transformer"), module("Pooling", "1_Pooling"), module("Normalize", "2_Normalize")];
const sentence = (pooling: object, rest: Readonly<Record<string, unknown>> = {}) => ({
  "modules.json": MODULES,
  "1_Pooling/config.json": { word_embedding_dimension: 64, pooling_mode_mean_tokens: false, ...pooling },
  ...rest,
});

test("pooling as the files say: each against plain arithmetic on the hidden states", (t) => {
  const directory = variant(t, {}, sentence({ pooling_mode_lasttoken: true }));
  const last = vectorOf(directory);
  assert.ok(distance(last, CAUSAL) < TOLERANCE);
  using embedder = loadTextEmbedder(directory);
  using model = loadTextModel(sharedPath("golden/qwen-omni/qwen3_embed")!);
  const ids = embedder.encode(TEXT);
  const states = scope(() => model.hiddenStates([ids]).toFloat32Array());
  const column = (d: number) => Array.from(ids, (_, i) => states[i * 64 + d]!);
  const ways = {
    mean: (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length,
    max: (values: number[]) => Math.max(...values),
    cls: (values: number[]) => values[0]!,
  };
  const flags = { mean: "pooling_mode_mean_tokens", max: "pooling_mode_max_tokens", cls: "pooling_mode_cls_token" };
  for (const [name, pool] of Object.entries(ways) as [keyof typeof ways, (values: number[]) => number][]) {
    const raw = Array.from({ length: 64 }, (_, d) => pool(column(d)));
    const norm = Math.hypot(...raw);
    const want = raw.map((value) => value / norm);
    for (const pooling of [{ [flags[name]]: true }, { pooling_mode: name }]) {
      const own = variant(t, {}, sentence(pooling));
      assert.ok(distance(vectorOf(own), want) < TOLERANCE, name);
      assert.ok(distance(last, want) > 100 * TOLERANCE, `${name}: the last token's would show`);
      using several = loadTextEmbedder(own);
      const vectors = several.embed([`${TEXT}, and a long text that the other one is padded to`, TEXT]);
      assert.ok(distance(vectors.subarray(64), want) < TOLERANCE, `${name}, padded`);
    }
  }
});

test("prompts, lengths and dimensions as the files say", async (t) => {
  const files = sentence(
    { pooling_mode_lasttoken: true },
    {
      "config_sentence_transformers.json": {
        prompts: { query: "Instruct: find it\nQuery: ", document: "passage: " },
        default_prompt_name: null,
        similarity_fn_name: "cosine",
        truncate_dim: 32,
      },
      "sentence_bert_config.json": { max_seq_length: 20, do_lower_case: false },
    },
  );
  const directory = variant(t, {}, files);
  using embedder = loadTextEmbedder(directory);
  using plain = loadTextEmbedder(sharedPath("golden/qwen-omni/qwen3_embed")!, { dimension: 32, maxTokens: 20 });
  assert.equal(embedder.dimension, 32);
  assert.equal(
    embedder.encode("a text that is certainly longer than twenty tokens, because it goes on and on").length,
    20,
  );
  assert.ok(distance(embedder.embed([TEXT]), plain.embed([`passage: ${TEXT}`])) < TOLERANCE);
  assert.ok(distance(embedder.embed([TEXT]), plain.embed([TEXT])) > 100 * TOLERANCE);
  assert.ok(distance(embedder.embedQueries(["x"], "w"), plain.embed(["Instruct: w\nQuery: x"])) < TOLERANCE);
  assert.ok(distance(embedder.embedQueries(["x"], "w"), plain.embedQueries(["x"], "w")) > 100 * TOLERANCE);
  // Clauses are embedded in that form too, without the documents' prompt.
  const clauses = instructClauses(embedder, "w");
  const asked = Float32Array.from(await clauses.embed(["x"], "clause"));
  assert.ok(distance(asked, plain.embed(["Instruct: w\nQuery: x"])) < TOLERANCE);
  const prefixed = { prompts: { query: "query: ", document: "" } };
  using fixed = loadTextEmbedder(variant(t, {}, { ...files, "config_sentence_transformers.json": prefixed }));
  assert.throws(() => fixed.embedQueries(["x"], "which?"), { code: "ERR_EMBEDDER" });
});

test("what the tokenizer ends texts with counts where sentence-transformers files are", (t) => {
  const directory = variant(t, {}, sentence({ pooling_mode_lasttoken: true }));
  const path = join(directory, "tokenizer.json");
  const tokenizer = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...tokenizer, post_processor: null }));
  const ends = () => {
    using embedder = loadTextEmbedder(directory);
    return embedder.encode(TEXT).at(-1);
  };
  assert.ok(ends()! < 560);
  const config = join(directory, "tokenizer_config.json");
  const before = JSON.parse(readFileSync(config, "utf8"));
  writeFileSync(config, JSON.stringify({ ...before, add_eos_token: true, eos_token: { content: "<|im_end|>" } }));
  assert.equal(ends(), 562);
});

test("files of sentence-transformers that ask for something else are refused by name", (t) => {
  const settings = { "config_sentence_transformers.json": {}, "sentence_bert_config.json": {} };
  const good = sentence({ pooling_mode_lasttoken: true }, settings);
  assert.equal(readSentenceSettings(variant(t, {}, good))?.pooling, "lasttoken");
  for (const [file, value, named] of [
    ["modules.json", [MODULES[0], MODULES[1], module("Dense", "2_Dense")], /Dense/],
    ["modules.json", [MODULES[0]], /Transformer/],
    ["modules.json", [MODULES[0], module("Pooling", "../x")], /path/],
    ["modules.json", {}, /list/],
    ["1_Pooling/config.json", { pooling_mode_weightedmean_tokens: true }, /weightedmean/],
    ["1_Pooling/config.json", { pooling_mode_cls_token: true, pooling_mode_lasttoken: true }, /cls_token\+lasttoken/],
    ["1_Pooling/config.json", {}, /pooling mode/],
    ["1_Pooling/config.json", { pooling_mode: "mean", gate: 2 }, /gate/],
    ["config_sentence_transformers.json", { similarity_fn_name: "euclidean" }, /similarity_fn_name/],
    ["config_sentence_transformers.json", { default_prompt_name: "x", prompts: {} }, /default_prompt_name/],
    ["config_sentence_transformers.json", { model_type: "SparseEncoder" }, /model_type/],
    ["sentence_bert_config.json", { do_lower_case: true }, /do_lower_case/],
  ] as const) {
    assert.throws(
      () => readSentenceSettings(variant(t, {}, { ...good, [file]: value })),
      { code: "ERR_CHECKPOINT_CONFIG", message: named },
      `${file} ${JSON.stringify(value)}`,
    );
  }
});

test("config.json: settings that change numbers are refused by name, others pass", (t) => {
  const before = numLiveTensors();
  for (const [change, named] of [
    [{ use_sliding_window: true, sliding_window: 4 }, /use_sliding_window/],
    [{ layer_types: ["sliding_attention", "full_attention", "full_attention"] }, /layer_types/],
    [{ rope_scaling: { rope_type: "yarn", factor: 4 } }, /yarn/],
    [{ rope_parameters: { rope_theta: 1e6, rope_type: "linear", factor: 2 } }, /linear/],
    [{ rope_parameters: { rope_theta: 1e6, rope_type: "default", partial_rotary_factor: 0.5 } }, /partial_rotary/],
    [{ rope_theta: 10000 }, /one rope_theta/],
    [{ partial_rotary_factor: 0.5 }, /partial_rotary_factor/],
    [{ attention_bias: true }, /attention_bias/],
    [{ hidden_act: "gelu" }, /hidden_act/],
    [{ attn_logit_softcapping: 50 }, /attn_logit_softcapping/],
    [{ final_logit_softcapping: 30 }, /final_logit_softcapping/],
    [{ use_bidirectional_attention: true }, /use_bidirectional_attention/],
    [{ quantization_config: { bits: 4 } }, /quantization_config/],
    [{ residual_multiplier: 0.2 }, /residual_multiplier/],
    [{ num_experts: 8 }, /num_experts/],
  ] as const) {
    assert.throws(
      () => loadTextEmbedder(variant(t, change)),
      { code: "ERR_CHECKPOINT_CONFIG", message: named },
      JSON.stringify(change),
    );
  }
  const harmless = {
    ...{ _name_or_path: "x", auto_map: { AutoModel: "modeling.Qwen2Model" }, sliding_window: 32768, torch_dtype: "x" },
    ...{
      max_window_layers: 2,
      use_cache: false,
      some_new_switch: false,
      unsloth_version: "2025",
      id2label: { 0: "a" },
    },
  };
  assert.ok(distance(vectorOf(variant(t, harmless)), CAUSAL) < TOLERANCE);
  assert.equal(numLiveTensors(), before);
});
