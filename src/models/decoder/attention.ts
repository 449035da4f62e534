// Grouped-query attention of the text model, in the three shapes it is needed: a causal prefix, branches that share a
// prefix, and one decode step over a shared cache. Keys and values are never repeated: the query heads of a key head
// (and the branches of a prompt) are rows of one matrix product.
// B prompts, G branches per prompt, T tokens, P prefix, C branch tokens, Q query heads per key head, H key heads, K head dim
import { customGrad, noGrad, op, scope, type Tensor } from "../../tensor/index.ts";
import {
  type BranchOperands,
  type BranchShape,
  type KeysValues,
  MAX_SCORES,
  type PrefixMask,
  type PrefixSlice,
  partOf,
  prefixSlices,
  slicesOf,
} from "./attention-slices.ts";
import { fusedAttention, fusedBranches, fusedPrefix } from "./fused-attention.ts";

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
 * @returns [B * P, H * Q * K]
 */
export function attendPrefix(
  queries: Tensor,
  kept: KeysValues,
  mask: PrefixMask,
  batch: number,
  maxScores = MAX_SCORES,
): Tensor {
  const [rows, heads] = queries.shape as [number, number, number];
  const fused = fusedAttention(queries);
  if (fused !== null) return scope(() => fusedPrefix(fused, queries, kept, mask, batch));
  const slices = prefixSlices(batch, heads, rows / batch, maxScores);
  if (slices.length === 1) return attendPrefixSlice(queries, kept, mask, batch, slices[0]!);
  // Prompt by prompt and row by row, so one after the other they are the rows.
  return op.cat(
    slices.map((slice) => scope(() => attendPrefixSlice(queries, kept, mask, batch, slice))),
    { dim: 0 },
  );
}

/** The slice's rows of `attendPrefix`. */
export function attendPrefixSlice(
  queries: Tensor,
  { keys, values }: KeysValues,
  mask: PrefixMask,
  batch: number,
  { prompt, prompts, row, rows }: PrefixSlice,
): Tensor {
  const [all, heads, dim] = queries.shape as [number, number, number];
  const tokens = all / batch;
  const keyHeads = keys.size(0) / batch;
  const perKey = heads / keyHeads;
  const width = mask.isCausal === true ? row + rows : tokens;
  const some = (x: Tensor, axis: number, start: number, count: number) =>
    count === x.size(axis) ? x : x.narrow(axis, start, count);
  const seen = (x: Tensor) => some(some(x, 0, prompt * keyHeads, prompts * keyHeads), 1, 0, width);
  const own = some(some(queries.view([batch, tokens, heads, dim]), 0, prompt, prompts), 1, row, rows);
  const flat = own
    .mul(dim ** -0.5)
    .view([prompts, rows, keyHeads, perKey, dim])
    .permute([0, 2, 3, 1, 4])
    .reshape([prompts * keyHeads, perKey * rows, dim]); // of [B, H, Q, P, K]
  const scores = flat.bmm(seen(keys).transpose(1, 2));
  const whole = some(mask.rows(row, rows), 4, 0, width);
  const partMask = whole.size(0) === 1 ? whole : some(whole, 0, prompt, prompts);
  scores.view([prompts, keyHeads, perKey, rows, width]).add_(partMask);
  return probabilities(scores)
    .bmm(seen(values))
    .view([prompts, keyHeads, perKey, rows, dim])
    .permute([0, 3, 1, 2, 4])
    .reshape([prompts * rows, heads * dim]);
}

/** Softmax over the last dimension, in float32. */
export function probabilities(scores: Tensor): Tensor {
  if (scores.dtype === "float32") return scores.softmax(-1);
  return scores.softmax(-1, { dtype: "float32" }).to(scores.dtype);
}

/**
 * Branches that see their prompt's prefix and, causally, themselves: one softmax over both parts.
 * @returns [N * C, H * Q * K]
 */
export function attendBranches(operands: BranchOperands, maxScores = MAX_SCORES): Tensor {
  const fused = fusedAttention(operands.queries);
  if (fused !== null) return scope(() => fusedBranches(fused, operands));
  const slices = slicesOf(operands, maxScores);
  if (slices.length === 1) return attendWhole(operands);
  const rows: Tensor[] = [];
  for (let first = 0; first < slices.length; ) {
    // The heads of one branch stand beside one another, everything else one below the other.
    const { prompt, branch } = slices[first]!;
    const beside = slices.slice(first).filter((slice) => slice.prompt === prompt && slice.branch === branch);
    const parts = beside.map((slice) => scope(() => attendWhole(partOf(operands, slice))));
    rows.push(parts.length === 1 ? parts[0]! : op.cat(parts, { dim: 1 }));
    first += beside.length;
  }
  return rows.length === 1 ? rows[0]! : op.cat(rows, { dim: 0 });
}

function attendWhole({ queries, prefix, own, mask, shape }: BranchOperands): Tensor {
  const [rows, heads, dim] = queries.shape as [number, number, number];
  const { prompts, branches, tokens } = shape;
  const keyHeads = own.keys.size(1);
  const perKey = heads / keyHeads;
  const grouped = queries
    .view([prompts, branches, tokens, keyHeads, perKey, dim])
    .permute([0, 3, 1, 4, 2, 5])
    .reshape([prompts * keyHeads, branches * perKey * tokens, dim]) // [B H, G Q C, K]
    .mul(dim ** -0.5);
  const parts: BranchParts = {
    queries: grouped,
    prefix,
    own: { keys: byBranch(own.keys, shape), values: byBranch(own.values, shape) },
    mask: mask.expand([mask.size(0) === 1 ? 1 : prompts, keyHeads, branches, perKey, tokens, mask.size(5)]),
  };
  const written = queries.dtype === "float32";
  const context = written ? branchesInPlace(parts) : branchesComposed(parts);
  return context
    .view([prompts, keyHeads, branches, perKey, tokens, dim])
    .permute([0, 2, 4, 1, 3, 5])
    .reshape([rows, heads * dim]);
}

