// Inspecting without loading: what is counted, what is missing, what is refused, and that no native code or weight is read.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { inspectModel } from "../../src/models/inspect.ts";
import { repositoryRoot } from "../support/repository.ts";
import { headerBytes, layOut, writeSparse, writeSparseThinker } from "../support/sparse-model.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const bytesPerGigabyte = 1e9;
const maxInspectBytes = 300e6;
const maxInspectSeconds = 1;
/** libtorch and Node take about 300 MB before any weight does. */
const maxLoadBytes = 600e6;

/** CPU seconds and peak memory of a script in a process of its own. */
function measured(script: string): { seconds: number; bytes: number } {
  const tail =
    "const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();" +
    "console.log(JSON.stringify({ seconds: (userCPUTime + systemCPUTime) / 1e6, bytes: maxRSS * 1024 }));";
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script + tail], {
    encoding: "utf8",
    cwd: join(repositoryRoot, "build/js/src"),
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

test("a 3B thinker: counts and memory, within a second and 300 MB; loading it maps its files", async (t) => {
  const directory = temporaryFolder(t);
  writeSparseThinker(directory);
  const found = await inspectModel(directory);
  assert.equal(found.numParameters, 4_703_464_448);
  assert.deepEqual(
    found.parts.map(({ name, numTensors, numParameters }) => [name, numTensors, numParameters]),
    [
      ["audio tower", 489, 637_676_544],
      ["vision tower", 518, 668_684_288],
      ["language model", 434, 3_085_938_688],
      ["head", 1, 311_164_928],
    ],
  );
  assert.deepEqual(found.dtypes, { bfloat16: 4_703_464_448 });
  assert.equal(found.isComplete, true);
  const { memory } = found;
  assert.equal(memory.weights, 2 * 4_703_464_448);
  assert.equal(memory.cachePerToken, 2 * 36 * 2 * 128 * 2); // k and v, layers, key heads, head dim, bytes
  // float32 weights, gradient and two moments, and the reference's weights
  assert.equal(memory.trainAll, 20 * 4_703_464_448);
  assert.equal(memory.trainLanguage, 4 * 4_703_464_448 + 16 * 3_085_938_688);
  // rank 16 on q, k, v, o, gate, up, down of 36 layers: rank * (inputs + outputs)
  const perLayer = 4096 + 2 * (2048 + 256) + 4096 + 3 * (2048 + 11008);
  assert.equal(memory.trainLora, memory.weights + 16 * 36 * 16 * perLayer);

  const inspect = measured(
    `import { inspectModel } from "./models/inspect.js"; await inspectModel(${JSON.stringify(directory)});`,
  );
  assert.ok(inspect.seconds < maxInspectSeconds && inspect.bytes < maxInspectBytes, JSON.stringify(inspect));
  const load = measured(
    `import { loadModel } from "./models/registry.js"; (await loadModel(${JSON.stringify(directory)})).parameters().size;`,
  );
  assert.ok(load.bytes < maxLoadBytes && memory.weights > 9 * bytesPerGigabyte, JSON.stringify(load));
});

/** A Qwen2 text model of one layer, with what a case changes. */
function smallModel(t: TestContext, change: object = {}): string {
  const directory = temporaryFolder(t);
  const config = {
    model_type: "qwen2",
    hidden_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    intermediate_size: 16,
    vocab_size: 32,
    rms_norm_eps: 1e-6,
    hidden_act: "silu",
    rope_theta: 10000,
    max_position_embeddings: 64,
    tie_word_embeddings: true,
    ...change,
  };
  writeFileSync(join(directory, "config.json"), JSON.stringify(config));
  writeSparse(join(directory, "model.safetensors"), smallShapes);
  return directory;
}

const layer = "model.layers.0";
const smallShapes: [string, number[]][] = [
  ["model.embed_tokens.weight", [32, 8]],
  [`${layer}.self_attn.q_proj.weight`, [8, 8]],
  [`${layer}.self_attn.q_proj.bias`, [8]],
  [`${layer}.self_attn.k_proj.weight`, [4, 8]],
  [`${layer}.self_attn.k_proj.bias`, [4]],
  [`${layer}.self_attn.v_proj.weight`, [4, 8]],
  [`${layer}.self_attn.v_proj.bias`, [4]],
  [`${layer}.self_attn.o_proj.weight`, [8, 8]],
  [`${layer}.mlp.gate_proj.weight`, [16, 8]],
  [`${layer}.mlp.up_proj.weight`, [16, 8]],
  [`${layer}.mlp.down_proj.weight`, [8, 16]],
  [`${layer}.input_layernorm.weight`, [8]],
  [`${layer}.post_attention_layernorm.weight`, [8]],
  ["model.norm.weight", [8]],
];

/** Splits the small model into two files with an index; returns the index's map. */
function shard(directory: string): Record<string, string> {
  rmSync(join(directory, "model.safetensors"));
  const half = smallShapes.length / 2;
  const files = ["a.safetensors", "b.safetensors"];
  const map: Record<string, string> = {};
  [smallShapes.slice(0, half), smallShapes.slice(half)].forEach((shapes, i) => {
    writeSparse(join(directory, files[i]!), shapes);
    for (const [name] of shapes) map[name] = files[i]!;
  });
  writeIndex(directory, map);
  return map;
}

function writeIndex(directory: string, map: unknown): void {
  writeFileSync(join(directory, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
}

test("what is missing is listed, not thrown", async (t) => {
  const directory = smallModel(t);
  const { isComplete, absentFiles, problems } = await inspectModel(directory);
  assert.deepEqual([isComplete, absentFiles], [false, ["tokenizer.json", "tokenizer_config.json"]]);
  assert.deepEqual(problems, { missing: [], unexpected: [], misshapen: [] });
  shard(directory);
  rmSync(join(directory, "b.safetensors"));
  const partly = await inspectModel(directory);
  assert.ok(partly.absentFiles.includes("b.safetensors"));
  assert.deepEqual(
    partly.problems.missing,
    smallShapes.slice(7).map(([name]) => name),
  );
  assert.equal(partly.numTensors, 7);
});

test("a tied head may be repeated, an untied one may be absent: an embedder has no use for it", async (t) => {
  const tied = smallModel(t);
  const withHead: [string, number[]][] = [...smallShapes, ["lm_head.weight", [32, 8]]];
  writeSparse(join(tied, "model.safetensors"), withHead);
  assert.equal((await inspectModel(tied)).numSkipped, 1);
  const untied = smallModel(t, { tie_word_embeddings: false });
  const headless = await inspectModel(untied);
  assert.deepEqual([headless.problems.missing, headless.problems.unexpected], [[], []]);
  writeSparse(join(untied, "model.safetensors"), withHead);
  const whole = await inspectModel(untied);
  assert.deepEqual([whole.problems.unexpected, whole.numSkipped], [[], 0]);
  assert.equal(whole.numTensors, headless.numTensors + 1);
});

test("an index may only name files of its folder, and must agree with them", async (t) => {
  const directory = smallModel(t);
  const map = shard(directory);
  assert.equal((await inspectModel(directory)).numTensors, smallShapes.length);
  const first = smallShapes[0]![0];
  copyFileSync(join(directory, "a.safetensors"), join(directory, "c.safetensors"));
  for (const [changed, message] of [
    [{ ...map, [first]: "../a.safetensors" }, /got "\.\.\/a\.safetensors" for model\.embed_tokens/],
    [{ ...map, [first]: "/etc/a.safetensors" }, /must not point elsewhere/],
    [{ ...map, [first]: "..\\a.safetensors" }, /must not point elsewhere/],
    [{ ...map, [first]: 3 }, /got 3 for/],
    [{ ...map, [first]: "a.bin" }, /expected safetensors files/],
    [{}, /expected a weight_map, got none/],
    [[], /expected a weight_map, got none/],
    [{ ...map, "model.extra": "a.safetensors" }, /but a\.safetensors has no model\.extra/],
    [{ ...map, [first]: "b.safetensors" }, /but model\.embed_tokens\.weight is in a\.safetensors/],
    [{ ...map, [first]: "c.safetensors" }, /is in [ac]\.safetensors/],
  ] as const) {
    writeIndex(directory, changed);
    await assert.rejects(inspectModel(directory), { code: "ERR_CHECKPOINT_INDEX", message });
  }
  writeFileSync(join(directory, "model.safetensors.index.json"), "{");
  await assert.rejects(inspectModel(directory), { code: "ERR_CHECKPOINT_INDEX" });
});

test("a shard may be a link within the folder or into the cache that it lies in, and nowhere else", async (t) => {
  const root = temporaryFolder(t);
  const source = smallModel(t);
  const map = shard(source);
  const place = (folder: string, link: string) => {
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(source)) copyFileSync(join(source, name), join(folder, name));
    rmSync(join(folder, "a.safetensors"));
    symlinkSync(link, join(folder, "a.safetensors"));
    writeIndex(folder, map);
    return folder;
  };
  const outside = join(root, "outside.safetensors");
  copyFileSync(join(source, "a.safetensors"), outside);
  for (const link of [outside, "../outside.safetensors"]) {
    const message = /got the link a\.safetensors that leads out of it/;
    const folder = place(join(root, `plain-${link.length}`), link);
    await assert.rejects(inspectModel(folder), { code: "ERR_CHECKPOINT_INDEX", message });
  }
  // Hugging Face's cache: snapshots/COMMIT/name -> ../../blobs/HASH
  const snapshot = join(root, "models--x/snapshots/0123");
  mkdirSync(join(root, "models--x/blobs"), { recursive: true });
  copyFileSync(outside, join(root, "models--x/blobs/hash"));
  assert.equal((await inspectModel(place(snapshot, "../../blobs/hash"))).numTensors, smallShapes.length);
  await assert.rejects(inspectModel(place(join(root, "models--x/snapshots/4567"), outside)), {
    code: "ERR_CHECKPOINT_INDEX",
  });
  const inner = place(join(root, "inner"), "real.safetensors");
  copyFileSync(outside, join(inner, "real.safetensors"));
  assert.equal((await inspectModel(inner)).numTensors, smallShapes.length);
});

test("pickles, doubled names and no weights at all are said to be so", async (t) => {
  const directory = smallModel(t);
  writeSparse(join(directory, "model.safetensors"), [...smallShapes, ["norm.weight", [8]]]);
  await assert.rejects(inspectModel(directory), {
    code: "ERR_CHECKPOINT_DUPLICATE",
    message: /got model\.norm\.weight as model\.norm\.weight and as norm\.weight/,
  });
  rmSync(join(directory, "model.safetensors"));
  await assert.rejects(inspectModel(directory), { code: "ERR_CHECKPOINT_MISSING" });
  writeFileSync(join(directory, "pytorch_model.bin"), "PK");
  await assert.rejects(inspectModel(directory), { code: "ERR_CHECKPOINT_PICKLE", message: /can run any code/ });
});

test("configurations that ask for more than there is are refused", async (t) => {
  for (const [change, code, message] of [
    [{ model_type: "llama" }, "ERR_CHECKPOINT_ARCHITECTURE", /qwen3.*, got "llama"/],
    [{ model_type: undefined }, "ERR_CHECKPOINT_ARCHITECTURE", /got none/],
    [{ rope_scaling: { type: "yarn", factor: 4 } }, "ERR_CHECKPOINT_CONFIG", /expected "default", got "yarn"/],
    [
      { rope_scaling: { rope_type: "default", type: "linear" } },
      "ERR_CHECKPOINT_CONFIG",
      /expected "default", got "linear"/,
    ],
    [{ use_sliding_window: true }, "ERR_CHECKPOINT_CONFIG", /use_sliding_window/],
    [{ layer_types: ["sliding_attention"] }, "ERR_CHECKPOINT_CONFIG", /layer_types/],
    [{ model_type: "qwen3", attention_bias: true }, "ERR_CHECKPOINT_CONFIG", /attention_bias/],
    [{ num_hidden_layers: 1e9 }, "ERR_CHECKPOINT_CONFIG", /num_hidden_layers/],
    [{ hidden_size: 1e300 }, "ERR_CHECKPOINT_CONFIG", /hidden_size/],
    [{ hidden_size: 9 }, "ERR_CHECKPOINT_CONFIG", /head_dim/],
  ] as const) {
    await assert.rejects(inspectModel(smallModel(t, change)), { code, message }, JSON.stringify(change));
  }
  const broken = smallModel(t);
  writeFileSync(join(broken, "config.json"), "[]");
  await assert.rejects(inspectModel(broken), { code: "ERR_CHECKPOINT_CONFIG" });
});

test("no damaged header crashes or is taken for a model", async (t) => {
  const directory = smallModel(t);
  const file = join(directory, "model.safetensors");
  const { entries, numBytes } = layOut(smallShapes);
  const whole = Buffer.concat([headerBytes(entries), Buffer.alloc(numBytes)]);
  writeFileSync(file, whole);
  assert.deepEqual((await inspectModel(directory)).problems.missing, []);
  // A fixed sequence of small damages: bytes changed, cut, doubled.
  let state = 12345;
  const next = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  const headerLength = whole.length - numBytes;
  let numRefused = 0;
  const numTries = 400;
  for (let i = 0; i < numTries; i++) {
    let damaged = Buffer.from(whole);
    const at = next(headerLength);
    const kind = next(4);
    if (kind === 0) damaged[at] = next(256);
    else if (kind === 1) damaged = damaged.subarray(0, next(damaged.length));
    else if (kind === 2) damaged = Buffer.concat([damaged.subarray(0, at), damaged.subarray(at + 1 + next(4))]);
    else damaged = Buffer.concat([damaged.subarray(0, at), damaged.subarray(at, at + next(9)), damaged.subarray(at)]);
    writeFileSync(file, damaged);
    try {
      const { problems } = await inspectModel(directory);
      // A changed letter of a name is another name; everything else must have been noticed.
      if (problems.missing.length + problems.misshapen.length > 0) numRefused++;
      else assert.deepEqual(stripped(damaged), stripped(whole), `damage ${i}`);
    } catch (error) {
      assert.match((error as { code?: string }).code ?? String(error), /^ERR_CHECKPOINT_/, `damage ${i}`);
      numRefused++;
    }
  }
  assert.ok(numRefused > numTries / 2, `${numRefused} of ${numTries}`);
});

/** What a header says, whatever its bytes: white space and types of the same size may change without harm. */
function stripped(file: Buffer): unknown {
  const length = Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString("utf8", 8, 8 + length)) as Record<string, { shape: unknown }>;
  return Object.fromEntries(Object.entries(header).map(([name, { shape }]) => [name, shape]));
}
