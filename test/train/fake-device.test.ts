// Loading, generation, a cold start and OPPO on the fake device: it refuses operands of the host and the host's generators, and
// runs backward nodes on a thread of the engine's, as a GPU does. Its kernels are the CPU's, so the numbers are the CPU's too.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { loadModel } from "../../src/models/registry.ts";
import {
  customGrad,
  Generator,
  grad,
  indices,
  numLiveTensors,
  op,
  scope,
  tensor,
  torchVersion,
} from "../../src/tensor/index.ts";
import { fakeDevice, fakeReport, loadFakeDevice, usedLibtorch } from "../support/fake-device/fake-device.ts";
import { repositoryRoot } from "../support/repository.ts";
import { type SmallSteps, type SmallStepsOptions, smallSteps, withSmallModel } from "../support/small-steps.ts";

/**
 * Of a number's share. The CPU takes some sums apart that a device takes in one kernel; of bfloat16 that is a step or two. Processors differ:
 * below 2e-5 and 5e-2 on most, 3.2e-5 and 6.2e-2 on an AMD EPYC.
 */
const tolerance = { float32: 5e-5, bfloat16: 8e-2 };
/** Steps that do not drive two roundings apart. */
const smallLr = 1e-4;

/** Of a token in a decoder of so many layers, float32, branches over a shared prefix, libtorch 1.13 without a fused norm. */
const mostKernels = (numLayers: number) => 31 * numLayers + 14;

before(loadFakeDevice);

const variants: Readonly<Record<string, SmallStepsOptions>> = {
  "float32, whole decoder": {},
  "bfloat16 with float32 masters": { dtype: "bfloat16", lr: smallLr },
  "LoRA on float32": { trainable: "lora" },
  "LoRA on bfloat16": { trainable: "lora", dtype: "bfloat16", lr: smallLr },
};

/** The kernels that ran, of all variants. */
const kernels = new Set<string>();

/** The largest difference of two runs' losses, divergences and norms, in shares. */
function distance(want: SmallSteps, got: SmallSteps): number {
  return Math.max(
    ...(["sft", "oppo", "klVideo", "gradNorm"] as const).flatMap((name) =>
      want[name].map((value, i) => Math.abs(value - got[name][i]!) / Math.abs(value)),
    ),
  );
}

describe("the fake device is as strict as a GPU", () => {
  test("operands of the host, generators of the host", () =>
    scope(() => {
      const x = tensor(Float32Array.of(1, 2), [2], { device: fakeDevice });
      const own = tensor(Float32Array.of(1, 2));
      const table = tensor(Float32Array.of(1, 2, 3, 4), [2, 2], { device: fakeDevice });
      assert.throws(() => x.add(own), /same device/);
      assert.throws(() => op.embedding(table, indices([0])), /on the device, got some on the host/);
      assert.throws(() => table.indexSelect(0, indices([0])), /on the device, got some on the host/);
      assert.throws(() => op.rand([2], { device: fakeDevice, generator: new Generator(1) }), /generator of the device/);
      assert.deepEqual(x.add(x).toNumbers(), [2, 4]);
    }));

  test("it counts kernels, copies and what waits", () => {
    fakeReport();
    scope(() => {
      const x = tensor(Float32Array.of(1, 2), [2], { device: fakeDevice });
      assert.equal(x.neg().sum().item(), -3);
    });
    const { kernels, copies } = fakeReport();
    assert.equal(kernels["aten::neg.out"], 1);
    assert.deepEqual(copies, { "to device": 1, item: 1 });
  });

  test("backward nodes run on another thread, and JavaScript ones come back to ours", () => {
    scope(() => {
      const x = tensor(Float32Array.of(3), [1], { device: fakeDevice });
      x.requiresGrad = true;
      const squared = () => customGrad([x], x.mul(x).detach(), (upstream, [own]) => [upstream.mul(own!).mul(2)], [x]);
      squared().add(squared()).sum().backward();
      assert.deepEqual(x.grad!.toNumbers(), [12]);
      assert.deepEqual(grad([squared().sum()], [x])[0]!.toNumbers(), [6]);
      const throwing = customGrad([x], x.mul(1).detach(), () => {
        throw new RangeError("from the backward");
      });
      assert.throws(() => throwing.sum().backward(), { name: "RangeError", message: "from the backward" });
      const nested = customGrad([x], x.mul(1).detach(), () => [grad([squared().sum()], [x])[0]!]);
      assert.throws(() => nested.sum().backward(), /cannot start another backward pass/);
      assert.deepEqual(grad([squared().sum()], [x])[0]!.toNumbers(), [6], "usable after errors");
    });
  });
});

