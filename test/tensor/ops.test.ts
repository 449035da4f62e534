// Operators against values derived by hand, gradients against formulas and finite differences.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  customGrad,
  enableGrad,
  Generator,
  gelu,
  grad,
  hasOperator,
  indices,
  numLiveTensors,
  op,
  rmsNorm,
  scope,
  type Tensor,
  tensor,
  torchVersion,
} from "../../src/tensor/index.ts";
import { tensorTest } from "../support/tensor-test.ts";

const float32Tolerance = 2e-6;
const float64Tolerance = 1e-12;
const finiteDifferenceTolerance = 1e-7;
const bfloat16Tolerance = 2 ** -7;

function largestGap(a: readonly number[], b: readonly number[]): number {
  assert.equal(a.length, b.length);
  return a.reduce((gap, x, i) => Math.max(gap, Math.abs(x - b[i]!)), 0);
}

/** Close, and not trivially so: the expectation shifted by a thousand tolerances must not be. */
function assertClose(actual: Tensor, expected: readonly number[], tolerance: number): void {
  const values = actual.toNumbers();
  assert.ok(largestGap(values, expected) <= tolerance, `${values} is not close to ${expected}`);
  const shifted = expected.map((x, i) => (i === 0 ? x + 1000 * tolerance : x));
  assert.ok(largestGap(values, shifted) > tolerance);
}

const float = (values: readonly number[], shape?: readonly number[]) => tensor(Float32Array.from(values), shape);
const double = (values: readonly number[], shape?: readonly number[]) => tensor(Float64Array.from(values), shape);

describe("operators", () => {
  test("the generated wrappers are what native/ops.txt gives", (t) => {
    if (!torchVersion().startsWith("1.13")) return t.skip("the wrappers are generated with libtorch 1.13");
    const script = fileURLToPath(new URL("../../../../scripts/gen-ops.mjs", import.meta.url));
    const result = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
    assert.equal(result.status, 0, result.stderr);
  });

  tensorTest("overloads are chosen by argument", () => {
    const x = float([1, 2, 3]);
    assert.deepEqual(x.add(1).toNumbers(), [2, 3, 4]);
    assert.deepEqual(x.add(x, { alpha: 10 }).toNumbers(), [11, 22, 33]);
    assert.deepEqual(op.where(x.gt(1), x, 0).toNumbers(), [0, 2, 3]);
    assert.equal(x.sum().item(), 6);
    assert.deepEqual(x.sum(0, { keepdim: true }).shape, [1]);
    assert.equal(x.max().item(), 3);
    assert.deepEqual(x.max(0)[1].item(), 2);
    assert.deepEqual(x.to("int64").dtype, "int64");
    assert.deepEqual(x.to({ dtype: "float64" }).dtype, "float64");
    assert.equal(x.eq(2).any().item(), 1);
    assert.equal(op.equal(x, x.clone()), true);
  });

  tensorTest("in-place operators return their own object", () => {
    const x = float([1, 2]);
    assert.equal(x.add_(1), x);
    assert.equal(x.clampMax_(2.5), x);
    assert.deepEqual(x.toNumbers(), [2, 2.5]);
  });

  tensorTest("factories take their dtype, integral fills stay what they are told", () => {
    assert.equal(op.full([2], 0, { dtype: "float32" }).dtype, "float32");
    assert.deepEqual(op.arange(2, 5, { dtype: "int64" }).toNumbers(), [2, 3, 4]);
    assert.deepEqual(op.eye(2).toNumbers(), [1, 0, 0, 1]);
    // @ts-expect-error without a dtype it would be int64
    assert.equal(op.full([2], 0, {}).dtype, "int64");
  });

  tensorTest("indexing reads and writes", () => {
    const x = float([0, 1, 2, 3, 4, 5], [2, 3]);
    assert.deepEqual(op.index(x, [null, indices([2, 0])]).toNumbers(), [2, 0, 5, 3]);
    assert.deepEqual(x.gather(1, indices([2, 0], [2, 1])).toNumbers(), [2, 3]);
    assert.deepEqual(x.indexSelect(0, indices([1])).toNumbers(), [3, 4, 5]);
    x.indexPut_([indices([0, 1]), indices([0, 2])], float([9, 8]));
    assert.deepEqual(x.toNumbers(), [9, 1, 2, 3, 4, 8]);
    assert.deepEqual(x.maskedFill(x.gt(3), -1).toNumbers(), [-1, 1, 2, 3, -1, -1]);
    assert.deepEqual(x.scatter(1, indices([1, 1], [2, 1]), 0).toNumbers(), [9, 0, 2, 3, 0, 8]);
    const [values, positions] = x.topk(2, { dim: -1 });
    assert.deepEqual(
      [values.toNumbers(), positions.toNumbers()],
      [
        [9, 2, 8, 4],
        [0, 2, 2, 1],
      ],
    );
    assert.deepEqual(indices([1, 2]).repeatInterleave(2).toNumbers(), [1, 1, 2, 2]);
  });

  tensorTest("shapes change as named", () => {
    const x = float([0, 1, 2, 3, 4, 5], [2, 3]);
    assert.deepEqual(
      x.split(2, { dim: 1 }).map((part) => part.shape),
      [
        [2, 2],
        [2, 1],
      ],
    );
    assert.deepEqual(op.cat([x, x], { dim: 1 }).shape, [2, 6]);
    assert.deepEqual(op.stack([x, x, x]).shape, [3, 2, 3]);
    assert.deepEqual(x.permute([1, 0]).reshape([-1]).toNumbers(), [0, 3, 1, 4, 2, 5]);
    assert.deepEqual(x.cumsum(1).toNumbers(), [0, 1, 3, 3, 7, 12]);
    assert.deepEqual(x.triu({ diagonal: 1 }).toNumbers(), [0, 1, 2, 0, 0, 5]);
  });

  tensorTest("softmax, logsumexp and cross entropy follow their definitions", () => {
    // e^0 = 1, e^ln3 = 3: probabilities 1/4, 3/4
    const logits = float([0, Math.log(3)], [1, 2]);
    assertClose(logits.softmax(-1), [0.25, 0.75], float32Tolerance);
    assertClose(logits.logsumexp(-1), [Math.log(4)], float32Tolerance);
    assertClose(op.crossEntropyLoss(logits, indices([1])), [Math.log(4 / 3)], float32Tolerance);
  });

  tensorTest("the spectrum of a cosine has one line", () => {
    // cos(2 pi 2 n / 8): bin 2 has magnitude 8/2
    const wave = float(Array.from({ length: 8 }, (_, n) => Math.cos((2 * Math.PI * 2 * n) / 8)));
    assertClose(op.fftRfft(wave).abs(), [0, 0, 4, 0, 0], float32Tolerance);
  });

  tensorTest("antialiased bicubic keeps a constant image and the mean of a ramp", () => {
    const flat = op.full([1, 1, 8, 8], 3, { dtype: "float32" });
    assertClose(op.upsampleBicubic2dAa(flat, [4, 4], false).mean(), [3], float32Tolerance);
    const ramp = op.arange(0, 64, { dtype: "float32" }).view([1, 1, 8, 8]);
    assertClose(op.upsampleBicubic2dAa(ramp, [4, 4], false).mean(), [31.5], 1e-5);
  });
});

