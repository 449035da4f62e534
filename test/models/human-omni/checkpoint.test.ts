// HumanOmni directories: keys and counts of the published shape, what may be absent, towers from folders of their own, paths that are
// not followed, what a save keeps, and what is refused with the way out.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { buildTheatreTokenizer } from "../../../src/data/theatre/tokenizer.ts";
import { freshConfig } from "../../../src/models/human-omni/config/config-json.ts";
import { findTowers } from "../../../src/models/human-omni/config/find-towers.ts";
import { loadHumanOmni } from "../../../src/models/human-omni/load.ts";
import { AUDIO, QUESTION, VISION } from "../../../src/models/human-omni/parameters.ts";
import { humanOmni } from "../../../src/models/human-omni/row.ts";
import { inspectModel } from "../../../src/models/inspect.ts";
import { freshShapes, initFresh, loadModel, readArchitecture } from "../../../src/models/registry.ts";
import { noGrad, op, openSafetensors, scope, streamSafetensors, type Tensor } from "../../../src/tensor/index.ts";
import { repositoryRoot } from "../../support/repository.ts";
import { writeSparse } from "../../support/sparse-model.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { goldenJson, goldenOptions } from "./golden.ts";

async function tinyFolder(t: TestContext): Promise<string> {
  const directory = join(temporaryFolder(t), "tiny");
  await initFresh("human-omni-tiny", directory, buildTheatreTokenizer(), { seed: 3, dtype: "float32" });
  return directory;
}

const configOf = (directory: string) => JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));

function changeConfig(directory: string, change: object): void {
  writeFileSync(join(directory, "config.json"), JSON.stringify({ ...configOf(directory), ...change }));
}

/** The weights of a folder, changed. */
function rewriteWeights(
  directory: string,
  change: (name: string, x: Tensor) => readonly [string, Tensor] | null,
  to = directory,
): void {
  const path = join(directory, "model.safetensors");
  const other = `${path}.new`;
  scope(() => {
    using file = openSafetensors(path);
    const changed = [...file.entries.keys()].flatMap((name) => {
      const one = change(name, file.tensor(name).clone());
      return one === null ? [] : [one];
    });
    const tensors = new Map(changed);
    streamSafetensors(other, tensors, (name) => tensors.get(name)!, { format: "pt" });
  });
  renameSync(other, join(to, "model.safetensors"));
}

const realConfig = (size: "0.5b" | "7b") => {
  const is7b = size === "7b";
  return {
    architectures: ["HumanOmniQwen2ForCausalLM"],
    model_type: "HumanOmni_qwen2",
    attention_dropout: 0,
    audio_hidden_size: 1280,
    eos_token_id: 151645,
    hidden_act: "silu",
    hidden_size: is7b ? 3584 : 896,
    hyper_layers: [15, 22],
    image_aspect_ratio: "pad",
    intermediate_size: is7b ? 18944 : 4864,
    max_position_embeddings: 32768,
    max_window_layers: 21,
    mm_audio_projector_type: "mlp2x_gelu",
    mm_audio_tower: "/home/somebody/whisper-large-v3",
    mm_hidden_size: is7b ? 1152 : 768,
    mm_projector_lr: null,
    mm_projector_type: is7b ? "all_in_one" : "all_in_one_small",
    mm_tunable_parts: "mm_mlp_adapter,audio_projector,mm_language_model",
    mm_use_x_start_end: true,
    mm_vision_select_feature: "patch",
    mm_vision_select_layer: -2,
    mm_vision_tower: is7b ? "google/siglip-so400m-patch14-384" : "google/siglip-base-patch16-224",
    num_attention_heads: is7b ? 28 : 14,
    num_frames: is7b ? 32 : 8,
    num_hidden_layers: is7b ? 28 : 24,
    num_key_value_heads: is7b ? 4 : 2,
    rms_norm_eps: 1e-6,
    rope_scaling: null,
    rope_theta: 1e6,
    sliding_window: null,
    tie_word_embeddings: !is7b,
    use_cache: true,
    use_mm_proj: true,
    use_sliding_window: false,
    vocab_size: is7b ? 152064 : 151936,
  };
};

