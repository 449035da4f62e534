// The objectives one by one: published test vectors, hand-computed values and finite differences.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom } from "../../src/random.ts";
import { clippedSurrogate, fullKl, importanceRatio, sampledKl, tokenWeights } from "../../src/rl/objectives/grpo.ts";
import { oppoLoss } from "../../src/rl/objectives/oppo.ts";
import {
  entropy,
  evidenceWeight,
  perceptionDivergence,
  perceptionObjective,
  pick,
  weightedSum,
} from "../../src/rl/objectives/perception.ts";
import { grad, indices, scope, type Tensor, tensor } from "../../src/tensor/index.ts";
import { tensorTest } from "../support/tensor-test.ts";

const vectorTolerance = 5e-9;
const exactTolerance = 1e-12;
const finiteDifferenceStep = 1e-5;
const finiteDifferenceTolerance = 1e-8;

const f64 = (values: readonly number[], shape?: number[]): Tensor => tensor(Float64Array.from(values), shape);

function assertNear(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of actual.entries()) {
    assert.ok(Math.abs(value - expected[i]!) <= tolerance, `[${i}]: expected ${expected[i]}, got ${value}`);
  }
}

// Two sequences of 3 and 5 tokens (rl-stack test vectors, computed with numpy).
const current = [0.5, 0.2, 0.9, 0.4, 0.4, 0.1, 0.7, 0.3].map(Math.log);
const old = [0.45, 0.3, 0.9, 0.3, 0.4, 0.15, 0.7, 0.2].map(Math.log);
const reference = [0.6, 0.2, 0.8, 0.4, 0.3, 0.1, 0.6, 0.3].map(Math.log);
const advantages = [1, 1, 1, -0.5, -0.5, -0.5, -0.5, -0.5];
const clip = { clipLow: 0.2, clipHigh: 0.28, dualClip: null };

tensorTest("k3, clipped surrogate and every aggregation reproduce the vectors", () => {
  const k3 = sampledKl("k3", f64(current), f64(reference));
  assertNear(k3.toNumbers(), [0.01767844, 0, 0.00667192, 0, 0.03768207, 0, 0.01129354, 0], vectorTolerance);
  const surrogate = clippedSurrogate(importanceRatio(f64(current), f64(old)), f64(advantages), clip);
  const losses = surrogate.sub(k3.mul(0.04)).neg().toNumbers();
  const expected = [-1.11040397, -0.66666667, -0.99973312, 0.66666667, 0.50150728, 0.4, 0.50045174, 0.75];
  assertNear(losses, expected, vectorTolerance);
  const total = (aggregation: Parameters<typeof tokenWeights>[1]) => {
    const [first, second] = tokenWeights([3, 5], aggregation, 8);
    return losses.reduce((sum, loss, t) => sum + loss * (t < 3 ? first! : second!), 0);
  };
  assertNear(
    [total("seq-mean"), total("token-mean"), total("constant")],
    [-0.18093806, 0.00522774, 0.00261387],
    vectorTolerance,
  );
  // negative control: the first token's ratio 1.111 is below 1.28, with a clip of .05 it must change
  const tighter = clippedSurrogate(importanceRatio(f64(current), f64(old)), f64(advantages), {
    ...clip,
    clipHigh: 0.05,
  });
  assertNear([tighter.toNumbers()[0]!], [1.05], exactTolerance);
});

tensorTest("dual clip bounds what a negative advantage can cost", () => {
  // ratio 8 with A = -.5: -4 without, 3 x -.5 = -1.5 with; a positive advantage is not touched
  const ratio = f64([8, 8]);
  const adv = f64([-0.5, 0.5]);
  assert.deepEqual(clippedSurrogate(ratio, adv, clip).toNumbers(), [-4, 0.64]);
  assert.deepEqual(clippedSurrogate(ratio, adv, { ...clip, dualClip: 3 }).toNumbers(), [-1.5, 0.64]);
});

tensorTest("on policy the surrogate is the advantage and its gradient the advantage times that of log pi", () => {
  const logprobs = f64(current);
  logprobs.requiresGrad = true;
  const surrogate = clippedSurrogate(importanceRatio(logprobs, logprobs.detach()), f64(advantages), clip);
  assertNear(surrogate.toNumbers(), advantages, exactTolerance);
  assertNear(grad([surrogate.sum()], [logprobs])[0]!.toNumbers(), advantages, exactTolerance);
});

