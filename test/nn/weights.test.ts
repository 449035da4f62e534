// Weights by path: drawing, loading, tying, and one error that lists everything that does not fit.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { freshWeights, loadedWeights, type Weights } from "../../src/nn/index.ts";
import {
  CheckpointError,
  Generator,
  noGrad,
  numLiveTensors,
  op,
  openSafetensors,
  scope,
  writeSafetensors,
} from "../../src/tensor/index.ts";

const directory = mkdtempSync(join(tmpdir(), "oppo-weights-"));
after(() => rmSync(directory, { recursive: true }));

const statisticalTolerance = 0.05;

function build(weights: Weights) {
  const layer = weights.at("layers").at(0);
  return {
    weight: layer.tensor("mlp.up.weight", [50, 40], { normal: 0.5 }),
    bias: layer.tensor("mlp.up.bias", [50], "zeros"),
    scale: weights.tensor("norm.weight", [40], "ones"),
  };
}

const fresh = (seed: number) => freshWeights(new Generator(seed));

test("fresh weights follow their initial, the seed and the building order", () => {
  const before = numLiveTensors();
  {
    using store = fresh(1);
    const { weight, bias, scale } = build(store.root);
    store.finish();
    assert.deepEqual([...store.parameters.keys()], ["layers.0.mlp.up.weight", "layers.0.mlp.up.bias", "norm.weight"]);
    assert.ok(weight.requiresGrad);
    const deviation = scope(() => weight.std().item());
    assert.ok(Math.abs(deviation - 0.5) < statisticalTolerance, `standard deviation ${deviation}`);
    assert.ok(bias.toNumbers().every((x) => x === 0));
    assert.ok(scale.toNumbers().every((x) => x === 1));
    using again = fresh(1);
    assert.deepEqual(build(again.root).weight.toNumbers(), weight.toNumbers());
    using other = fresh(2);
    assert.notDeepEqual(build(other.root).weight.toNumbers(), weight.toNumbers());
    const uniform = other.root.tensor("u", [1000], { uniform: 0.25 }).toNumbers();
    assert.ok(Math.max(...uniform) <= 0.25 && Math.min(...uniform) >= -0.25 && Math.min(...uniform) < -0.2);
  }
  assert.equal(numLiveTensors(), before);
});

test("a path asked for twice is one tensor: tied weights", () => {
  using store = fresh(1);
  assert.equal(store.root.at("a").tensor("w", [2]), store.root.tensor("a.w", [2]));
});

test("weights round trip through files, several of them, with a dtype and without gradients", () => {
  const before = numLiveTensors();
  {
    using store = fresh(3);
    const saved = build(store.root);
    const [first, ...rest] = [...store.parameters];
    writeSafetensors(join(directory, "1"), new Map([first!]));
    writeSafetensors(join(directory, "2"), new Map(rest));
    const files = [openSafetensors(join(directory, "1")), openSafetensors(join(directory, "2"))];
    using loaded = loadedWeights(files, { requiresGrad: false });
    using half = loadedWeights(files, { dtype: "bfloat16" });
    using mapped = loadedWeights(files, { mapped: true });
    const stores = [build(loaded.root), build(half.root), build(mapped.root)] as const;
    for (const file of files) file[Symbol.dispose]();
    loaded.finish();
    assert.deepEqual(stores[0].weight.toNumbers(), saved.weight.toNumbers());
    assert.equal(stores[0].weight.requiresGrad, false);
    assert.equal(stores[1].weight.dtype, "bfloat16");
    noGrad(() => scope(() => void stores[2].weight.mul_(2)));
    assert.deepEqual(
      stores[2].weight.toNumbers(),
      saved.weight.toNumbers().map((x) => 2 * x),
    );
  }
  assert.equal(numLiveTensors(), before);
});

test("missing, unexpected and misshapen weights come in one error with full paths", () => {
  const path = join(directory, "wrong");
  scope(() => {
    const weights = { "layers.0.mlp.up.weight": op.ones([40, 50]), "talker.x": op.ones([1]), "extra.y": op.ones([1]) };
    writeSafetensors(path, new Map(Object.entries(weights)));
  });
  using file = openSafetensors(path);
  using store = loadedWeights([file], { ignore: (name) => name.startsWith("talker.") });
  build(store.root);
  assert.throws(
    () => store.finish(),
    (error: unknown) => {
      assert.ok(error instanceof CheckpointError);
      assert.equal(error.code, "ERR_CHECKPOINT_WEIGHTS");
      assert.match(error.message, /2 missing:\n {4}layers\.0\.mlp\.up\.bias\n {4}norm\.weight/);
      assert.match(error.message, /1 unexpected:\n {4}extra\.y/);
      assert.match(error.message, /1 misshapen:\n {4}layers\.0\.mlp\.up\.weight: expected \[50, 40\], got \[40, 50\]/);
      assert.doesNotMatch(error.message, /talker/);
      return true;
    },
  );
});