test("the published 0.5B: every key with its shape, and its parameters to the last", goldenOptions, async () => {
  type Keys = Record<string, readonly number[] | { shape: readonly number[]; count: number }>;
  const { keys, parameters } = goldenJson<{ keys: Keys; parameters: number }>("checkpoint_keys_0.5b.json");
  const { specs } = await humanOmni.inspect(realConfig("0.5b"), "nowhere/config.json");
  const want = Object.entries(keys).flatMap(([name, value]) => {
    if (Array.isArray(value)) return [[name, (value as number[]).join()]];
    const { shape, count } = value as { shape: readonly number[]; count: number };
    return Array.from({ length: count }, (_, i) => [name.replace("{i}", String(i)), shape.join()]);
  });
  assert.deepEqual(Object.fromEntries(specs.map(({ name, shape }) => [name, shape.join()])), Object.fromEntries(want));
  const count = (all: typeof specs) => all.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  assert.equal(count(specs), 1_373_177_925);
  assert.equal(count(specs), parameters);
  assert.equal(freshShapes().get("human-omni-0.5b"), count(specs));
  const fresh = freshConfig("0.5b", 0, () => 151645);
  for (const [key, value] of Object.entries(realConfig("0.5b"))) {
    if (key in fresh && !/tower$/.test(key)) assert.deepEqual(fresh[key], value, key);
  }
  const large = await humanOmni.inspect(realConfig("7b"), "nowhere/config.json");
  assert.equal(freshShapes().get("human-omni-7b"), count(large.specs));
});

test("a real shape is inspected within a second, unread; loading maps it", async (t) => {
  const directory = temporaryFolder(t);
  const { specs } = await humanOmni.inspect(realConfig("0.5b"), "nowhere/config.json");
  writeSparse(
    join(directory, "model.safetensors"),
    specs.map(({ name, shape }) => [name, shape]),
  );
  writeFileSync(join(directory, "config.json"), JSON.stringify(realConfig("0.5b")));
  const found = await inspectModel(directory);
  assert.equal(found.numParameters, 1_373_177_925);
  assert.deepEqual(
    found.parts.map(({ name, numParameters }) => [name, numParameters]),
    [
      ["language model", 494_032_768],
      ["vision tower", 120_560_064],
      ["unused heads", 8_006_146],
      ["question encoder", 108_891_648],
      ["gate", 2_766_851],
      ["audio tower", 638_920_448],
    ],
  );
  assert.equal(
    found.parts.reduce((sum, { numParameters }) => sum + numParameters, 0),
    1_373_177_925,
  );
  assert.ok(
    found.notices.some((notice) => /mm_audio_tower "\/home\/somebody\/whisper-large-v3" is not followed/.test(notice)),
  );
  assert.deepEqual(found.problems, { missing: [], unexpected: [], misshapen: [] });
  const script =
    `import { inspectModel } from "./models/inspect.js"; await inspectModel(${JSON.stringify(directory)});` +
    "const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();" +
    "console.log(JSON.stringify({ seconds: (userCPUTime + systemCPUTime) / 1e6, bytes: maxRSS * 1024 }));";
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    cwd: join(repositoryRoot, "build/js/src"),
  });
  const { seconds, bytes } = JSON.parse(stdout || `{"error": ${JSON.stringify(stderr)}}`);
  assert.ok(seconds < 1 && bytes < 300e6, stdout);
});

test("a new model loads as what it is, saves, and loads again with its heads and towers' files", async (t) => {
  const directory = await tinyFolder(t);
  const { title, modelType } = await readArchitecture(directory);
  assert.deepEqual([title, modelType], ["HumanOmni / R1-Omni", "HumanOmni_qwen2"]);
  assert.equal((await inspectModel(directory)).isComplete, true);
  using model = await loadModel(directory);
  assert.deepEqual(
    [...new Set([...model.parameters().keys()].map((name) => model.partOf(name)))],
    ["language model", "vision tower", "question encoder", "gate", "audio tower"],
  );
  assert.match(model.notices.join(), /tensors of heads and layers that nothing reads are left out/);
  const copy = join(temporaryFolder(t), "copy");
  model.save(copy);
  const [first, second] = [await inspectModel(directory), await inspectModel(copy)];
  assert.deepEqual({ ...second, directory: "", notices: [] }, { ...first, directory: "", notices: [] });
  using again = await loadModel(copy);
  assert.equal(again.fitKey, model.fitKey);
  const differ = noGrad(() =>
    [...model.parameters()].filter(([name, x]) => !scope(() => op.equal(x, again.parameters().get(name)!))),
  );
  assert.deepEqual(differ, []);
  const text = "How does she feel? <audio> \u00e9";
  assert.deepEqual(
    again.promptTokens(text, { video: null, audio: null }),
    model.promptTokens(text, { video: null, audio: null }),
  );
});