tensorTest("k1 and k2, values and gradients", () => {
  const logprobs = f64([Math.log(0.5)]);
  logprobs.requiresGrad = true;
  const d = Math.log(0.6) - Math.log(0.5);
  const k1 = sampledKl("k1", logprobs, f64([Math.log(0.6)]));
  const k2 = sampledKl("k2", logprobs, f64([Math.log(0.6)]));
  assertNear([k1.item(), k2.item()], [-d, (d * d) / 2], exactTolerance);
  // d/dlogp: k1 1, k2 -d, k3 1 - e^d
  const k3 = sampledKl("k3", logprobs, f64([Math.log(0.6)]));
  const gradients = [k1, k2, k3].map((k) => grad([k], [logprobs])[0]!.item());
  assertNear(gradients, [1, -d, 1 - 0.6 / 0.5], exactTolerance);
});

const zFull = [2, 0.5, -1, 0];
const zMasked = [0.5, 0.5, 0.5, -0.5];

tensorTest("the exact KL and both of its gradients", () => {
  const zp = f64(zFull, [1, 4]);
  const zq = f64(zMasked, [1, 4]);
  zp.requiresGrad = true;
  zq.requiresGrad = true;
  const options = { estimator: "full-vocab", gradient: "both" } as const;
  const kl = perceptionDivergence(zp.logSoftmax(-1), zq.logSoftmax(-1), indices([0]), options);
  assertNear(kl.toNumbers(), [0.4321036993], vectorTolerance);
  const [dp, dq] = grad([kl.sum()], [zp, zq]);
  assertNear(dp!.toNumbers(), [0.31232326, -0.16797832, -0.09051172, -0.05383322], vectorTolerance);
  assertNear(dq!.toNumbers(), [-0.41317718, 0.13847803, 0.26156895, 0.0131302], vectorTolerance);
  // negative control: the other direction has another value
  const reverse = fullKl(zq.logSoftmax(-1), zp.logSoftmax(-1)).item();
  assert.ok(Math.abs(reverse - 0.4321036993) > 0.01);
});

/** The paper's target, with a cap. */
const farthest = (divergence: Tensor, cap: number | null): Tensor =>
  perceptionObjective(divergence, () => divergence, null, { cap, target: "farthest", holdWeight: 1 });

/** Central differences of a function of a list. */
function finiteDifferences(f: (values: readonly number[]) => number, at: readonly number[]): number[] {
  return at.map((_, i) => {
    const shifted = (by: number) => at.map((value, j) => (i === j ? value + by : value));
    return (f(shifted(finiteDifferenceStep)) - f(shifted(-finiteDifferenceStep))) / (2 * finiteDifferenceStep);
  });
}

tensorTest("divergence, cap, entropies and weights match finite differences", () => {
  const random = createRandom(5);
  const full = Array.from({ length: 12 }, () => 4 * random.next() - 2);
  const masked = Array.from({ length: 12 }, () => 4 * random.next() - 2);
  const weights = [0.2, 0.5, 0.3];
  for (const estimator of ["full-vocab", "k1", "k2", "k3"] as const) {
    const objective = (zp: Tensor, zq: Tensor): Tensor => {
      const [p, q] = [zp.logSoftmax(-1), zq.logSoftmax(-1)];
      const k = perceptionDivergence(p, q, indices([1, 3, 0]), { estimator, gradient: "both" });
      const parts = {
        perception: weightedSum(farthest(k, 1), f64(weights)),
        fullEntropy: weightedSum(entropy(p), f64(weights)),
        maskedEntropy: weightedSum(entropy(q), f64(weights)),
      };
      return oppoLoss(parts, { perception: 0.7, anchor: 0, fullEntropy: 0.03, maskedEntropy: 0.05 });
    };
    const value = (zp: readonly number[], zq: readonly number[]) =>
      scope(() => objective(f64(zp, [3, 4]), f64(zq, [3, 4])).item());
    const zp = f64(full, [3, 4]);
    const zq = f64(masked, [3, 4]);
    zp.requiresGrad = true;
    zq.requiresGrad = true;
    const [dp, dq] = grad([objective(zp, zq)], [zp, zq]);
    assertNear(
      dp!.toNumbers(),
      finiteDifferences((z) => value(z, masked), full),
      finiteDifferenceTolerance,
    );
    assertNear(
      dq!.toNumbers(),
      finiteDifferences((z) => value(full, z), masked),
      finiteDifferenceTolerance,
    );
  }
});

