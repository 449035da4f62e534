// Qwen2.5 (tied and untied) and Qwen3-Embedding against Hugging Face's activations, tokens, gradients, AdamW steps and
// vectors; every family has a negative control.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { readTextCheckpoint } from "../../../src/models/qwen-text/checkpoint.ts";
import type { TextModelConfig } from "../../../src/models/qwen-text/config.ts";
import { loadTextEmbedder, TextEmbedder } from "../../../src/models/qwen-text/embedder.ts";
import { loadTextModel, TextModel } from "../../../src/models/qwen-text/text-model.ts";
import { AdamW, clipGradNorm } from "../../../src/nn/index.ts";
import {
  noGrad,
  numLiveTensors,
  op,
  type SafetensorsFile,
  scope,
  type Tensor,
  tensor,
} from "../../../src/tensor/index.ts";
import { loadTokenizer } from "../../../src/text/tokenizer.ts";
import { onDevice, onHost, testDevice } from "../../support/device.ts";
import { sharedPath } from "../../support/shared.ts";
import { closeGoldens, openGolden, relativeError } from "../qwen-omni/golden.ts";

/** Of the tensor's largest value; float32 on CPU, across libtorch versions. */
/** The task of the model card's examples. */
const SEARCH_INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query";
const ACTIVATION_TOLERANCE = 2e-5;
/** A mistake is at least this much worse. */
const MISTAKE = 50 * ACTIVATION_TOLERANCE;
const GRADIENT_TOLERANCE = 2e-3;
/** Gradients below this share of the global norm are rounding noise around an exact zero. */
const NOISE_SHARE = 1e-5;
const LOSS_TOLERANCE = 1e-4;
const NORM_TOLERANCE = 1e-3;
/** Three steps of at most about 1e-3 each: a parameter that was not stepped differs by more. */
const STEP_TOLERANCE = 2e-4;
const VECTOR_TOLERANCE = 1e-5;

const root = sharedPath("golden/qwen-omni");

interface Skips {
  skip(message: string): void;
}

/** Runs a body with a golden text model, and checks that it leaves no tensor behind. */
function withModel(t: Skips, name: string, body: (model: TextModel, golden: SafetensorsFile) => void): void {
  if (!root || !existsSync(path.join(root, name))) {
    t.skip(`golden/qwen-omni/${name} is absent`);
    return;
  }
  const before = numLiveTensors();
  {
    using model = loadTextModel(path.join(root, name), { device: testDevice });
    scope(() => body(model, openGolden(root, name, "golden.safetensors")));
  }
  closeGoldens();
  assert.equal(numLiveTensors(), before);
}

/** The rows of a left-padded batch without their padding. */
function textsOf(golden: SafetensorsFile): { texts: Int32Array[]; padding: number[] } {
  const ids = golden.tensor("input_ids");
  const [batch, length] = ids.shape as [number, number];
  const padding = golden
    .tensor("attention_mask")
    .sum(1)
    .toNumbers()
    .map((kept) => length - kept);
  const texts = Array.from({ length: batch }, (_, b) => ids.select(0, b).toInt32Array().slice(padding[b]!));
  return { texts, padding };
}

/** Largest difference at real rows, relative to the largest expected value. */
function worst(got: Tensor, want: Tensor, padding: readonly number[]): number {
  const rows = (all: Tensor) =>
    op.cat(
      padding.map((pads, b) => all.select(0, b).narrow(0, pads, all.size(1) - pads)),
      { dim: 0 },
    );
  return relativeError(rows(got), rows(want));
}

/** The same checkpoint with another configuration or other parameters; the caller of the original disposes. */
function altered(
  name: string,
  change: {
    text?: Partial<TextModelConfig["text"]>;
    zero?: string;
    drop?: string;
    scale?: readonly [name: string, factor: number];
  },
): TextModel {
  const checkpoint = readTextCheckpoint(path.join(root!, name), "optional", { device: testDevice });
  const parameters = new Map(checkpoint.parameters);
  for (const key of [change.zero, change.drop]) if (key !== undefined) assert.ok(parameters.has(key), key);
  if (change.zero !== undefined) {
    const before = parameters.get(change.zero)!;
    parameters.set(change.zero, op.zerosLike(before));
    before.dispose();
  }
  if (change.scale !== undefined) {
    const [key, factor] = change.scale;
    const original = parameters.get(key)!;
    parameters.set(key, original.mul(factor));
    original.dispose();
  }
  if (change.drop !== undefined) {
    parameters.get(change.drop)!.dispose();
    parameters.delete(change.drop);
  }
  const config = { ...checkpoint.config, text: { ...checkpoint.config.text, ...change.text } };
  return new TextModel({ ...checkpoint, parameters, config });
}