test("heads that are absent are not missed; anything else is named", async (t) => {
  const directory = await tinyFolder(t);
  const isHead = (name: string) =>
    /\.head\.|pooler|classifier|tower\.projector|post_layernorm|layers\.2\..*/.test(name) &&
    !name.startsWith("model.layers.");
  rewriteWeights(directory, (name, x) => (isHead(name) ? null : [name, x]));
  using model = loadHumanOmni(directory);
  assert.equal(model.parts.checkpoint.unused.size, 0);
  rewriteWeights(directory, (name, x) => (name === "model.bert_gate.0.bias" ? null : [name, x]));
  assert.throws(() => loadHumanOmni(directory), {
    code: "ERR_CHECKPOINT_KEYS",
    message: /1 missing \(model\.bert_gate\.0\.bias\)/,
  });
  rewriteWeights(directory, (name, x) => [name === "model.norm.weight" ? "model.norm.scale" : name, x]);
  assert.throws(() => loadHumanOmni(directory), {
    code: "ERR_CHECKPOINT_KEYS",
    message: /unexpected \(model\.norm\.scale\)/,
  });
});

test("towers that the weights lack: what to fetch, and where; their own folders then serve", async (t) => {
  const directory = await tinyFolder(t);
  const whole = join(temporaryFolder(t), "whole");
  cpSync(directory, whole, { recursive: true });
  const towers = [
    { folder: "siglip-tiny", ours: `${VISION}.`, theirs: "vision_model." },
    { folder: "whisper-tiny", ours: `${AUDIO}.`, theirs: "model.encoder." },
    { folder: "bert-tiny", ours: `${QUESTION}.`, theirs: "bert." },
  ];
  const isOfTower = (name: string) =>
    towers.some(({ ours }) => name.startsWith(ours)) || name.startsWith("model.audio_tower.");
  rewriteWeights(directory, (name, x) => (isOfTower(name) ? null : [name, x]));
  const said = (await inspectModel(directory)).notices.join("\n");
  for (const { folder } of towers) {
    const sentence = new RegExp(
      `got none\\. Fetch config\\.json and model\\.safetensors of ${folder} into .*${folder}`,
    );
    assert.match(said, sentence);
    assert.throws(() => loadHumanOmni(directory), { code: "ERR_CHECKPOINT_KEYS", message: sentence });
  }
  for (const { folder, ours, theirs } of towers) {
    cpSync(join(whole, "model.safetensors"), join(directory, folder, "model.safetensors"));
    rewriteWeights(join(directory, folder), (name, x) => {
      if (!name.startsWith(ours)) return [`other.${name}`, x];
      const theirName = (theirs + name.slice(ours.length))
        .replace("LayerNorm.weight", "LayerNorm.gamma")
        .replace("LayerNorm.bias", "LayerNorm.beta");
      return [theirName, x];
    });
  }
  using apart = loadHumanOmni(directory);
  using one = loadHumanOmni(whole);
  const differ = noGrad(() =>
    [...one.parameters()].filter(([name, x]) => !scope(() => op.equal(x, apart.parameters().get(name)!))),
  );
  assert.deepEqual(
    differ.map(([name]) => name),
    [],
  );
  assert.equal((await inspectModel(directory)).isComplete, true);
});

test("paths in config.json are not followed, and said so", async (t) => {
  const directory = await tinyFolder(t);
  assert.throws(() => loadHumanOmni(directory, { videoTime: "sampled" }), {
    code: "ERR_CONFIG",
    message: /count places/,
  });
  changeConfig(directory, { mm_vision_tower: "/etc/../tmp/siglip-tiny", mm_audio_tower: "C:\\models\\whisper-tiny" });
  const { vision, audio, question } = findTowers(directory, configOf(directory));
  assert.deepEqual([vision.folder, audio.folder, question.folder], ["siglip-tiny", "whisper-tiny", "bert-tiny"]);
  using model = loadHumanOmni(directory);
  assert.equal(model.notices.filter((notice) => /is not followed/.test(notice)).length, 2);
  assert.match(
    model.notices.join("\n"),
    /mm_vision_tower "\/etc\/\.\.\/tmp\/siglip-tiny" is not followed; siglip-tiny of this folder counts/,
  );
});

