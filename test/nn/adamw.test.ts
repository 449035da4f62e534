// The optimizer step, clipping and schedules against numbers worked out by hand.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AdamW, clipGradNorm, cosineSchedule, linearSchedule } from "../../src/nn/index.ts";
import { hasOperator, numLiveTensors, op, scope, type Tensor, tensor } from "../../src/tensor/index.ts";

const tolerance = 1e-6;
const float = (values: readonly number[]) => tensor(Float32Array.from(values));

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `expected ${expected}, got ${actual}`);
  assert.ok(Math.abs(actual - (expected + 1000 * tolerance)) > tolerance);
}

function parameter(values: readonly number[]): Tensor {
  const p = float(values);
  p.requiresGrad = true;
  return p;
}

const forms = hasOperator("_fused_adamw_") ? [false, true] : [false];

for (const fused of forms) {
  describe(`AdamW, ${fused ? "fused" : "composed"}`, () => {
    test("two steps by hand: decay first, bias-corrected moments", () => {
      scope(() => {
        const p = parameter([1]);
        using optimizer = new AdamW([{ parameters: [p] }], { lr: 0.1, weightDecay: 0.1, fused });
        p.grad = float([0.5]);
        optimizer.step();
        // 1 * (1 - 0.1*0.1) - 0.1 * 0.5/sqrt(0.25)
        near(p.item(), 0.89);
        p.grad = float([-0.25]);
        optimizer.step();
        // m = 0.9*0.05 - 0.1*0.25 = 0.02, v = 0.999*2.5e-4 + 1e-3*0.0625 = 3.1225e-4;
        // 0.89*0.99 - 0.1 * (0.02/0.19) / sqrt(3.1225e-4/0.001999)
        near(p.item(), 0.8811 - (0.1 * (0.02 / 0.19)) / Math.sqrt(3.1225e-4 / 0.001999));
      });
    });

    test("groups scale the rate and replace the decay; step(lr) overrides the rate", () => {
      scope(() => {
        const slow = parameter([1]);
        const still = parameter([1]);
        const groups = [{ parameters: [slow], lrScale: 0.1, weightDecay: 0 }, { parameters: [still] }];
        using optimizer = new AdamW(groups, { lr: 1, weightDecay: 0.5, fused });
        slow.grad = float([3]);
        still.grad = float([0]);
        optimizer.step(0.2);
        near(slow.item(), 1 - 0.02);
        near(still.item(), 1 - 0.2 * 0.5);
      });
    });

    test("a parameter without a gradient is left alone and its steps do not count", () => {
      scope(() => {
        const [a, b] = [parameter([1]), parameter([1])];
        using optimizer = new AdamW([{ parameters: [a, b] }], { lr: 0.1, fused });
        a.grad = float([1]);
        optimizer.step();
        assert.equal(b.item(), 1);
        b.grad = float([1]);
        optimizer.step();
        near(b.item(), 0.9);
        optimizer.zeroGrad();
        assert.equal(a.grad, null);
        assert.deepEqual(optimizer.state().get("step")!.toNumbers(), [2, 1]);
      });
    });

    test("a saved state goes on exactly where it was", () => {
      const run = (saveAfter: number | null) =>
        scope(() => {
          const p = parameter([1, -2, 3]);
          let optimizer = new AdamW([{ parameters: [p] }], { lr: 0.1, weightDecay: 0.01, fused });
          for (let i = 0; i < 6; i++) {
            if (i === saveAfter) {
              const saved = new Map([...optimizer.state()].map(([key, value]) => [key, value.clone()]));
              optimizer[Symbol.dispose]();
              optimizer = new AdamW([{ parameters: [p] }], { lr: 0.1, weightDecay: 0.01, fused });
              optimizer.loadState(saved);
            }
            p.grad = p.detach().mul(i - 2.5);
            optimizer.step();
          }
          optimizer[Symbol.dispose]();
          return p.toNumbers();
        });
      assert.deepEqual(run(3), run(null));
      assert.notDeepEqual(run(3), [1, -2, 3]);
    });
  });
}

