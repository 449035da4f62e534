// Weights in files: streaming, shards and their index, what an older save leaves, NaN, quantised types, other dtypes.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ParameterSpec } from "../../src/models/checkpoint/parameter-spec.ts";
import { readWeights, writeWeights } from "../../src/models/checkpoint/weight-files.ts";
import { findWeights } from "../../src/models/checkpoint/weight-table.ts";
import { loadTextModel } from "../../src/models/qwen-text/text-model.ts";
import {
  cudaAvailable,
  numLiveTensors,
  op,
  openSafetensors,
  scope,
  type Tensor,
  tensor,
  writeSafetensors,
} from "../../src/tensor/index.ts";
import { sharedPath } from "../support/shared.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const specs: readonly ParameterSpec[] = ["a", "b", "c", "d"].map((name) => ({ name, shape: [25, 10], role: "weight" }));
const bytesEach = 1000;
const same = (key: string) => key;

/** The value of every element of a parameter. */
const elementOf = (name: string) => name.charCodeAt(0);
const make = (name: string) => op.full([25, 10], elementOf(name), { dtype: "float32" });
const shapes = new Map(specs.map(({ name, shape }) => [name, { dtype: "float32" as const, shape }]));

function weightsIn(directory: string): Record<string, number> {
  return scope(() => {
    const parameters = readWeights(findWeights(directory, same), specs);
    const values = Object.fromEntries([...parameters].map(([name, value]) => [name, value.mean().item()]));
    for (const parameter of parameters.values()) parameter.dispose();
    return values;
  });
}

function named(t: TestContext): string {
  const directory = temporaryFolder(t);
  writeFileSync(join(directory, "config.json"), "{}");
  return directory;
}

test("one file, or several with an index; an older save leaves nothing behind", (t) => {
  const before = numLiveTensors();
  const directory = named(t);
  const want = { a: 97, b: 98, c: 99, d: 100 };
  let numAlive = 0;
  let most = 0;
  const counting = (name: string): Tensor => {
    numAlive = numLiveTensors() - before;
    most = Math.max(most, numAlive);
    return make(name);
  };
  writeWeights(directory, shapes, counting);
  assert.deepEqual(readdirSync(directory).sort(), ["config.json", "model.safetensors"]);
  assert.deepEqual(weightsIn(directory), want);
  assert.equal(most, 0, "a parameter is released before the next one is made");

  writeWeights(directory, shapes, make, 2 * bytesEach);
  const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  assert.deepEqual(readdirSync(directory).sort(), [...shards, "model.safetensors.index.json"]);
  const index = JSON.parse(readFileSync(join(directory, "model.safetensors.index.json"), "utf8"));
  assert.deepEqual(index, {
    metadata: { total_size: 4 * bytesEach },
    weight_map: { a: shards[0], b: shards[0], c: shards[1], d: shards[1] },
  });
  assert.deepEqual(weightsIn(directory), want);

  writeWeights(directory, shapes, make);
  assert.deepEqual(readdirSync(directory).sort(), ["model.safetensors"]);
  assert.equal(numLiveTensors(), before);
});

test("a save that fails half-way leaves no model", (t) => {
  const directory = named(t);
  const failing = (name: string) => {
    if (name === "c") throw new RangeError("no c");
    return make(name);
  };
  assert.throws(() => writeWeights(directory, shapes, failing, bytesEach), {
    code: "ERR_CHECKPOINT_WRITE",
    message: /no c/,
  });
  assert.equal(existsSync(join(directory, "config.json")), false);
  // Replacing one file by one file is atomic: the old model stays.
  const whole = named(t);
  writeWeights(whole, shapes, make);
  assert.throws(() => writeWeights(whole, shapes, failing), { code: "ERR_CHECKPOINT_WRITE" });
  assert.ok(existsSync(join(whole, "config.json")));
  assert.deepEqual(weightsIn(whole), { a: 97, b: 98, c: 99, d: 100 });
  assert.throws(() => writeWeights(whole, shapes, (name) => make(name).to("float64")), {
    code: "ERR_CHECKPOINT_SHAPE",
    message: /"a": expected float32 \[25, 10\], got float64 \[25, 10\]/,
  });
});

test("NaN and infinity are found when asked for, integers and devices that are not there are refused", (t) => {
  const directory = named(t);
  const write = (change: (value: Tensor) => Tensor) =>
    scope(() =>
      writeSafetensors(
        join(directory, "model.safetensors"),
        new Map(specs.map(({ name }) => [name, name === "b" ? change(make(name)) : make(name)])),
      ),
    );
  const read = (checkValues: boolean) => readWeights(findWeights(directory, same), specs, { checkValues });
  const dispose = (parameters: ReadonlyMap<string, Tensor>) => {
    for (const parameter of parameters.values()) parameter.dispose();
  };
  const before = numLiveTensors();
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    write((value) =>
      value
        .index([tensor(Int32Array.of(0), [1], { dtype: "int64" })])
        .mul(bad)
        .expand([25, 10])
        .contiguous(),
    );
    dispose(read(false));
    assert.throws(() => read(true), { code: "ERR_CHECKPOINT_VALUES", message: /in 1 weights \(b\)/ });
  }
  for (const [device, got] of [
    ["gpu", /got "gpu"/],
    ["cuda:x", /got "cuda:x"/],
    ...(cudaAvailable() ? [] : [["cuda", /got cuda; this machine has cpu for this libtorch/] as const]),
  ] as const) {
    const load = () => readWeights(findWeights(directory, same), specs, { device });
    assert.throws(load, { code: "ERR_DEVICE", message: got });
  }
  write((value) => value.fill_(3e38)); // the sum overflows, the numbers are fine
  dispose(read(true));
  write((value) => value.to("int8"));
  assert.throws(() => read(false), { code: "ERR_CHECKPOINT_DTYPE", message: /expected b in float32.*got int8/ });
  assert.equal(numLiveTensors(), before);
});

test("a text model that is saved and loaded again is the same, tied or not, also converted", (t) => {
  const root = sharedPath("golden/qwen-omni");
  if (!root) return t.skip("golden/qwen-omni is absent");
  for (const [name, hasHead] of [
    ["qwen2_tied", false],
    ["qwen2_untied", true],
    ["qwen3_embed", false],
  ] as const) {
    if (!existsSync(join(root, name))) continue; // the committed part has two of them
    const directory = temporaryFolder(t);
    using model = loadTextModel(join(root, name));
    model.save(directory);
    using again = loadTextModel(directory);
    assert.deepEqual([...again.parameters().keys()], [...model.parameters().keys()]);
    for (const [key, value] of model.parameters()) {
      assert.ok(
        scope(() => op.equal(value, again.parameters().get(key)!)),
        key,
      );
    }
    using file = openSafetensors(join(directory, "model.safetensors"));
    assert.equal(file.entries.has("lm_head.weight"), hasHead);
    assert.ok([...file.entries.keys()].every((key) => key.startsWith("model.") || key === "lm_head.weight"));
    using half = loadTextModel(join(root, name), { dtype: "bfloat16" });
    half.save(directory);
    const config = JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
    assert.deepEqual([config.dtype, config.torch_dtype], ["bfloat16", "bfloat16"]);
    using halved = loadTextModel(directory);
    assert.ok([...halved.parameters().values()].every(({ dtype }) => dtype === "bfloat16"));
  }
});
