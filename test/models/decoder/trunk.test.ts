// A trunk that computes its layers again on the way back has the gradients of one that keeps its graph: of every weight, of media
// rows that learn, of an adapter with dropout; and it keeps little. Attention by an operator of libtorch's own gives the numbers
// of the composed one, in values and gradients.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addAdapter } from "../../../src/models/adapt.ts";
import { attendBranches, attendPrefix, MASKED } from "../../../src/models/decoder/attention.ts";
import type { BranchOperands, PrefixMask } from "../../../src/models/decoder/attention-slices.ts";
import { type FusedAttention, fusedBranches, fusedPrefix } from "../../../src/models/decoder/fused-attention.ts";
import { defaultLora } from "../../../src/models/lora/config.ts";
import type { ClipRows, ModelPrompt, OmniModel } from "../../../src/models/omni-model.ts";
import { Generator, grad, hasOperator, numLiveTensors, op, scope, type Tensor } from "../../../src/tensor/index.ts";
import { onDevice, testDevice } from "../../support/device.ts";
import { mixedPrompts, tinyThinker } from "../qwen-omni/tiny.ts";

/** Of the largest value of a gradient: float32 sums in another order. */
const ORDER_TOLERANCE = 1e-5;
/** Of the loss, and of the norm of all gradients. */
const WHOLE_TOLERANCE = 1e-6;
const MISTAKE = 1e-2;

function relative(got: Tensor, want: Tensor): number {
  return got.sub(want).abs().max().item() / want.abs().max().item();
}

/** A sum that weighs every element differently, so that no two places are exchangeable. */
function functional(rows: Tensor, seed: number): Tensor {
  using generator = new Generator(seed);
  return rows.mul(onDevice(op.randn(rows.shape, { generator }))).sum();
}

const lengths = [[9, 3, 7], [5], [2, 8]] as const;
/** Of one length each: no packing, no padding of branches. */
const evenLengths = [
  [6, 6],
  [6, 6],
  [6, 6],
] as const;

function completionsOf(all: readonly (readonly number[])[]): Int32Array[][] {
  return all.map((own, b) =>
    own.map((n, g) => Int32Array.from({ length: n }, (_, t) => 5 + ((t * 7 + g * 3 + b) % 90))),
  );
}

interface Outcome {
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Tensor>;
}

/** The loss of some completion rows and its gradients, of media rows too. */
function learn(
  model: OmniModel,
  prompts: readonly ModelPrompt[],
  completions: readonly (readonly Int32Array[])[],
  recomputes: boolean,
): Outcome {
  const named: [string, Tensor][] = [...model.parameters()];
  const leaves = prompts.map(({ tokens, rows }, b): ModelPrompt => {
    if (rows === null) return { tokens, rows };
    const cut = (name: "video" | "audio"): Tensor | null => {
      if (rows[name] === null) return null;
      const leaf = rows[name].detach();
      leaf.requiresGrad = true;
      named.push([`${name} rows of ${b}`, leaf]);
      return leaf;
    };
    const learning: ClipRows = { video: cut("video"), audio: cut("audio"), [Symbol.dispose]: () => undefined };
    return { tokens, rows: learning };
  });
  const trunk = model.trunk(leaves, completions, { recomputes });
  const real = completions.flat().map((own, n) => trunk.hidden.select(0, n).narrow(0, 0, own.length));
  const loss = real.map((rows, n) => functional(rows, n)).reduce((sum, one) => sum.add(one));
  loss.backward();
  trunk.backward();
  const gradients = new Map<string, Tensor>();
  for (const [name, parameter] of named) {
    if (parameter.grad !== null) gradients.set(name, parameter.grad);
    parameter.grad = null;
  }
  return { loss: loss.item(), gradients };
}

function norm(gradients: ReadonlyMap<string, Tensor>): number {
  return Math.hypot(...[...gradients.values()].map((gradient) => gradient.norm().item()));
}

