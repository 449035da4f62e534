// Attention in slices, as long prompts and large pictures have it, equals attention at once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { attendPrefix, MASKED } from "../../../src/models/decoder/attention.ts";
import type { PrefixMask } from "../../../src/models/decoder/attention-slices.ts";
import { attendSegments, segmentsOf } from "../../../src/models/qwen-omni/segments.ts";
import { Generator, numLiveTensors, op, scope, type Tensor } from "../../../src/tensor/index.ts";

/** Of the largest value: float32 sums in another order. */
const ORDER_TOLERANCE = 1e-5;
const MISTAKE = 1e-2;

function relative(got: Tensor, want: Tensor): number {
  return got.sub(want).abs().max().item() / want.abs().max().item();
}

test("prefix attention in slices equals the whole; a mask of another prompt would show", () => {
  const before = numLiveTensors();
  scope(() => {
    using generator = new Generator(9);
    const [batch, tokens, heads, keyHeads, dim] = [3, 5, 4, 2, 8];
    const draw = (...shape: number[]) => op.randn(shape, { generator });
    const queries = draw(batch * tokens, heads, dim);
    const keysValues = { keys: draw(batch * keyHeads, tokens, dim), values: draw(batch * keyHeads, tokens, dim) };
    const mask = op
      .triu(op.full([tokens, tokens], MASKED, { dtype: "float32" }), { diagonal: 1 })
      .view([1, 1, 1, tokens, tokens]);
    const padding = draw(batch, 1, 1, 1, tokens).gt(0.5).to("float32").mul(MASKED);
    for (const own of [mask, mask.add(padding)]) {
      const whole = attendPrefix(queries, keysValues, rowsOf(own), batch);
      // A fifth of one prompt: a row at a time.
      for (const perSlice of [0.2, 0.5, 1, 2]) {
        const limit = perSlice * heads * tokens * tokens;
        assert.ok(relative(attendPrefix(queries, keysValues, rowsOf(own), batch, limit), whole) < ORDER_TOLERANCE);
      }
    }
    const padded = attendPrefix(queries, keysValues, rowsOf(mask.add(padding)), batch);
    const moved = attendPrefix(queries, keysValues, rowsOf(mask.add(padding.roll(1, { dims: 0 }))), batch);
    assert.ok(relative(moved, padded) > MISTAKE);
  });
  assert.equal(numLiveTensors(), before);
});

/** A mask that is there as a whole. */
function rowsOf(mask: Tensor): PrefixMask {
  return { rows: (start, count) => mask.narrow(3, start, count) };
}

test("attention inside segments by their rows equals the whole, equal segments and ragged ones", () => {
  const before = numLiveTensors();
  scope(() => {
    using generator = new Generator(10);
    const [heads, dim] = [4, 8];
    for (const lengths of [
      [6, 6],
      [5, 9, 2],
    ]) {
      const total = lengths.reduce((sum, n) => sum + n, 0);
      const [queries, keys, values] = [0, 1, 2].map(() => op.randn([total, heads, dim], { generator })) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const segments = segmentsOf(lengths, queries);
      const whole = attendSegments(queries, keys, values, segments);
      for (const rows of [1, 4]) {
        const limit = rows * heads * segments.length;
        const sliced = attendSegments(queries, keys, values, segments, limit);
        assert.ok(relative(sliced, whole) < ORDER_TOLERANCE, `${lengths} by ${rows} rows`);
      }
      const others = attendSegments(queries, keys, values.roll(1, { dims: 0 }), segments);
      assert.ok(relative(others, whole) > MISTAKE);
    }
  });
  assert.equal(numLiveTensors(), before);
});
