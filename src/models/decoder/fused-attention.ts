// Attention by libtorch's own operator, where it has one: it keeps no probabilities, so neither slices nor a second softmax on the
// way back are needed. Keys and values are repeated for the query heads that share them, and a prefix for its branches, which is
// little beside the scores. On the CPU in float32 the composed form stays: its numbers are what runs are pinned to.
// B prompts, G branches per prompt, P prefix, C branch tokens, Q query heads per key head, H key heads, K head dimension
import { hasOperator, op, type Tensor } from "../../tensor/index.ts";
import type { BranchOperands, KeysValues, PrefixMask } from "./attention-slices.ts";

/** Queries [B, heads, T, K] over keys and values [B, heads, S, K]; mask additive [1 or B, 1, T, S], or null. [B, heads, T, K] */
export type FusedAttention = (
  queries: Tensor,
  keys: Tensor,
  values: Tensor,
  options: { readonly attnMask: Tensor | null; readonly isCausal: boolean },
) => Tensor;

let hasFused: boolean | null = null;

/** The operator for these queries, or null where attention is composed. */
export function fusedAttention(queries: Tensor): FusedAttention | null {
  if (queries.device === "cpu" && queries.dtype === "float32") return null;
  hasFused ??= hasOperator("scaled_dot_product_attention");
  return hasFused ? op.scaledDotProductAttention : null;
}

/** [B * P, H * Q, K] -> [B * P, H * Q * K] */
export function fusedPrefix(
  attend: FusedAttention,
  queries: Tensor,
  { keys, values }: KeysValues,
  mask: PrefixMask,
  batch: number,
): Tensor {
  const [all, heads, dim] = queries.shape as [number, number, number];
  const tokens = all / batch;
  const byHead = queries.view([batch, tokens, heads, dim]).transpose(1, 2);
  const repeated = (x: Tensor) => repeatHeads(x.view([batch, -1, tokens, dim]), heads);
  const isPlain = mask.isCausal === true && mask.isPadded !== true;
  const own = isPlain ? null : mask.rows(0, tokens);
  const attnMask = own === null ? null : own.view([own.size(0), 1, tokens, tokens]);
  const context = attend(byHead, repeated(keys), repeated(values), { attnMask, isCausal: isPlain });
  return context.transpose(1, 2).reshape([all, heads * dim]);
}

/** [N * C, H * Q * K]: every branch has its prompt's keys before its own. */
export function fusedBranches(attend: FusedAttention, { queries, prefix, own, mask, shape }: BranchOperands): Tensor {
  const { prompts, branches, tokens } = shape;
  const [all, heads, dim] = queries.shape as [number, number, number];
  const keyHeads = own.keys.size(1);
  const length = prefix.keys.size(1);
  const byHead = queries.view([prompts * branches, tokens, heads, dim]).transpose(1, 2);
  const joined = (before: Tensor, after: Tensor) => {
    const shared = before
      .view([prompts, 1, keyHeads, length, dim])
      .expand([prompts, branches, keyHeads, length, dim])
      .reshape([prompts * branches, keyHeads, length, dim]);
    const single = after.view([prompts * branches, tokens, keyHeads, dim]).transpose(1, 2);
    return repeatHeads(op.cat([shared, single], { dim: 2 }), heads);
  };
  const width = length + tokens;
  const perPrompt = mask.view([mask.size(0), 1, tokens, width]);
  const attnMask = mask.size(0) === 1 ? perPrompt : perPrompt.repeatInterleave(branches, { dim: 0 });
  const context = attend(byHead, joined(prefix.keys, own.keys), joined(prefix.values, own.values), {
    attnMask,
    isCausal: false,
  });
  return context.transpose(1, 2).reshape([all, heads * dim]);
}

/** [B, H, S, K] -> [B, heads, S, K]: query head i reads key head floor(i / Q). */
function repeatHeads(x: Tensor, heads: number): Tensor {
  const [batch, keyHeads, length, dim] = x.shape as [number, number, number, number];
  if (keyHeads === heads) return x;
  const perKey = heads / keyHeads;
  return x.unsqueeze(2).expand([batch, keyHeads, perKey, length, dim]).reshape([batch, heads, length, dim]);
}