function assertSame(got: Outcome, want: Outcome): void {
  assert.ok(Math.abs(got.loss / want.loss - 1) < WHOLE_TOLERANCE, `${got.loss} ${want.loss}`);
  assert.deepEqual([...got.gradients.keys()], [...want.gradients.keys()]);
  assert.ok(Math.abs(norm(got.gradients) / norm(want.gradients) - 1) < WHOLE_TOLERANCE, "norm");
  for (const [name, gradient] of want.gradients) {
    const error = relative(got.gradients.get(name)!, gradient);
    assert.ok(error < ORDER_TOLERANCE, `${name}: ${error}`);
  }
}

describe("a recomputed trunk", () => {
  test("has the gradients of the graph: all weights, media rows, packed and even branches, padded prompts", () => {
    const before = numLiveTensors();
    scope(() => {
      using model = tinyThinker(1);
      const prompts = mixedPrompts(model);
      for (const [name, parameter] of model.parameters()) {
        parameter.requiresGrad = !model.partOf(name).endsWith("tower");
      }
      for (const shape of [lengths, evenLengths]) {
        const completions = completionsOf(shape);
        const whole = learn(model, prompts, completions, false);
        assert.ok(whole.gradients.size > 30 && whole.gradients.has("video rows of 0"));
        assertSame(learn(model, prompts, completions, true), whole);
        // negative control: another completion is another gradient
        const other = completions.map((own, b) => (b === 0 ? own.map((ids) => ids.map((id) => id + 1)) : own));
        const wrong = learn(model, prompts, other, true);
        const name = "model.layers.0.self_attn.k_proj.weight";
        assert.ok(relative(wrong.gradients.get(name)!, whole.gradients.get(name)!) > MISTAKE);
      }
      const alone = [prompts[2]!];
      assertSame(learn(model, alone, completionsOf([[4]]), true), learn(model, alone, completionsOf([[4]]), false));
      for (const { rows } of prompts) rows?.[Symbol.dispose]();
    });
    assert.equal(numLiveTensors(), before);
  });

  test("draws an adapter's dropout again as it was drawn; the next pass and another seed draw others", () => {
    const before = numLiveTensors();
    scope(() => {
      using model = tinyThinker(2);
      const config = { ...defaultLora, rank: 3, alpha: 6, dropout: 0.3 };
      using adapted = addAdapter(model, config, 5);
      using generator = new Generator(4);
      for (const [name, value] of adapted.parameters()) {
        if (name.endsWith("lora_B.weight")) value.copy_(op.randn(value.shape, { generator }).mul(0.1));
        value.requiresGrad = true;
      }
      const prompts = mixedPrompts(model);
      const completions = completionsOf(lengths);
      const run = (seed: number, recomputes: boolean) => {
        adapted.adapter.train(seed);
        return learn(adapted, prompts, completions, recomputes);
      };
      const whole = run(1, false);
      assertSame(run(1, true), whole);
      const second = learn(adapted, prompts, completions, true);
      assert.ok(Math.abs(second.loss / whole.loss - 1) > WHOLE_TOLERANCE, "the second pass of a step");
      assert.ok(Math.abs(run(2, true).loss / whole.loss - 1) > WHOLE_TOLERANCE, "another step");
      for (const { rows } of prompts) rows?.[Symbol.dispose]();
    });
    assert.equal(numLiveTensors(), before);
  });
});

/** What libtorch's operator does, of plain operators. */
const written: FusedAttention = (queries, keys, values, { attnMask, isCausal }) => {
  const [rows, columns] = [queries.size(2), keys.size(2)];
  const like = { dtype: queries.dtype, device: queries.device };
  const causal = isCausal ? op.triu(op.full([rows, columns], MASKED, like), { diagonal: 1 }) : null;
  const scores = queries.matmul(keys.transpose(2, 3)).mul(queries.size(3) ** -0.5);
  return [attnMask, causal]
    .filter((mask) => mask !== null)
    .reduce((sum, mask) => sum.add(mask), scores)
    .softmax(-1)
    .matmul(values);
};

