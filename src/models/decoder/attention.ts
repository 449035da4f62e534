// Grouped-query attention of the text model, in the three shapes it is needed: a causal prefix, branches that share a
// prefix, and one decode step over a shared cache. Keys and values are never repeated: the query heads of a key head
// (and the branches of a prompt) are rows of one matrix product.
// B prompts, G branches per prompt, T tokens, P prefix, C branch tokens, Q query heads per key head, H key heads, K head dim
import { customGrad, noGrad, op, scope, type Tensor } from "../../tensor/index.ts";

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

/** Scores held at once; more prompts, and long ones by their rows, are done in slices. */
export const MAX_SCORES = 1 << 26;
/** Of slices of rows: several copies of them live at once. */
const MAX_ROW_SCORES = 1 << 24;

/** An additive mask of prefixes, of which any rows can be had. */
export interface PrefixMask {
  /** [1 or B, 1, 1, count, P] */
  rows(start: number, count: number): Tensor;
}

/**
 * Causal attention of a batch of prefixes.
 * @param queries [B * P, H * Q, K]
 * @returns [B * P, H * Q * K]
 */
export function attendPrefix(
  queries: Tensor,
  { keys, values }: KeysValues,
  mask: PrefixMask,
  batch: number,
  maxScores = MAX_SCORES,
): Tensor {
  const [rows, heads, dim] = queries.shape as [number, number, number];
  const groups = keys.size(0);
  const keyHeads = groups / batch;
  const perKey = heads / keyHeads;
  const tokens = rows / batch;
  const grouped = queries
    .mul(dim ** -0.5)
    .view([batch, tokens, keyHeads, perKey, dim])
    .permute([0, 2, 3, 1, 4]); // [B, H, Q, P, K]
  const isLong = heads * tokens * tokens > maxScores;
  const perSlice = Math.max(1, Math.floor(maxScores / (heads * tokens * tokens)));
  const rowsPerSlice = isLong
    ? Math.max(1, Math.floor(Math.min(maxScores, MAX_ROW_SCORES) / (heads * tokens)))
    : tokens;
  const slices: Tensor[] = [];
  for (let start = 0; start < batch; start += perSlice) {
    const count = Math.min(perSlice, batch - start);
    const part = (x: Tensor) => (count === batch ? x : x.narrow(0, start * keyHeads, count * keyHeads));
    const attendRows = (top: number, height: number) => {
      const own = (count === batch ? grouped : grouped.narrow(0, start, count)).narrow(3, top, height);
      const flat = own.reshape([count * keyHeads, perKey * height, dim]);
      const scores = flat.bmm(part(keys).transpose(1, 2));
      const whole = mask.rows(top, height);
      const partMask = whole.size(0) === 1 || count === batch ? whole : whole.narrow(0, start, count);
      scores.view([count, keyHeads, perKey, height, tokens]).add_(partMask);
      return probabilities(scores).bmm(part(values)).view([count, keyHeads, perKey, height, dim]);
    };
    const bands: Tensor[] = [];
    for (let top = 0; top < tokens; top += rowsPerSlice) {
      const height = Math.min(rowsPerSlice, tokens - top);
      bands.push(count === batch && height === tokens ? attendRows(top, height) : scope(() => attendRows(top, height)));
    }
    slices.push(bands.length === 1 ? bands[0]! : op.cat(bands, { dim: 3 }));
  }
  const context = slices.length === 1 ? slices[0]! : op.cat(slices, { dim: 0 });
  return context.permute([0, 3, 1, 2, 4]).reshape([rows, heads * dim]); // of [B, H, Q, P, K]
}

/** Softmax over the last dimension, in float32. */
export function probabilities(scores: Tensor): Tensor {
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