tensorTest("a token beyond the cap counts as the cap and has no gradient", () => {
  const k = f64([0.5, 2.5]);
  k.requiresGrad = true;
  const kept = farthest(k, 2);
  assert.deepEqual(kept.toNumbers(), [0.5, 2]);
  assert.deepEqual(grad([kept.sum()], [k])[0]!.toNumbers(), [1, 0]);
  assert.deepEqual(farthest(k, null).toNumbers(), [0.5, 2.5]);
});

tensorTest("what can be read is pressed less: half of a token's divergence, none of it", () => {
  const k = f64([0.5, 0.5, 2.5]);
  k.requiresGrad = true;
  const readable = f64([0, 0.5, 0.75]);
  const held = () => assert.fail("nothing is held");
  const pressed = perceptionObjective(k, held, readable, { cap: 2, target: "farthest", holdWeight: 3 });
  assert.deepEqual(pressed.toNumbers(), [0.5, 0.25, 0.5]);
  assert.deepEqual(grad([pressed.sum()], [k])[0]!.toNumbers(), [1, 0.5, 0]);
});

tensorTest("a calibrated target: short of it, at it and beyond it, by hand", () => {
  // cap 2: tau = 2, 1, .5, 0 for r = 0, .5, .75, 1
  const readable = f64([0, 0.5, 0.75, 1]);
  const k = f64([0.5, 1, 0.7, 0.25]);
  const held = k.detach();
  k.requiresGrad = true;
  held.requiresGrad = true;
  const options = { cap: 2, target: "calibrated", holdWeight: 3 } as const;
  const aimed = perceptionObjective(k, () => held, readable, options);
  // -(2 - .5), 0, -3 (.7 - .5), -3 (.25 - 0)
  assertNear(aimed.toNumbers(), [-1.5, 0, -0.6, -0.75], exactTolerance);
  const [short, beyond] = grad([aimed.sum()], [k, held]);
  // at the target itself either side's slope is a subgradient: tokens 0, 2 and 3 are told
  const told = (slopes: Tensor) => [0, 2, 3].map((i) => slopes.toNumbers()[i]!);
  assertNear(told(short!), [1, 0, 0], exactTolerance);
  assertNear(told(beyond!), [0, -3, -3], exactTolerance);
  // nothing readable is a target of the cap for all
  const all = perceptionObjective(k, () => held, null, options);
  assertNear(all.toNumbers(), [-1.5, -1, -1.3, -1.75], exactTolerance);
});

tensorTest("a calibrated target matches finite differences; beyond it the full branch does not learn", () => {
  const random = createRandom(8);
  const full = Array.from({ length: 12 }, () => 4 * random.next() - 2);
  const masked = Array.from({ length: 12 }, () => 4 * random.next() - 2);
  const readable = [0.2, 0.95, 1];
  const options = { cap: 2, target: "calibrated", holdWeight: 0.7 } as const;
  const exact = { estimator: "full-vocab", gradient: "both" } as const;
  const ids = indices([1, 3, 0]);
  const objective = (zp: Tensor, zq: Tensor, zpHeld: Tensor): Tensor => {
    const [p, q] = [zp.logSoftmax(-1), zq.logSoftmax(-1)];
    const held = () => perceptionDivergence(zpHeld.logSoftmax(-1).detach(), q, ids, exact);
    const k = perceptionDivergence(p, q, ids, exact);
    return weightedSum(perceptionObjective(k, held, f64(readable), options), f64([0.2, 0.5, 0.3]));
  };
  const value = (zp: readonly number[], zq: readonly number[]) =>
    scope(() => objective(f64(zp, [3, 4]), f64(zq, [3, 4]), f64(full, [3, 4])).item());
  const zp = f64(full, [3, 4]);
  const zq = f64(masked, [3, 4]);
  zp.requiresGrad = true;
  zq.requiresGrad = true;
  const divergences = perceptionDivergence(zp.logSoftmax(-1), zq.logSoftmax(-1), ids, exact).toNumbers();
  assert.ok(divergences[0]! < 1.6 && divergences[1]! > 0.1, "one token is short of its target, two are beyond it");
  const [dp, dq] = grad([objective(zp, zq, zp)], [zp, zq]);
  const slopes = finiteDifferences((z) => value(full, z), masked);
  assertNear(dq!.toNumbers(), slopes, finiteDifferenceTolerance);
  // the first token's row is pressed through both branches; the held ones' full rows are still
  const ofFull = finiteDifferences((z) => value(z, masked), full);
  assertNear(dp!.toNumbers().slice(0, 4), ofFull.slice(0, 4), finiteDifferenceTolerance);
  assert.ok(
    dp!
      .toNumbers()
      .slice(4)
      .every((slope) => slope === 0),
  );
  assert.ok(slopes.slice(4).some((slope) => Math.abs(slope) > 1e-3));
});