describe("autograd", () => {
  tensorTest("gradients accumulate, are cleared and can be set", () => {
    const x = float([1, 2, 3]);
    x.requiresGrad = true;
    x.mul(x).sum().backward();
    assert.deepEqual(x.grad!.toNumbers(), [2, 4, 6]);
    x.sum().backward();
    assert.deepEqual(x.grad!.toNumbers(), [3, 5, 7]);
    x.grad = null;
    assert.equal(x.grad, null);
    x.grad = float([1, 1, 1]);
    assert.deepEqual(x.grad.toNumbers(), [1, 1, 1]);
  });

  tensorTest("an upstream gradient, retained graphs and inner gradients", () => {
    const x = float([1, 2]);
    x.requiresGrad = true;
    const y = x.mul(3).retainGrad();
    y.mul(y).backward(float([1, 10]), { retainGraph: true });
    assert.deepEqual(y.grad!.toNumbers(), [6, 120]);
    assert.deepEqual(x.grad!.toNumbers(), [18, 360]);
    const z = x.mul(x).sum();
    z.backward();
    assert.throws(() => z.backward(), /second time/);
  });

  tensorTest("grad gives derivatives of derivatives, and null for what was not used", () => {
    const x = float([3]);
    const unused = float([1]);
    x.requiresGrad = true;
    unused.requiresGrad = true;
    const [first, none] = grad([x.pow(3)], [x, unused], { createGraph: true });
    assert.equal(first!.item(), 27);
    assert.equal(none, null);
    const [second] = grad([first!], [x]);
    assert.equal(second!.item(), 18);
    const [weighted] = grad([x.mul(2)], [x], { gradOutputs: [float([5])] });
    assert.equal(weighted!.item(), 10);
  });

  tensorTest("a chain of matmul, softmax and layer norm agrees with central differences in float64", () => {
    using generator = new Generator(3);
    const w = op.randn([4, 3], { generator, dtype: "float64" });
    const x = op.randn([2, 4], { generator, dtype: "float64" });
    const f = (weight: Tensor) => {
      const hidden = op.layerNorm(x.matmul(weight), [3]).softmax(-1);
      return hidden.mul(op.arange(0, 6, { dtype: "float64" }).view([2, 3])).sum();
    };
    w.requiresGrad = true;
    f(w).backward();
    const values = w.detach().toNumbers();
    const step = 1e-5;
    const numeric = values.map((value, i) => {
      const at = (moved: number) => scope(() => f(double(values.with(i, moved), [4, 3])).item());
      return (at(value + step) - at(value - step)) / (2 * step);
    });
    assertClose(w.grad!, numeric, finiteDifferenceTolerance);
  });
});