for (const name of ["qwen2_tied", "qwen2_untied"]) {
  test(`${name}: hidden states, logits and mistakes`, (t) =>
    withModel(t, name, (model, golden) =>
      noGrad(() => {
        const { texts, padding } = textsOf(golden);
        assert.equal(model.parameters().has("lm_head.weight"), name === "qwen2_untied");
        const hidden = model.hiddenStates(texts);
        assert.ok(worst(hidden, golden.tensor("hidden_3"), padding) < ACTIVATION_TOLERANCE);
        assert.ok(worst(model.logits(hidden), golden.tensor("logits"), padding) < ACTIVATION_TOLERANCE);
        const bias = "model.layers.1.self_attn.k_proj.bias";
        const value = "model.layers.1.self_attn.v_proj.bias";
        for (const change of [
          { text: { ropeTheta: 10000 } },
          { text: { normEps: 1e-2 } },
          { zero: value },
          { zero: bias },
          { drop: bias },
        ]) {
          using wrong = altered(name, change);
          const error = scope(() => worst(wrong.hiddenStates(texts), golden.tensor("hidden_3"), padding));
          // A bias of the keys shifts every score of a query alike, but for the rotation.
          assert.ok(
            error > ACTIVATION_TOLERANCE * (JSON.stringify(change).includes("k_proj") ? 5 : 50),
            JSON.stringify(change),
          );
        }
        const shifted = texts.map((ids) => ids.map((id, i) => (i === 3 ? (id + 1) % 640 : id)));
        assert.ok(worst(model.hiddenStates(shifted), golden.tensor("hidden_3"), padding) > MISTAKE, "another token");
      }),
    ));

  test(`${name}: branches see their text`, (t) =>
    withModel(t, name, (model, golden) =>
      noGrad(() => {
        const { texts, padding } = textsOf(golden);
        const cut = 7;
        const prompts = texts.map((ids) => ids.slice(0, -cut));
        const completions = texts.map((ids) => [ids.slice(-cut)]);
        const hidden = model.hidden(prompts, completions); // row c predicts completion token c
        const want = golden.tensor("hidden_3");
        texts.forEach((_, b) => {
          const rows = want.select(0, b).narrow(0, want.size(1) - cut - 1, cut);
          assert.ok(relativeError(hidden.select(0, b), rows) < ACTIVATION_TOLERANCE, `row ${b}`);
          const next = want.select(0, b).narrow(0, want.size(1) - cut, cut);
          assert.ok(relativeError(hidden.select(0, b), next) > MISTAKE, "shifted by one");
        });
        assert.equal(padding.length, 2);
      }),
    ));

  test(`${name}: greedy tokens, repetition penalty, early stop`, (t) =>
    withModel(t, name, (model, golden) => {
      const { texts } = textsOf(golden);
      const tokens = (key: string) => {
        const want = golden.tensor(key);
        return [0, 1].map((b) => [...want.select(0, b).toInt32Array()]);
      };
      const sample = (extra: object = {}) =>
        model
          .sample(texts, { numSamples: 1, maxNewTokens: 12, temperature: 0, ...extra })
          .map(([completion]) => [...completion!.ids]);
      // What follows a stop token is padding in the reference.
      const upToStop = (rows: number[][], stop: readonly number[]) =>
        rows.map((ids) => {
          const end = ids.findIndex((id) => stop.includes(id));
          return end < 0 ? ids : ids.slice(0, end + 1);
        });
      assert.deepEqual(sample(), upToStop(tokens("generated"), model.stopIds));
      const penalised = upToStop(tokens("generated_rep_penalty_1_05"), model.stopIds);
      assert.deepEqual(sample({ repetitionPenalty: 1.05 }), penalised);
      assert.notDeepEqual(sample({ repetitionPenalty: 3 }), penalised);
      const stop = golden.tensor("early_stop_eos").toNumbers();
      const early = new TextModel({
        directory: "",
        config: { ...model.config, stopIds: stop },
        parameters: model.parameters(),
        companions: new Map(),
      });
      const stopped = early
        .sample(texts, { numSamples: 1, maxNewTokens: 12, temperature: 0 })
        .map(([completion]) => [...completion!.ids]);
      assert.deepEqual(stopped, upToStop(tokens("generated_early_stop"), stop));
      assert.notDeepEqual(stopped, upToStop(tokens("generated"), model.stopIds));
    }));

  test(`${name}: loss, gradients and three AdamW steps`, (t) =>
    withModel(t, name, (model, golden) => {
      const info = JSON.parse(readFileSync(path.join(root!, name, "golden.json"), "utf8")) as {
        losses: number[];
        grad_norms: number[];
      };
      const { texts } = textsOf(golden);
      const labels = onDevice(golden.tensor("labels"));
      const length = labels.size(1);
      const parameters = model.parameters();
      const all = [...parameters.values()];
      for (const parameter of all) parameter.requiresGrad = true;
      const decayed = all.filter((parameter) => parameter.ndim > 1);
      const plain = all.filter((parameter) => parameter.ndim <= 1);
      using optimizer = new AdamW([{ parameters: decayed, weightDecay: 0.1 }, { parameters: plain }], {
        lr: 1e-3,
        betas: [0.9, 0.95],
        eps: 1e-8,
      });
      for (let step = 0; step < 3; step++) {
        scope(() => {
          const logits = model.logits(model.hiddenStates(texts));
          const loss = op.crossEntropyLoss(
            logits.narrow(1, 0, length - 1).reshape([-1, model.config.text.vocabSize]),
            labels.narrow(1, 1, length - 1).reshape([-1]),
          );
          loss.backward();
          assert.ok(Math.abs(loss.item() / info.losses[step]! - 1) < LOSS_TOLERANCE, `loss ${step}`);
        });
        const norm = clipGradNorm(all, 1);
        assert.ok(Math.abs(norm / info.grad_norms[step]! - 1) < NORM_TOLERANCE, `norm ${step}`);
        // The stored ones are clipped: their norm is 1.
        if (step === 0) checkGradients(parameters, golden);
        optimizer.step();
        optimizer.zeroGrad();
      }
      let largestMove = 0;
      let numCompared = 0;
      using start = loadTextModel(path.join(root!, name), { device: testDevice });
      for (const [key, parameter] of parameters) {
        if (!golden.entries.has(`after3.${key}`)) continue;
        numCompared++;
        const want = golden.tensor(`after3.${key}`);
        assert.ok(onHost(parameter.detach()).sub(want).abs().max().item() < STEP_TOLERANCE, key);
        largestMove = Math.max(largestMove, onHost(start.parameters().get(key)!).sub(want).abs().max().item());
      }
      assert.ok(numCompared > 5, `${numCompared} parameters`);
      assert.ok(largestMove > 5 * STEP_TOLERANCE, "steps that were not made would show");
    }));
}