describe("attention by one operator", () => {
  const operators: [string, FusedAttention][] = [["as written here", written]];
  if (hasOperator("scaled_dot_product_attention")) operators.push(["libtorch's", op.scaledDotProductAttention]);
  const [batch, tokens, heads, keyHeads, dim] = [3, 7, 6, 2, 8];
  const draw = (generator: Generator, ...shape: number[]) => {
    const x = op.randn(shape, { generator }).to({ device: testDevice });
    x.requiresGrad = true;
    return x;
  };
  const agree = (got: Tensor, whole: () => Tensor, inputs: readonly Tensor[]) => {
    const want = whole();
    assert.ok(relative(got, want) < ORDER_TOLERANCE);
    const slope = (y: Tensor) => grad([functional(y, 3)], inputs);
    const expected = slope(want);
    for (const [i, one] of slope(got).entries()) assert.ok(relative(one!, expected[i]!) < ORDER_TOLERANCE, `${i}`);
  };

  for (const [name, attend] of operators) {
    test(`${name}: prefixes, plain and padded`, () => {
      scope(() => {
        using generator = new Generator(1);
        const queries = draw(generator, batch * tokens, heads, dim);
        const [keys, values] = [
          draw(generator, batch * keyHeads, tokens, dim),
          draw(generator, batch * keyHeads, tokens, dim),
        ];
        const like = { device: testDevice, dtype: "float32" } as const;
        const causal = op
          .triu(op.full([tokens, tokens], MASKED, like), { diagonal: 1 })
          .view([1, 1, 1, tokens, tokens]);
        const left = op.zeros([batch, tokens], like);
        left.narrow(0, 1, 1).narrow(1, 0, 2).fill_(MASKED);
        const padded = causal.add(left.view([batch, 1, 1, 1, tokens]));
        const maskOf = (whole: Tensor, isPadded: boolean): PrefixMask => ({
          isCausal: true,
          isPadded,
          rows: (start, count) => whole.narrow(3, start, count),
        });
        for (const mask of [maskOf(causal, false), maskOf(padded, true)]) {
          // What a pad itself sees is read by nobody.
          const real = (x: Tensor) => op.cat([x.narrow(0, 0, tokens), x.narrow(0, tokens + 2, 2 * tokens - 2)]);
          const whole = () => real(attendPrefix(queries, { keys, values }, mask, batch));
          const got = fusedPrefix(attend, queries, { keys, values }, mask, batch);
          agree(real(got), whole, [queries, keys, values]);
          const sliced = attendPrefix(queries, { keys, values }, mask, batch, heads * tokens * 2);
          agree(real(sliced), whole, [queries, keys, values]);
          assert.ok(relative(real(got.roll(1, { dims: 0 })), whole()) > MISTAKE);
        }
      });
    });

    test(`${name}: branches, with one mask and one per prompt; in slices too`, () => {
      scope(() => {
        using generator = new Generator(2);
        const shape = { prompts: batch, branches: 2, tokens: 3 };
        const rows = batch * shape.branches * shape.tokens;
        const queries = draw(generator, rows, heads, dim);
        const pair = (count: number, ...rest: number[]) => ({
          keys: draw(generator, count, ...rest),
          values: draw(generator, count, ...rest),
        });
        const prefix = pair(batch * keyHeads, tokens, dim);
        const own = pair(rows, keyHeads, dim);
        const inputs = [queries, prefix.keys, prefix.values, own.keys, own.values];
        const like = { device: testDevice, dtype: "float32" } as const;
        const causal = op.triu(op.full([3, 3], MASKED, like), { diagonal: 1 });
        const one = op.cat([op.zeros([3, tokens], like), causal], { dim: 1 }).view([1, 1, 1, 1, 3, tokens + 3]);
        const each = one.repeat([batch, 1, 1, 1, 1, 1]);
        each.narrow(0, 2, 1).narrow(5, 0, 4).fill_(MASKED);
        for (const mask of [one, each]) {
          const operands: BranchOperands = { queries, prefix, own, mask, shape };
          const whole = () => attendBranches(operands);
          agree(fusedBranches(attend, operands), whole, inputs);
          // A prompt, a branch, one key head of a branch at a time.
          const ofHead = (heads / keyHeads) * shape.tokens * (tokens + shape.tokens);
          for (const atOnce of [ofHead * keyHeads * shape.branches, ofHead * keyHeads, ofHead, 1]) {
            agree(attendBranches(operands, atOnce), whole, inputs);
          }
          assert.ok(relative(fusedBranches(attend, operands).roll(1, { dims: 0 }), whole()) > MISTAKE);
        }
      });
    });
  }
});