describe("customGrad", () => {
  tensorTest("uses the given backward for every input", () => {
    const a = float([1, 2]);
    const b = float([3, 4]);
    a.requiresGrad = true;
    b.requiresGrad = true;
    const y = customGrad([a, b], a.mul(b), (upstream) => [upstream.mul(100), null]);
    assert.deepEqual(y.toNumbers(), [3, 8]);
    y.mul(2).sum().backward();
    assert.deepEqual(a.grad!.toNumbers(), [200, 200]);
    assert.equal(b.grad, null);
  });

  tensorTest("errors of the backward come through as they were thrown", () => {
    const x = float([1]);
    x.requiresGrad = true;
    const y = customGrad([x], x.mul(1), () => {
      throw new RangeError("from the backward");
    });
    assert.throws(() => y.sum().backward(), { name: "RangeError", message: "from the backward" });
    const short = customGrad([x], x.mul(1), () => []);
    assert.throws(() => short.sum().backward(), /returned 0 gradients for 1 inputs/);
  });

  tensorTest("nests: a backward may run a backward of its own (checkpointing)", () => {
    const x = float([2]);
    x.requiresGrad = true;
    const segment = (input: Tensor) => input.mul(input).mul(input);
    const y = customGrad([x], segment(x).detach(), (upstream) => {
      const again = x.detach();
      again.requiresGrad = true;
      const output = enableGrad(() => segment(again));
      return grad([output], [again], { gradOutputs: [upstream] });
    });
    y.mul(5).backward();
    assert.equal(x.grad!.item(), 5 * 3 * 4);
  });

  tensorTest("saved tensors outlive their scope and serve every backward of the graph", () => {
    const x = float([3]);
    x.requiresGrad = true;
    const y = scope(() => {
      const factor = float([7]);
      return customGrad([x], x.mul(factor), (upstream, [held]) => [upstream.mul(held!)], [factor]);
    });
    y.backward(null, { retainGraph: true });
    y.backward();
    assert.equal(x.grad!.item(), 2 * 7);
  });

  test("a graph that is dropped without a backward releases its function", () => {
    const before = numLiveTensors();
    for (let i = 0; i < 1000; i++) {
      scope(() => {
        const x = float([1]);
        x.requiresGrad = true;
        customGrad([x], x.mul(2), (upstream) => [upstream], [x.mul(3)]);
      });
    }
    assert.equal(numLiveTensors(), before);
  });
});