describe("what learns on the CPU learns the same on a device", () => {
  for (const [name, options] of Object.entries(variants)) {
    test(name, () =>
      withSmallModel(async (directory) => {
        const alive = numLiveTensors();
        const want = await smallSteps(directory, options);
        fakeReport();
        const got = await smallSteps(directory, { ...options, device: fakeDevice });
        for (const kernel of Object.keys(fakeReport().kernels)) kernels.add(kernel);
        const dtype = options.dtype === "bfloat16" ? "bfloat16" : "float32";
        assert.ok(distance(want, got) < tolerance[dtype], `${distance(want, got)}`);
        // In bfloat16 another rounding draws another token now and then, and the sequence goes on from there.
        if (dtype === "float32") assert.deepEqual(got.ids, want.ids);
        assert.equal(numLiveTensors(), alive);
      }),
    );
  }

  test("decoding waits once per look, not per token, and uploads its draws with it", () =>
    withSmallModel(async (directory) => {
      using model = await loadModel(directory, { device: fakeDevice });
      const tokens = model.promptTokens("what does the person feel?", { video: null, audio: null });
      const waits = (maxNewTokens: number) => {
        fakeReport();
        // Nothing is likelier than 1 : 1e9 to stop this early; were it so, fewer waits would be counted.
        const options = { numSamples: 4, maxNewTokens, temperature: 1, seeds: [1, 2, 3, 4] };
        const sampled = model.sample([{ tokens, rows: null }], options);
        const { kernels, copies } = fakeReport();
        const numTokens = Math.max(...sampled.flat().map(({ ids }) => ids.length));
        const numKernels = Object.values(kernels).reduce((sum, count) => sum + count, 0);
        return {
          numTokens,
          numKernels,
          waits: (copies["to host"] ?? 0) + (copies.item ?? 0),
          up: copies["to device"]!,
        };
      };
      const [short, long] = [waits(16), waits(48)];
      assert.equal(long.numTokens, 48);
      // Two copies down (tokens, log-probabilities) and one up (draws) for eight tokens.
      assert.equal(long.waits - short.waits, (2 * 32) / 8);
      assert.equal(long.up - short.up, 32 / 8);
      const perToken = (long.numKernels - short.numKernels) / 32;
      if (torchVersion().startsWith("1.")) assert.ok(perToken <= mostKernels(2), `${perToken} kernels per token`);
    }));

  test("another weight of the anchor is far from it", () =>
    withSmallModel(async (directory) => {
      const [one, other] = [await smallSteps(directory), await smallSteps(directory, { step: { anchorWeight: 0.21 } })];
      assert.ok(distance(one, other) > 10 * tolerance.float32);
    }));
});

test("every kernel that ran exists for CUDA", async (t) => {
  const headers = join((await usedLibtorch()).include, "ATen/ops");
  if (!existsSync(join(headers, "add_cuda_dispatch.h"))) return t.skip("this libtorch says nothing about CUDA");
  assert.ok(kernels.size > 40, `${kernels.size} kernels`);
  const missing = (names: Iterable<string>) => [...names].filter((name) => !isOfCuda(headers, name));
  assert.deepEqual(missing(kernels), []);
  assert.deepEqual(missing(["aten::mkldnn_linear", "aten::add.out"]), ["aten::mkldnn_linear"]);
});

/** Whether libtorch's headers declare a kernel for CUDA, or one for every device, of an operator "aten::add.out". */
function isOfCuda(headers: string, kernel: string): boolean {
  const [name, overload = ""] = kernel.replace("aten::", "").split(".") as [string, string?];
  const file = name.replace(/(?<=[a-z0-9])_$/, "");
  const declared = overload.endsWith("out") ? `${file}_out(` : `${name}(`;
  return ["cuda", "compositeexplicitautograd", "compositeexplicitautogradnonfunctional"].some((backend) => {
    const path = join(headers, `${file}_${backend}_dispatch.h`);
    return existsSync(path) && readFileSync(path, "utf8").includes(` ${declared}`);
  });
}

test("the suites of the models and of the step pass on it", { timeout: 600_000 }, () => {
  const models = ["qwen-omni/golden", "qwen-omni/thinker", "qwen-text/golden", "lora"].map((name) => `models/${name}`);
  const files = [...models, "rl/gradients", "rl/step"].map((name) =>
    join(repositoryRoot, `build/js/test/${name}.test.js`),
  );
  const env = { ...process.env, OPPO_TEST_DEVICE: "fake", NODE_TEST_CONTEXT: undefined };
  const { status, stdout } = spawnSync(process.execPath, ["--test", "--test-concurrency=1", ...files], {
    env,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  assert.equal(status, 0, stdout.slice(-4000));
  assert.ok(Number(/pass (\d+)/.exec(stdout)?.[1]) > 30, stdout.slice(-300));
});