describe("AdamW", () => {
  test("the fused and the composed update agree", (t) => {
    if (!hasOperator("_fused_adamw_")) return t.skip("this libtorch has no fused update");
    const run = (fused: boolean) =>
      scope(() => {
        const p = parameter([0.5, -1, 2, 8]);
        using optimizer = new AdamW([{ parameters: [p] }], { lr: 0.05, weightDecay: 0.1, fused });
        for (let i = 0; i < 10; i++) {
          p.grad = p.detach().sin();
          optimizer.step();
        }
        return p.toNumbers();
      });
    const composed = run(false);
    for (const [i, value] of run(true).entries()) near(value, composed[i]!);
  });

  test("finds the minimum of a parabola, and leaks nothing", () => {
    const before = numLiveTensors();
    scope(() => {
      const p = parameter([5]);
      using optimizer = new AdamW([{ parameters: [p] }], { lr: 0.1 });
      for (let i = 0; i < 300; i++) {
        scope(() => {
          optimizer.zeroGrad();
          p.sub(2).square().sum().backward();
          optimizer.step(0.1 * linearSchedule(i, { total: 300 }));
        });
      }
      assert.ok(Math.abs(p.item() - 2) < 1e-3);
    });
    assert.equal(numLiveTensors(), before);
  });

  test("a state of other parameters is refused, naming the entry", () => {
    scope(() => {
      using optimizer = new AdamW([{ parameters: [parameter([1, 2])] }], { lr: 0.1 });
      using other = new AdamW([{ parameters: [parameter([1])] }], { lr: 0.1 });
      const expected = { code: "ERR_CHECKPOINT_WEIGHTS", message: /exp_avg\.0 of shape \[2\], got \[1\]/ };
      assert.throws(() => optimizer.loadState(other.state()), expected);
    });
  });
});

describe("clipGradNorm", () => {
  test("scales to the norm over all parameters, 3-4-5; leaves smaller gradients alone", () => {
    scope(() => {
      const [a, b, none] = [parameter([1]), parameter([1]), parameter([1])];
      a.grad = float([3]);
      b.grad = float([4]);
      near(clipGradNorm([a, b, none], 10), 5);
      assert.deepEqual(a.grad.toNumbers(), [3]);
      near(clipGradNorm([a, b, none], 1), 5);
      near(a.grad.item(), 0.6);
      near(b.grad.item(), 0.8);
      assert.equal(clipGradNorm([none], 1), 0);
    });
  });

  test("a norm that is not finite is returned and changes nothing", () => {
    scope(() => {
      const [a, b] = [parameter([1]), parameter([1])];
      a.grad = float([2]);
      b.grad = op.full([1], Number.POSITIVE_INFINITY, { dtype: "float32" });
      assert.equal(clipGradNorm([a, b], 1), Number.POSITIVE_INFINITY);
      assert.deepEqual(a.grad.toNumbers(), [2]);
    });
  });
});

describe("schedules", () => {
  test("warm up in equal steps to 1, then fall to the floor and stay there", () => {
    const options = { total: 12, warmup: 4, floor: 0.1 };
    assert.deepEqual(
      [0, 1, 2, 3].map((step) => cosineSchedule(step, options)),
      [0.25, 0.5, 0.75, 1],
    );
    near(cosineSchedule(4, options), 1);
    near(cosineSchedule(8, options), 0.55);
    near(cosineSchedule(6, options), 0.1 + 0.9 * 0.5 * (1 + Math.SQRT1_2));
    near(linearSchedule(6, options), 0.1 + 0.9 * 0.75);
    for (const schedule of [cosineSchedule, linearSchedule]) {
      near(schedule(12, options), 0.1);
      near(schedule(99, options), 0.1);
      near(schedule(0, { total: 10 }), 1);
    }
  });
});