/** The operands of branch attention, scaled and grouped. */
export interface BranchParts {
  /** [B H, G Q C, K], already scaled. */
  readonly queries: Tensor;
  /** [B H, P, K] */
  readonly prefix: KeysValues;
  /** [B H G, C, K] */
  readonly own: KeysValues;
  /** Additive, expanded to [1 or B, H, G, Q, C, P + C]. */
  readonly mask: Tensor;
}

/** Branch attention of plain operators: any device, any dtype. [B H, G Q C, K] */
export function branchesComposed({ queries, prefix, own, mask }: BranchParts): Tensor {
  const [groups, groupRows, dim] = queries.shape as [number, number, number];
  const [singles, tokens] = own.keys.shape as [number, number, number];
  const singleRows = (groups * groupRows) / singles;
  const length = prefix.keys.size(1);
  const scores = op.cat(
    [
      queries.bmm(prefix.keys.transpose(1, 2)).view([singles, singleRows, length]),
      queries.view([singles, singleRows, dim]).bmm(own.keys.transpose(1, 2)),
    ],
    { dim: -1 },
  );
  const [, keyHeads, branches, perKey] = mask.shape as [number, number, number, number];
  const batched = scores.view([groups / keyHeads, keyHeads, branches, perKey, tokens, length + tokens]);
  const weights = probabilities(batched.add(mask)).view([singles, singleRows, length + tokens]);
  const onPrefix = weights.narrow(-1, 0, length).reshape([groups, groupRows, length]).bmm(prefix.values);
  const onOwn = weights.narrow(-1, length, tokens).bmm(own.values);
  return onPrefix.view([singles, singleRows, dim]).add(onOwn).view([groups, groupRows, dim]);
}

/**
 * The same numbers with less traffic: both parts of the scores are written into one buffer, and the backward is written
 * out. For float32.
 */
export function branchesInPlace({ queries, prefix, own, mask }: BranchParts): Tensor {
  const [groups, groupRows, dim] = queries.shape as [number, number, number];
  const [singles, tokens] = own.keys.shape as [number, number, number];
  const singleRows = (groups * groupRows) / singles;
  const length = prefix.keys.size(1);
  const width = length + tokens;
  const perBranch = (x: Tensor, columns: number) => x.view([singles, singleRows, columns]);
  const onPrefix = (x: Tensor) => x.narrow(2, 0, length);
  const onOwn = (x: Tensor) => perBranch(x, width).narrow(2, length, tokens);
  // Products of both parts with [groups, P, K] and [singles, C, K], into one buffer or summed.
  const spread = (buffer: Tensor, x: Tensor, first: Tensor, second: Tensor) => {
    onPrefix(buffer).baddbmm_(x, first.transpose(1, 2));
    onOwn(buffer).baddbmm_(perBranch(x, dim), second.transpose(1, 2));
    return buffer;
  };
  const gathered = (weights: Tensor, first: Tensor, second: Tensor) => {
    const sum = onPrefix(weights).bmm(first);
    perBranch(sum, dim).baddbmm_(onOwn(weights), second);
    return sum;
  };
  const [weights, context] = noGrad(() => {
    const scores = op.empty([groups, groupRows, width], { dtype: queries.dtype, device: queries.device });
    const [, keyHeads, branches, perKey] = mask.shape as [number, number, number, number];
    scores.view([groups / keyHeads, keyHeads, branches, perKey, tokens, width]).copy_(mask);
    const probability = spread(scores, queries, prefix.keys, own.keys).softmax(-1);
    return [probability, gathered(probability, prefix.values, own.values)];
  });
  const inputs = [queries, prefix.keys, prefix.values, own.keys, own.values] as const;
  if (!inputs.some((input) => input.requiresGrad)) return context;
  return customGrad(
    inputs,
    context,
    (gradient, saved) => {
      const [p, q, prefixKeys, prefixValues, ownKeys, ownValues] = saved as [
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
      ];
      const upstream = gradient.contiguous();
      const weightGradient = spread(op.zerosLike(p), upstream, prefixValues, ownValues);
      const scoreGradient = op.softmaxBackwardData(weightGradient, p, -1, p.dtype);
      return [
        gathered(scoreGradient, prefixKeys, ownKeys),
        onPrefix(scoreGradient).transpose(1, 2).bmm(q),
        onPrefix(p).transpose(1, 2).bmm(upstream),
        onOwn(scoreGradient).transpose(1, 2).bmm(perBranch(q, dim)),
        onOwn(p).transpose(1, 2).bmm(perBranch(upstream, dim)),
      ];
    },
    [weights, ...inputs],
  );
}

/** [B G C, H, K] -> [B H G, C, K] */
function byBranch(x: Tensor, { prompts, branches, tokens }: BranchShape): Tensor {
  const [, heads, dim] = x.shape as [number, number, number];
  return x
    .view([prompts, branches, tokens, heads, dim])
    .permute([0, 3, 1, 2, 4])
    .reshape([prompts * heads * branches, tokens, dim]);
}
