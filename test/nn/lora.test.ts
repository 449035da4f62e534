// The formula of a low-rank adapter, by hand and against autograd.
import assert from "node:assert/strict";
import { test } from "node:test";
import { addLowRank, lowRankIn, lowRankScale, mergedDelta } from "../../src/nn/index.ts";
import { grad, op, scope, tensor } from "../../src/tensor/index.ts";
import { tensorTest } from "../support/tensor-test.ts";

const TOLERANCE = 1e-6;

const rows = (values: number[][]) => tensor(Float32Array.from(values.flat()), [values.length, values[0]!.length]);

tensorTest("y + scale * B A x, by hand", () => {
  const x = rows([
    [1, 2, 3],
    [0, -1, 1],
  ]);
  const down = rows([[1, 0, 2]]); // A: A x = 7 and 2
  const up = rows([[3], [-1]]); // B: [21, -7] and [6, -2]
  const y = rows([
    [10, 20],
    [30, 40],
  ]);
  const adapter = { down, up, scale: 0.5, dropout: null };
  assert.deepEqual(addLowRank(y, x, adapter).toNumbers(), [20.5, 16.5, 33, 39]);
  // The same through the weight: W + scale * B A.
  const weight = rows([
    [1, 1, 1],
    [2, 0, 0],
  ]);
  const merged = op.linear(x, weight.add(mergedDelta(adapter)));
  assert.ok(
    merged
      .sub(addLowRank(op.linear(x, weight), x, adapter))
      .abs()
      .max()
      .item() < TOLERANCE,
  );
  // -0 + 0 is 0: libraries differ in the sign of a zero.
  const delta = mergedDelta(adapter).toNumbers();
  assert.deepEqual(
    delta.map((value) => value + 0),
    [1.5, 0, 3, -0.5, 0, -1],
  );
});

test("scales: alpha over rank, or over its root", () => {
  assert.equal(lowRankScale(32, 16), 2);
  assert.equal(lowRankScale(32, 16, true), 8);
});

tensorTest("gradients: dA = scale * B^T g x^T, dB = scale * g (A x)^T; half-precision layers keep their type", () => {
  const x = rows([[1, 2, 3]]);
  const down = rows([[1, 0, 2]]);
  const up = rows([[3], [-1]]);
  for (const leaf of [down, up]) leaf.requiresGrad = true;
  const y = addLowRank(op.zeros([1, 2]), x, { down, up, scale: 0.5, dropout: null });
  const [dDown, dUp] = grad([y.mul(rows([[1, 10]])).sum()], [down, up]);
  // g = [1, 10]: B^T g = 3 - 10 = -7, A x = 7
  assert.deepEqual(dDown!.toNumbers(), [-3.5, -7, -10.5]);
  assert.deepEqual(dUp!.toNumbers(), [3.5, 35]);
  const inHalf = lowRankIn("bfloat16", { down, up, scale: 0.5, dropout: null });
  const half = addLowRank(op.zeros([1, 2]).to("bfloat16"), x.to("bfloat16"), inHalf);
  assert.deepEqual([half.dtype, half.to("float32").toNumbers()], ["bfloat16", [10.5, -3.5]]);
});

tensorTest("dropout leaves out a share and keeps the mean, the same for the same seed", () => {
  const width = 4000;
  const x = op.ones([1, width]);
  const down = op.ones([1, width]);
  const up = op.ones([1, 1]);
  const drawn = (seed: number, rate: number) => {
    return scope(() => addLowRank(op.zeros([1, 1]), x, { down, up, scale: 1, dropout: { rate, seed } }).item());
  };
  assert.equal(drawn(1, 0), width);
  // width * kept / (1 - rate): standard deviation sqrt(width * rate / (1 - rate)) = 63 at rate 0.5
  const got = drawn(1, 0.5);
  assert.ok(Math.abs(got - width) < 5 * 63 && got !== width, `${got}`);
  assert.equal(got % 2, 0, "what is kept counts double");
  assert.equal(drawn(1, 0.5), got);
  assert.notEqual(drawn(2, 0.5), got);
});