function checkGradients(parameters: ReadonlyMap<string, Tensor>, golden: SafetensorsFile): void {
  let numCompared = 0;
  for (const [key, parameter] of parameters) {
    if (!golden.entries.has(`grad0.${key}`)) continue; // the committed part has some
    const want = golden.tensor(`grad0.${key}`);
    if (want.norm().item() < NOISE_SHARE) continue;
    assert.ok(relativeError(parameter.grad!, want) < GRADIENT_TOLERANCE, key);
    assert.ok(relativeError(parameter.grad!.mul(1.01), want) > GRADIENT_TOLERANCE, `${key}: a wrong one would show`);
    numCompared++;
  }
  assert.ok(numCompared > 5, `${numCompared} gradients`);
}

test("qwen3-embedding: token ids, vectors of queries and documents, in any batch", (t) => {
  if (!root) return t.skip("golden/qwen-omni is absent");
  const directory = path.join(root, "qwen3_embed");
  const info = JSON.parse(readFileSync(path.join(directory, "golden.json"), "utf8")) as {
    texts: string[];
    ids: number[][];
  };
  const before = numLiveTensors();
  scope(() => {
    const golden = openGolden(directory, "golden.safetensors");
    const want = golden.tensor("embeddings").toFloat32Array();
    const distance = (got: Float32Array, expected: Float32Array) =>
      got.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
    using embedder = loadTextEmbedder(directory, { device: testDevice });
    assert.equal(embedder.dimension, 64);
    assert.deepEqual(
      info.texts.map((text) => [...embedder.encode(text)]),
      info.ids,
    );
    assert.ok(distance(embedder.embed(info.texts), want) < VECTOR_TOLERANCE);
    const single = Float32Array.from(info.texts.flatMap((text) => [...embedder.embed([text])]));
    assert.ok(distance(single, golden.tensor("embeddings_unpadded").toFloat32Array()) < VECTOR_TOLERANCE);
    assert.equal(embedder.embed([]).length, 0);
    const vectors = tensor(embedder.embed(info.texts), [info.texts.length, 64]);
    assert.ok(relativeError(vectors.matmul(vectors.t()), golden.tensor("similarity")) < VECTOR_TOLERANCE);

    // Queries carry the instruction; a document has another vector than the same text as a query.
    using queries = loadTextEmbedder(directory, { instruction: SEARCH_INSTRUCTION, device: testDevice });
    const prefix = `Instruct: ${SEARCH_INSTRUCTION}\nQuery:`;
    const bare = info.texts.filter((text) => text.startsWith(prefix)).map((text) => text.slice(prefix.length));
    assert.equal(bare.length, 2);
    const asQueries = queries.embed(bare);
    assert.ok(distance(asQueries, want.slice(0, asQueries.length)) < VECTOR_TOLERANCE);
    assert.ok(distance(queries.embedDocuments(bare), want) > MISTAKE);
    assert.notEqual(queries.name, embedder.name);

    using short = loadTextEmbedder(directory, { dimension: 32, device: testDevice });
    assert.ok(distance(short.embed(info.texts), golden.tensor("embeddings_mrl32").toFloat32Array()) < VECTOR_TOLERANCE);
    for (const dimension of [0, 65, 1.5]) {
      assert.throws(() => loadTextEmbedder(directory, { dimension }), { code: "ERR_EMBEDDER" });
    }
    // A cut text keeps the token that is pooled.
    using cut = loadTextEmbedder(directory, { maxTokens: 5 });
    assert.deepEqual([...cut.encode(info.texts[2]!)], [...info.ids[2]!.slice(0, 4), info.ids[2]!.at(-1)!]);
  });
  closeGoldens();
  assert.equal(numLiveTensors(), before);
});

