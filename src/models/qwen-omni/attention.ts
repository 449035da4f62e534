// Grouped-query attention of the text model, in the three shapes it is needed: a causal prefix, branches that share a
// prefix, and one decode step over a shared cache. Keys and values are never repeated: the query heads of a key head
// (and the branches of a prompt) are rows of one matrix product.
// B prompts, G branches per prompt, T tokens, P prefix, C branch tokens, Q query heads per key head, H key heads, K head dim
import { op, type Tensor } from "../../tensor/index.ts";

/** Rotated keys and values of a prefix, [B * H, P, K] each. */
export interface KeysValues {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/** How many rows of what: fixes every reshape below. */
export interface BranchShape {
  readonly prompts: number;
  readonly branches: number;
  readonly tokens: number;
}

/** Additive mask value: far below any score, and finite in every dtype, so that a fully masked row has no NaN. */
export const MASKED = -1e30;

/** [B * T, H, K] -> [B * H, T, K] */
export function byKeyHead(x: Tensor, batch: number): Tensor {
  const [rows, heads, dim] = x.shape as [number, number, number];
  const tokens = rows / batch;
  return x
    .view([batch, tokens, heads, dim])
    .transpose(1, 2)
    .reshape([batch * heads, tokens, dim]);
}

/**
 * Causal attention of a batch of prefixes.
 * @param queries [B * P, H * Q, K]
 * @param mask additive, [1 or B * H, Q * P, P]
 * @returns [B * P, H * Q * K]
 */
export function attendPrefix(queries: Tensor, { keys, values }: KeysValues, mask: Tensor, batch: number): Tensor {
  const [rows, heads, dim] = queries.shape as [number, number, number];
  const groups = keys.size(0);
  const keyHeads = groups / batch;
  const perKey = heads / keyHeads;
  const tokens = rows / batch;
  const grouped = queries
    .view([batch, tokens, keyHeads, perKey, dim])
    .permute([0, 2, 3, 1, 4])
    .reshape([groups, perKey * tokens, dim]); // [B H, Q P, K]
  const context = softmaxProduct(grouped, keys, values, mask);
  return context
    .view([batch, keyHeads, perKey, tokens, dim])
    .permute([0, 3, 1, 2, 4])
    .reshape([rows, heads * dim]);
}

/** softmax(queries keys^T / sqrt(K) + mask) values; all [groups, rows, K]; the softmax is in float32. */
export function softmaxProduct(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor): Tensor {
  const scale = queries.size(2) ** -0.5;
  const shape = [queries.size(0), queries.size(1), keys.size(1)];
  const scores = op.baddbmm(mask.expand(shape), queries, keys.transpose(1, 2), { alpha: scale });
  return probabilities(scores).bmm(values);
}

function probabilities(scores: Tensor): Tensor {
  if (scores.dtype === "float32") return scores.softmax(-1);
  return scores.softmax(-1, { dtype: "float32" }).to(scores.dtype);
}

/**
 * Branches that see their prompt's prefix and, causally, themselves: one softmax over both parts.
 * @param queries [N * C, H * Q, K] with N = B * G
 * @param own keys and values of the branches, [N * C, H, K]
 * @param mask additive, [1 or B, 1, 1, 1, C, P + C]
 * @returns [N * C, H * Q * K]
 */
export function attendBranches(
  queries: Tensor,
  prefix: KeysValues,
  own: KeysValues,
  mask: Tensor,
  shape: BranchShape,
): Tensor {
  const [rows, heads, dim] = queries.shape as [number, number, number];
  const { prompts, branches, tokens } = shape;
  const keyHeads = own.keys.size(1);
  const perKey = heads / keyHeads;
  const groups = prompts * keyHeads;
  const prefixLength = prefix.keys.size(1);
  const scale = dim ** -0.5;
  const grouped = queries
    .view([prompts, branches, tokens, keyHeads, perKey, dim])
    .permute([0, 3, 1, 4, 2, 5])
    .reshape([groups, branches * perKey * tokens, dim]); // [B H, G Q C, K]
  const single = grouped.view([groups * branches, perKey * tokens, dim]); // [B H G, Q C, K]
  const ownKeys = byBranch(own.keys, shape);
  const ownValues = byBranch(own.values, shape);
  const full = [prompts, keyHeads, branches, perKey, tokens];
  const scores = op.cat(
    [
      grouped.bmm(prefix.keys.transpose(1, 2)).view([...full, prefixLength]),
      single.bmm(ownKeys.transpose(1, 2)).view([...full, tokens]),
    ],
    { dim: -1 },
  );
  const weights = probabilities(scores.mul(scale).add(mask));
  const onPrefix = weights.narrow(-1, 0, prefixLength).reshape([groups, branches * perKey * tokens, prefixLength]);
  const onOwn = weights.narrow(-1, prefixLength, tokens).reshape([groups * branches, perKey * tokens, tokens]);
  const context = onPrefix
    .bmm(prefix.values)
    .view([groups * branches, perKey * tokens, dim])
    .add(onOwn.bmm(ownValues));
  return context
    .view([prompts, keyHeads, branches, perKey, tokens, dim])
    .permute([0, 2, 4, 1, 3, 5])
    .reshape([rows, heads * dim]);
}

/** [B G C, H, K] -> [B H G, C, K] */
function byBranch(x: Tensor, { prompts, branches, tokens }: BranchShape): Tensor {
  const [, heads, dim] = x.shape as [number, number, number];
  return x
    .view([prompts, branches, tokens, heads, dim])
    .permute([0, 3, 1, 2, 4])
    .reshape([prompts * heads * branches, tokens, dim]);
}
