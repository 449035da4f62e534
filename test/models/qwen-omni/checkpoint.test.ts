// Configurations in both dialects and what is refused; loading strictly; save and load bit for bit; fresh models.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { drawParameter } from "../../../src/models/checkpoint/draw-parameter.ts";
import { numElements } from "../../../src/models/checkpoint/parameter-spec.ts";
import { withBothRopeDialects } from "../../../src/models/decoder/config.ts";
import { readCheckpoint } from "../../../src/models/qwen-omni/checkpoint.ts";
import { parseConfig, type ThinkerConfig } from "../../../src/models/qwen-omni/config/config.ts";
import { publishedConfig, tinyConfig } from "../../../src/models/qwen-omni/config/config-json.ts";
import { loadThinker } from "../../../src/models/qwen-omni/load.ts";
import { parameterSpecs, partOf } from "../../../src/models/qwen-omni/parameters.ts";
import {
  numLiveTensors,
  op,
  openSafetensors,
  scope,
  type Tensor,
  writeSafetensors,
} from "../../../src/tensor/index.ts";
import { sharedPath } from "../../support/shared.ts";
import { tinyDirectory } from "./tiny.ts";

type Json = Record<string, unknown>;

function ids(): (token: string) => number {
  const names: string[] = [];
  return (token) => (names.includes(token) ? names.indexOf(token) : names.push(token) - 1);
}

/** Parameters of every part of a model. */
function countParameters(config: ThinkerConfig): Record<string, number> {
  const counts: Record<string, number> = { total: 0 };
  for (const { name, shape } of parameterSpecs(config)) {
    for (const part of [partOf(name), "total"]) counts[part] = (counts[part] ?? 0) + numElements(shape);
  }
  return counts;
}

test("parameter counts of the published checkpoints", () => {
  const seven = parseConfig(publishedConfig("7b", ids()), "7B");
  assert.equal(parameterSpecs(seven).length, 1346);
  assert.deepEqual(countParameters(seven), {
    "audio tower": 639647232,
    "vision tower": 676550144,
    "language model": 7070619136,
    head: 544997376,
    total: 8931813888,
  });
  const three = parseConfig(publishedConfig("3b", ids()), "3B");
  assert.equal(parameterSpecs(three).length, 1442);
  assert.equal(countParameters(three).total, 4703464448);
});

test("both dialects and both layouts give one configuration", (t) => {
  const root = sharedPath("golden/qwen-omni");
  if (!root || !sharedPath("golden/qwen-omni/omni_full")) return t.skip("golden/qwen-omni/omni_full is absent");
  const read = (name: string) => {
    const json = JSON.parse(readFileSync(path.join(root, name), "utf8")) as unknown;
    const { json: _, ...config } = parseConfig(json, name);
    return config;
  };
  const hub = read("omni/config_hub_style.json");
  assert.deepEqual(read("omni/config.json"), hub);
  assert.deepEqual(read("omni_full/config.json"), hub);
  assert.deepEqual(hub.text.ropeSections, [2, 3, 3]);
});