tensorTest("routes: only the chosen branch learns", () => {
  for (const gradient of ["both", "full", "masked"] as const) {
    const zp = f64(zFull, [1, 4]);
    const zq = f64(zMasked, [1, 4]);
    zp.requiresGrad = true;
    zq.requiresGrad = true;
    const options = { estimator: "full-vocab", gradient } as const;
    const kl = perceptionDivergence(zp.logSoftmax(-1), zq.logSoftmax(-1), indices([0]), options);
    kl.sum().backward();
    assert.equal(zp.grad !== null, gradient !== "masked", gradient);
    assert.equal(zq.grad !== null, gradient !== "full", gradient);
  }
});

tensorTest("sampled estimators: expectation over y of the gradient, estimator by estimator", () => {
  const p = softmax(zFull);
  const q = softmax(zMasked);
  const expected = (estimator: "k1" | "k2" | "k3" | "k2-k1") => {
    const zp = f64(zFull, [1, 4]);
    const zq = f64(zMasked, [1, 4]);
    zp.requiresGrad = true;
    zq.requiresGrad = true;
    const [logp, logq] = [zp.logSoftmax(-1), zq.logSoftmax(-1)];
    const options = { estimator, gradient: "both" } as const;
    const terms = p.map((share, y) => perceptionDivergence(logp, logq, indices([y]), options).mul(share));
    const [dp, dq] = grad([terms.reduce((sum, term) => sum.add(term)).sum()], [zp, zq]);
    return { dp: dp!.toNumbers(), dq: dq!.toNumbers() };
  };
  const exactFull = [0.31232326, -0.16797832, -0.09051172, -0.05383322];
  const exactMasked = q.map((share, v) => share - p[v]!);
  assertNear(expected("k1").dp, [0, 0, 0, 0], exactTolerance);
  assertNear(expected("k1").dq, exactMasked, exactTolerance);
  assertNear(expected("k2").dp, exactFull, vectorTolerance);
  assertNear(expected("k3").dq, exactMasked, exactTolerance);
  // k3 through the full branch ascends KL(q || p): its gradient is p - q
  assertNear(
    expected("k3").dp,
    p.map((share, v) => share - q[v]!),
    exactTolerance,
  );
  assertNear(expected("k2-k1").dp, exactFull, vectorTolerance);
  assertNear(expected("k2-k1").dq, exactMasked, exactTolerance);
});

function softmax(z: readonly number[]): number[] {
  const total = z.reduce((sum, value) => sum + Math.exp(value), 0);
  return z.map((value) => Math.exp(value) / total);
}

tensorTest("one minus sign, linear in its parts", () => {
  const weights = { perception: 0.5, anchor: 0.25, fullEntropy: 0.125, maskedEntropy: 2 };
  const parts = {
    policy: f64([3]),
    perception: f64([4]),
    anchor: f64([8]),
    fullEntropy: f64([16]),
    maskedEntropy: f64([1]),
  };
  // -(3 + .5 x 4 - .25 x 8 - .125 x 16 - 2 x 1)
  assert.equal(oppoLoss(parts, weights).item(), -(3 + 2 - 2 - 2 - 2));
  assert.equal(oppoLoss({ policy: f64([3]) }, weights).item(), -3);
  assert.equal(oppoLoss({ perception: f64([4]) }, weights).item(), -2);
});

test("reductions of J_omni and weights of left-out sequences", () => {
  const step = { numSequences: 4, numTokens: 200 };
  assert.equal(evidenceWeight("sum", 15, step), 1 / 4);
  assert.equal(evidenceWeight("mean", 15, step), 1 / 60);
  assert.equal(evidenceWeight("response-mean", 15, step), 1 / 200);
  assert.equal(evidenceWeight("mean", 0, step), 0);
  // a masked-out sequence still counts in the mean over sequences
  assert.deepEqual(tokenWeights([4, 0], "seq-mean", 8), [1 / 8, 0]);
  assert.deepEqual(tokenWeights([4, 0], "token-mean", 8), [1 / 4, 0]);
});

tensorTest("pick reads the sampled token's column", () => {
  assert.deepEqual(pick(f64([1, 2, 3, 4, 5, 6], [2, 3]), indices([2, 0])).toNumbers(), [3, 4]);
});