test("qwen3-embedding: a damaged weight gives an error, not a vector", (t) => {
  if (!root) return t.skip("golden/qwen-omni is absent");
  const before = numLiveTensors();
  {
    using embedder = new TextEmbedder(
      altered("qwen3_embed", { scale: ["model.norm.weight", Number.NaN] }),
      loadTokenizer(path.join(root, "qwen3_embed")),
    );
    assert.throws(() => embedder.embed(["a smile"]), { code: "ERR_CHECKPOINT_VALUES", message: /got NaN or infinity/ });
  }
  assert.equal(numLiveTensors(), before);
});

test("qwen3-embedding: hidden states, keys with and without prefix, mistakes", (t) => {
  if (!root || !existsSync(path.join(root, "qwen3_embed_prefixed"))) {
    return t.skip("golden/qwen-omni/qwen3_embed_prefixed is absent");
  }
  const before = numLiveTensors();
  const prefixed = mkdtempSync(path.join(tmpdir(), "oppo-embed-"));
  try {
    cpSync(path.join(root, "qwen3_embed_prefixed/model.safetensors"), path.join(prefixed, "model.safetensors"));
    writeFileSync(path.join(prefixed, "config.json"), readFileSync(path.join(root, "qwen3_embed/config.json")));
    noGrad(() =>
      scope(() => {
        const golden = openGolden(root, "qwen3_embed", "golden.safetensors");
        const { texts, padding } = textsOf(golden);
        const want = golden.tensor("hidden_3");
        const errorOf = (model: TextModel) => scope(() => worst(model.hiddenStates(texts), want, padding));
        using model = loadTextModel(path.join(root, "qwen3_embed"), { device: testDevice });
        using other = loadTextModel(prefixed, { device: testDevice });
        assert.ok(errorOf(model) < ACTIVATION_TOLERANCE);
        assert.ok(errorOf(other) < ACTIVATION_TOLERANCE);
        for (const change of [
          { drop: "model.layers.0.self_attn.q_norm.weight" },
          { drop: "model.layers.2.self_attn.k_norm.weight" },
          { text: { ropeTheta: 10000 } },
        ]) {
          using wrong = altered("qwen3_embed", change);
          assert.ok(errorOf(wrong) > MISTAKE, JSON.stringify(change));
        }
      }),
    );
    closeGoldens();
  } finally {
    rmSync(prefixed, { recursive: true });
  }
  assert.equal(numLiveTensors(), before);
});