test("what would change numbers and is not implemented is refused", () => {
  const tiny = (changes: { text?: Json; audio?: Json; vision?: Json; top?: Json }) => ({
    ...tinyConfig(300, ids(), {
      text_config: changes.text ?? {},
      audio_config: changes.audio ?? {},
      vision_config: changes.vision ?? {},
    }),
    ...changes.top,
  });
  assert.equal(parseConfig(tiny({}), "x").text.headDim, 32);
  const rope = (changes: Json) =>
    tiny({ text: { rope_scaling: { mrope_section: [4, 6, 6], rope_type: "default", ...changes } } });
  const refused: [unknown, string, RegExp][] = [
    [
      tiny({ top: { model_type: "llama" } }),
      "ERR_CHECKPOINT_ARCHITECTURE",
      /expected model_type qwen2_5_omni or .*, got "llama"/,
    ],
    [null, "ERR_CHECKPOINT_ARCHITECTURE", /got none/],
    [rope({ rope_type: "yarn" }), "ERR_CHECKPOINT_CONFIG", /rope type: expected "default", got "yarn"/],
    [rope({ mrope_section: [4, 4, 4] }), "ERR_CHECKPOINT_CONFIG", /sum of head_dim \/ 2 = 16, got \[4, 4, 4\]/],
    [tiny({ text: { use_sliding_window: true } }), "ERR_CHECKPOINT_CONFIG", /text_config.use_sliding_window/],
    [tiny({ text: { hidden_act: "gelu" } }), "ERR_CHECKPOINT_CONFIG", /text_config.hidden_act/],
    [
      tiny({ text: { num_key_value_heads: 3 } }),
      "ERR_CHECKPOINT_CONFIG",
      /multiple of num_key_value_heads, got 4 and 3/,
    ],
    [tiny({ text: { layer_types: ["sliding_attention"] } }), "ERR_CHECKPOINT_CONFIG", /layer_types/],
    [
      tiny({ text: { rope_theta: null } }),
      "ERR_CHECKPOINT_CONFIG",
      /text_config.rope_theta: expected a value, got none/,
    ],
    [tiny({ audio: { d_model: "wide" } }), "ERR_CHECKPOINT_CONFIG", /audio_config.d_model/],
    [tiny({ vision: { in_channels: undefined } }), "ERR_CHECKPOINT_CONFIG", /vision_config.in_channels/],
    [tiny({ top: { vision_start_token_id: undefined } }), "ERR_CHECKPOINT_CONFIG", /vision_start_token_id/],
  ];
  for (const [json, code, message] of refused) assert.throws(() => parseConfig(json, "config.json"), { code, message });
});

test("a checkpoint loads with and without prefix, the same tensors", (t) => {
  const root = sharedPath("golden/qwen-omni");
  if (!root || !sharedPath("golden/qwen-omni/omni_full")) return t.skip("golden/qwen-omni/omni_full is absent");
  const before = numLiveTensors();
  const plain = readCheckpoint(path.join(root, "omni")).parameters;
  const prefixed = readCheckpoint(path.join(root, "omni_full")).parameters;
  assert.deepEqual([...prefixed.keys()], [...plain.keys()]);
  for (const [name, parameter] of plain) assert.deepEqual(bytes(prefixed.get(name)!), bytes(parameter), name);
  for (const parameter of [...plain.values(), ...prefixed.values()]) parameter.dispose();
  assert.equal(numLiveTensors(), before);
});

function bytes(tensor: Tensor): Uint8Array {
  return scope(() => tensor.detach().contiguous().view([-1]).view("uint8").toUint8Array());
}

test("save and load give the same bits, files and answers", () => {
  const { directory, remove } = tinyDirectory(3);
  const copy = mkdtempSync(path.join(tmpdir(), "oppo-copy-"));
  try {
    using model = loadThinker(directory);
    model.save(copy);
    using again = loadThinker(copy);
    assert.deepEqual([...again.parameters().keys()], [...model.parameters().keys()]);
    for (const [name, parameter] of model.parameters())
      assert.deepEqual(bytes(again.parameters().get(name)!), bytes(parameter), name);
    for (const name of [
      "tokenizer.json",
      "chat_template.jinja",
      "generation_config.json",
      "video_preprocessor_config.json",
    ]) {
      assert.equal(readFileSync(path.join(copy, name), "utf8"), readFileSync(path.join(directory, name), "utf8"), name);
    }
    const { json: _, ...config } = model.config;
    const { json: __, ...configAgain } = again.config;
    assert.deepEqual(configAgain, config);
    assert.deepEqual(again.stopIds, model.stopIds);
    using half = loadThinker(directory, { dtype: "bfloat16" });
    assert.equal(half.parameters().get("model.norm.weight")!.dtype, "bfloat16");
  } finally {
    remove();
    rmSync(copy, { recursive: true });
  }
});

