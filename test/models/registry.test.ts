// The way into models: which row a directory gets, what each kind of model serves for, and what is told of others.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { buildTheatreTokenizer } from "../../src/data/theatre/tokenizer.ts";
import { withoutStop } from "../../src/models/omni-model.ts";
import { publishedConfig } from "../../src/models/qwen-omni/config/config-json.ts";
import { qwenOmni } from "../../src/models/qwen-omni/row.ts";
import { qwen3 } from "../../src/models/qwen-text/row.ts";
import { freshShapes, initFresh, loadModel, loadTextEmbedder, readArchitecture } from "../../src/models/registry.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const textConfig = {
  model_type: "qwen3",
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  intermediate_size: 16,
  vocab_size: 32,
  rms_norm_eps: 1e-6,
  hidden_act: "silu",
  rope_theta: 10000,
  max_position_embeddings: 128,
};

function folderOf(t: TestContext, config: object): string {
  const directory = temporaryFolder(t);
  writeFileSync(join(directory, "config.json"), JSON.stringify(config));
  return directory;
}

test("a made model is loaded, read and seen as what it is", async (t) => {
  const directory = join(temporaryFolder(t), "tiny");
  await initFresh("tiny", directory, buildTheatreTokenizer(), { seed: 1, dtype: "float32" });
  using model = await loadModel(directory);
  assert.equal(model.directory, directory);
  assert.equal(model.device, "cpu");
  const said = model.encodeText("a smile");
  const [end] = model.encodeText("<|im_end|>");
  assert.deepEqual(withoutStop(model, Int32Array.of(...said, end!)), said);
  assert.deepEqual(withoutStop(model, said), said);
  assert.deepEqual(withoutStop(model, new Int32Array(0)), new Int32Array(0));
  assert.deepEqual(
    [...new Set([...model.parameters().keys()].map((name) => model.partOf(name)))],
    ["audio tower", "vision tower", "language model", "head"],
  );
  const { title, modelType, specs } = await readArchitecture(directory);
  assert.deepEqual([title, modelType], ["Qwen2.5-Omni thinker", "qwen2_5_omni_thinker"]);
  assert.deepEqual(
    specs.map(({ name }) => name),
    [...model.parameters().keys()],
  );
  await assert.rejects(loadTextEmbedder(directory), {
    code: "ERR_CHECKPOINT_ARCHITECTURE",
    message:
      /expected a model of texts \(model_type .*qwen3.*\), got qwen2_5_omni_thinker, a Qwen2.5-Omni thinker\. Use it with/,
  });
});

test("what a model keeps of a clip changes its key with its video settings, and with nothing else", async (t) => {
  const root = temporaryFolder(t);
  const keyOf = async (seed: number, video: object | null) => {
    const directory = join(root, `${seed}-${JSON.stringify(video).length}`);
    await initFresh("tiny", directory, buildTheatreTokenizer(), { seed, dtype: "float32" });
    const file = join(directory, "video_preprocessor_config.json");
    if (video !== null) writeFileSync(file, JSON.stringify(video));
    using model = await loadModel(directory);
    return model.fitKey;
  };
  const key = await keyOf(1, null);
  assert.equal(await keyOf(2, null), key);
  const slow = await keyOf(1, { fps: 1, min_pixels: 3136, max_pixels: 12544 });
  assert.notEqual(slow, key);
  assert.notEqual(await keyOf(1, { fps: 1, min_pixels: 3136, max_pixels: 125440 }), slow);
});

test("a text model says what it serves for where a model that sees and hears is asked for", async (t) => {
  const directory = folderOf(t, textConfig);
  const { title, decoder } = await readArchitecture(directory);
  assert.equal(title, qwen3.title);
  assert.deepEqual(decoder.ropeSections, [2], "one position per token");
  await assert.rejects(loadModel(directory), {
    code: "ERR_CHECKPOINT_ARCHITECTURE",
    message:
      /expected a model that sees and hears \(model_type .*qwen2_5_omni.*\), got qwen3, a Qwen3 text model .*embedder: --embedder qwen3:DIRECTORY/,
  });
});

test("an unknown model_type gets the list of those that are known", async (t) => {
  for (const type of ["llama", "constructor", undefined, 3]) {
    const directory = folderOf(t, { ...textConfig, model_type: type });
    const refused = {
      code: "ERR_CHECKPOINT_ARCHITECTURE",
      message: /expected model_type .*qwen2_5_omni_thinker.*qwen3.*, got ("llama"|"constructor"|none|3)\./,
    };
    await assert.rejects(loadModel(directory), refused);
    await assert.rejects(loadTextEmbedder(directory), refused);
    await assert.rejects(readArchitecture(directory), refused);
  }
  await assert.rejects(loadModel(join(temporaryFolder(t), "absent")), { code: "ERR_CHECKPOINT_MISSING" });
});

test("the shapes of new models are of their architectures, and large ones as large as they say", async (t) => {
  assert.equal(freshShapes().get("tiny"), null);
  const names = new Map<string, number>();
  const idOf = (token: string) => names.get(token) ?? names.set(token, names.size).size - 1;
  for (const size of ["3b", "7b"] as const) {
    const { specs } = await qwenOmni.inspect(publishedConfig(size, idOf), size);
    const numParameters = specs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    assert.equal(freshShapes().get(`qwen2.5-omni-${size}`), numParameters);
  }
  const folder = join(temporaryFolder(t), "gpt");
  await assert.rejects(initFresh("gpt", folder, buildTheatreTokenizer(), { seed: 1, dtype: "float32" }), {
    code: "ERR_MODEL_SHAPE",
    message: /expected .*qwen2\.5-omni-7b.*tiny.*, got "gpt"/,
  });
});