test("configurations that would give other numbers", async (t) => {
  const directory = await tinyFolder(t);
  const json = configOf(directory);
  for (const [change, message] of [
    [{ mm_projector_type: "stc_connector" }, /mm_projector_type/],
    [{ mm_hidden_size: 65 }, /mm_hidden_size: expected the width of siglip-tiny, 64, got 65/],
    [{ mm_vision_select_layer: -9 }, /mm_vision_select_layer: expected at least -4/],
    [{ rope_scaling: { type: "yarn", factor: 4 } }, /rope/],
    [{ surprising: true }, /surprising true/],
    [{ num_frames: 100000 }, /num_frames/],
  ] as const) {
    writeFileSync(join(directory, "config.json"), JSON.stringify({ ...json, ...change }));
    assert.throws(() => loadHumanOmni(directory), { code: "ERR_CHECKPOINT_CONFIG", message }, JSON.stringify(change));
  }
  writeFileSync(join(directory, "config.json"), JSON.stringify(json));
  const tower = join(directory, "siglip-tiny", "config.json");
  const own = JSON.parse(readFileSync(tower, "utf8"));
  writeFileSync(tower, JSON.stringify({ ...own, vision_config: { ...own.vision_config, hidden_act: "relu" } }));
  assert.throws(() => loadHumanOmni(directory), { code: "ERR_CHECKPOINT_CONFIG", message: /hidden_act/ });
  rmSync(join(directory, "siglip-tiny"), { recursive: true });
  assert.throws(() => loadHumanOmni(directory), {
    code: "ERR_CHECKPOINT_CONFIG",
    message:
      /mm_vision_tower: expected one folder here .* got siglip-tiny, whose shape is not known. Put the tower's config.json into .*siglip-tiny/,
  });
});

test("tokenizers that lack what prompts are made of", async (t) => {
  const directory = await tinyFolder(t);
  const vocabulary = join(directory, "bert-tiny", "vocab.txt");
  const text = readFileSync(vocabulary, "utf8");
  rmSync(vocabulary);
  assert.throws(() => loadHumanOmni(directory), {
    code: "ERR_TOKENIZER_FILE",
    message: /bert-tiny.vocab\.txt: expected the vocabulary .* Fetch vocab\.txt/,
  });
  assert.ok((await inspectModel(directory)).absentFiles.includes("bert-tiny/vocab.txt"));
  writeFileSync(vocabulary, text.replace("[CLS]", "[cls]"));
  assert.throws(() => loadHumanOmni(directory), { code: "ERR_TOKENIZER_FILE", message: /got no \[CLS\] among/ });
  writeFileSync(vocabulary, `${text}more\n`);
  assert.throws(() => loadHumanOmni(directory), { code: "ERR_TOKENIZER_FILE", message: /at most \d+ pieces/ });
  writeFileSync(vocabulary, text);
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    const path = join(directory, name);
    const json = JSON.parse(readFileSync(path, "utf8"));
    const without = name === "tokenizer.json" ? { ...json, added_tokens: [] } : { ...json, added_tokens_decoder: {} };
    writeFileSync(path, JSON.stringify(without));
  }
  assert.throws(() => loadHumanOmni(directory), {
    code: "ERR_TOKENIZER_UNKNOWN_TOKEN",
    message: /expected <\|im_start\|> as an added token, got ordinary text. Fetch tokenizer\.json/,
  });
  mkdirSync(join(directory, "siglip-other"));
  cpSync(join(directory, "siglip-tiny", "config.json"), join(directory, "siglip-other", "config.json"));
  changeConfig(directory, { mm_vision_tower: "neither" });
  await assert.rejects(inspectModel(directory), {
    code: "ERR_CHECKPOINT_CONFIG",
    message: /got siglip-other and siglip-tiny|got siglip-tiny and siglip-other/,
  });
});