test("a save states the rotary settings in both dialects", (t) => {
  const root = sharedPath("golden/qwen-omni");
  if (!root) return t.skip("golden/qwen-omni is absent");
  const copy = mkdtempSync(path.join(tmpdir(), "oppo-copy-"));
  try {
    using model = loadThinker(path.join(root, "omni"));
    model.save(copy);
    const read = (directory: string) =>
      JSON.parse(readFileSync(path.join(directory, "config.json"), "utf8")).text_config as Record<string, unknown>;
    const before = read(path.join(root, "omni"));
    assert.equal(before.rope_theta, undefined);
    const after = read(copy);
    const rope = before.rope_parameters as { rope_theta: number; mrope_section: number[] };
    assert.deepEqual(after.rope_parameters, rope);
    assert.equal(after.rope_theta, rope.rope_theta);
    assert.deepEqual((after.rope_scaling as typeof rope).mrope_section, rope.mrope_section);
    using again = loadThinker(copy);
    assert.deepEqual(again.config.text, model.config.text);
    // What the older dialect says already stays as it is.
    assert.deepEqual(withBothRopeDialects({ rope_theta: 5, rope_scaling: null }), {
      rope_theta: 5,
      rope_scaling: null,
    });
    assert.deepEqual(withBothRopeDialects(after), after);
  } finally {
    rmSync(copy, { recursive: true });
  }
});

test("missing, unexpected and misshapen weights are named; a missing head is the embedding", () => {
  const { directory, remove } = tinyDirectory(4);
  const file = path.join(directory, "model.safetensors");
  const rewrite = (change: (tensors: Map<string, Tensor>) => void) => {
    using stored = openSafetensors(file);
    const tensors = new Map([...stored.entries.keys()].map((key) => [key, stored.tensor(key).clone()]));
    change(tensors);
    writeSafetensors(file, tensors);
  };
  try {
    rewrite((tensors) => tensors.delete("lm_head.weight"));
    using tied = loadThinker(directory);
    assert.ok(!tied.parameters().has("lm_head.weight"));
    const hidden = op.ones([1, 128]);
    assert.deepEqual(tied.logits(hidden).shape, [1, tied.vocabSize]);
    rewrite((tensors) => {
      tensors.delete("model.norm.weight");
      tensors.set("model.extra", op.zeros([1]));
      tensors.set("audio_tower.proj.bias", op.zeros([7]));
    });
    const message =
      /1 missing \(model\.norm\.weight\), 1 unexpected \(model\.extra\), 1 misshapen \(audio_tower\.proj\.bias expected \[128\], got \[7\]\)/;
    assert.throws(() => loadThinker(directory), { code: "ERR_CHECKPOINT_KEYS", message });
    writeFileSync(path.join(directory, "video_preprocessor_config.json"), '{"fps": -1}');
    assert.throws(() => loadThinker(path.join(directory, "absent")), { code: "ERR_CHECKPOINT_MISSING" });
    assert.throws(() => readCheckpoint(path.join(directory, "absent")), { code: "ERR_CHECKPOINT_MISSING" });
  } finally {
    remove();
  }
});

test("fresh parameters follow from the seed and their name", () => {
  const small = parseConfig(tinyConfig(300, ids()), "small");
  const deep = parseConfig(tinyConfig(300, ids(), { vision_config: { depth: 5 } }), "deep");
  const draw = (config: ThinkerConfig, seed: number, name: string) => {
    const spec = parameterSpecs(config).find((one) => one.name === name)!;
    return drawParameter(spec, config.text.numLayers, seed, "float32");
  };
  const name = "model.layers.1.mlp.up_proj.weight";
  const one = draw(small, 1, name);
  assert.deepEqual(bytes(draw(small, 1, name)), bytes(one));
  assert.deepEqual(bytes(draw(deep, 1, name)), bytes(one));
  assert.notDeepEqual(bytes(draw(small, 2, name)), bytes(one));
  // 288 x 128 normal numbers of deviation 1 / sqrt(128): the estimate is within 1 %, five of its own deviations.
  const DEVIATION_TOLERANCE = 0.02;
  assert.ok(Math.abs(one.std().item() * Math.sqrt(128) - 1) < DEVIATION_TOLERANCE);
  assert.equal(draw(small, 1, "model.norm.weight").sum().item(), 128);
  assert.equal(draw(small, 1, "audio_tower.proj.bias").abs().sum().item(), 0);
});