describe("composite functions", () => {
  /** d/dx x Phi(x) = Phi(x) + x phi(x). */
  const geluDerivative = (x: Tensor) => {
    const wide = x.to("float64");
    const density = wide
      .square()
      .mul(-0.5)
      .exp()
      .mul(1 / Math.sqrt(2 * Math.PI));
    return wide.mul(Math.SQRT1_2).erf().add(1).mul(0.5).add(wide.mul(density));
  };

  tensorTest("gelu and its gradient are right for every layout of the incoming gradient", () => {
    using generator = new Generator(5);
    const shapes = [[6, 8], [2, 3, 8], [1, 8], [8, 1], [8]];
    for (const shape of shapes) {
      const x = op.randn(shape, { generator });
      x.requiresGrad = true;
      const y = gelu(x);
      const wide = x.detach().to("float64");
      const expected = wide.mul(wide.mul(Math.SQRT1_2).erf().add(1).mul(0.5));
      assertClose(y.detach(), expected.toNumbers(), float32Tolerance);
      assert.deepEqual(y.shape, shape);
      const reversed = Array.from(shape, (_, i) => shape.length - 1 - i);
      const weights = op.randn(shape.toReversed(), { generator });
      const derivative = geluDerivative(x.detach());
      // A transposed gradient, one expanded from a scalar (all strides 0), and one with gaps.
      y.permute(reversed).mul(weights).sum().backward(null, { retainGraph: true });
      assertClose(x.grad!, derivative.mul(weights.permute(reversed).to("float64")).toNumbers(), float32Tolerance);
      x.grad = null;
      y.sum().backward(null, { retainGraph: true });
      assertClose(x.grad!, derivative.toNumbers(), float32Tolerance);
      x.grad = null;
      y.backward(
        op
          .ones([...shape, 2])
          .mul(float([3, 5]))
          .select(-1, 1),
      );
      assertClose(x.grad!, derivative.mul(5).toNumbers(), float32Tolerance);
    }
  });

  test("the plain operator shows why: on libtorch 1.13 with oneDNN it misreads a transposed gradient", (t) => {
    const gap = scope(() => {
      const x = op.arange(0, 6, { dtype: "float32" }).view([2, 3]);
      const upstream = op.arange(0, 6, { dtype: "float32" }).view([3, 2]).t();
      const right = geluDerivative(x).mul(upstream).toNumbers();
      const contiguous = geluDerivative(x)
        .mul(op.arange(0, 6, { dtype: "float64" }).view([2, 3]))
        .toNumbers();
      return largestGap(right, contiguous);
    });
    t.diagnostic(`libtorch ${torchVersion()}: a misread gradient would be off by ${gap.toFixed(2)}`);
    assert.ok(gap > 1000 * float32Tolerance);
  });

  tensorTest("rmsNorm's own backward is the gradient of its formula", () => {
    const eps = 1e-3;
    const x = double([0.3, -1.2, 2.5, 0.7, -0.4, 1.9]).view([2, 3]).clone();
    const weight = double([0.5, -2, 1.5]);
    const upstream = double([1, -0.5, 0.25, 2, 0.1, -1]).view([2, 3]);
    const gradients = (norm: (x: Tensor) => Tensor) => grad([norm(x)], [x, weight], { gradOutputs: [upstream] });
    x.requiresGrad = true;
    weight.requiresGrad = true;
    const chain = (given: Tensor) => given.mul(given.square().mean(-1, { keepdim: true }).add(eps).rsqrt()).mul(weight);
    const [fromX, fromWeight] = gradients((given) => rmsNorm(given, weight, eps));
    const [wantX, wantWeight] = gradients(chain);
    assertClose(fromX!, wantX!.flatten().toNumbers(), float64Tolerance);
    assertClose(fromWeight!, wantWeight!.toNumbers(), float64Tolerance);
    const [without] = gradients((given) => given.mul(weight));
    assert.throws(() => assertClose(without!, wantX!.flatten().toNumbers(), float64Tolerance));
    if (hasOperator("rms_norm")) return;
    const twice = () => grad([rmsNorm(x, weight, eps).sum()], [x], { createGraph: true });
    assert.throws(twice, { code: "ERR_NO_SECOND_DERIVATIVE" });
  });

  tensorTest("rmsNorm divides by the root mean square", () => {
    // mean of squares of (3, 4) is 12.5
    const x = float([3, 4], [1, 2]);
    const weight = float([1, 2]);
    const rms = Math.sqrt(12.5);
    assertClose(rmsNorm(x, weight, 0), [3 / rms, 8 / rms], float32Tolerance);
    const half = rmsNorm(x.to("bfloat16"), weight.to("bfloat16"), 0);
    assert.equal(half.dtype, "bfloat16");
    assertClose(half, [3 / rms, 8 / rms], bfloat16Tolerance);
    assertClose(rmsNorm(double([3, 4]), double([1, 2]), 0).to("float64"), [3 / rms, 8 / rms], float64Tolerance);
  });

  tensorTest("attention: the fused operator, where there is one, agrees with the written out form", () => {
    if (!hasOperator("scaled_dot_product_attention")) return;
    using generator = new Generator(9);
    const [q, k, v] = [0, 1, 2].map(() => op.randn([1, 2, 5, 4], { generator })) as [Tensor, Tensor, Tensor];
    const mask = op.full([5, 5], Number.NEGATIVE_INFINITY, { dtype: "float32" }).triu({ diagonal: 1 });
    const written = q.matmul(k.transpose(2, 3)).mul(0.5).add(mask).softmax(-1).matmul(v);
    const fused = op.scaledDotProductAttention(q, k, v, { isCausal: true });
    assertClose(fused, written.toNumbers(), float32Tolerance);
  });
});
