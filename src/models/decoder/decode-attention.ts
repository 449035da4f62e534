// Attention of one decoding step. The branches of a prompt share the keys and values of its prefix and have a cache of their
// own; where a prompt has one branch only, its cache begins with the prefix. Keys lie transposed: a step has few rows, and a
// product with them as they lie needs no packing.
// B prompts, G branches per prompt, P prefix, S slots, H key heads, Q query heads per key head, K head dimension
import { op, type Tensor } from "../../tensor/index.ts";
import { probabilities } from "./attention.ts";
import type { KeysValues } from "./attention-slices.ts";
import type { DecoderConfig } from "./config.ts";
import type { Heads } from "./layers.ts";

/** What a layer's step attends to. */
export interface StepCache {
  /** The prefixes, keys [B * H, K, P] and values [B * H, P, K]; null where every branch has its prompt's in its own cache. */
  readonly shared: KeysValues | null;
  /** Of every branch: keys [B * H * G, K, S], values [B * H * G, S, K]. */
  readonly own: KeysValues;
}

export interface StepShape {
  readonly prompts: number;
  readonly branches: number;
  /** Slot of this step's keys and values in `own`; those up to it are visible. */
  readonly slot: number;
}

/**
 * Stores the step's keys and values, and attends.
 * @param padding additive over prefixes, [B * H, 1, P], or null
 * @returns [B * G, H * Q * K]
 */
export function attendStep(
  heads: Heads,
  cache: StepCache,
  padding: Tensor | null,
  shape: StepShape,
  config: DecoderConfig,
) {
  const { prompts, branches, slot } = shape;
  const { numKvHeads, headDim, numHeads } = config;
  const perKey = numHeads / numKvHeads;
  store(heads, cache.own, shape, config);
  const keys = cache.own.keys.narrow(2, 0, slot + 1);
  const values = cache.own.values.narrow(1, 0, slot + 1);
  const scaled = heads.queries.mul(headDim ** -0.5);
  const own = { keys, values };
  if (cache.shared === null) {
    const context = attendOwn(scaled.view([prompts * numKvHeads, perKey, headDim]), own, padding);
    return context.view([prompts, numHeads * headDim]);
  }
  const queries = scaled
    .view([prompts, branches, numKvHeads, perKey, headDim])
    .transpose(1, 2)
    .reshape([prompts * numKvHeads, branches * perKey, headDim]);
  return attendBoth(queries, cache.shared, own, padding)
    .view([prompts, numKvHeads, branches, perKey, headDim])
    .transpose(1, 2)
    .reshape([prompts * branches, numHeads * headDim]);
}

function store(
  { keys, values }: Heads,
  own: KeysValues,
  { prompts, branches, slot }: StepShape,
  config: DecoderConfig,
): void {
  const { numKvHeads, headDim } = config;
  const place = [own.keys.select(2, slot), own.values.select(1, slot)] as const;
  if (branches === 1) {
    const byHead = [prompts, numKvHeads, headDim];
    place[0].view(byHead).copy_(keys);
    place[1].view(byHead).copy_(values);
    return;
  }
  const byRow = [prompts, branches, numKvHeads, headDim];
  const byHead = [prompts, numKvHeads, branches, headDim];
  place[0].view(byHead).copy_(keys.view(byRow).transpose(1, 2));
  place[1].view(byHead).copy_(values.view(byRow).transpose(1, 2));
}

/** Queries [B * H, Q, K] of single branches. */
function attendOwn(queries: Tensor, { keys, values }: KeysValues, padding: Tensor | null): Tensor {
  const scores = queries.bmm(keys);
  if (padding) scores.narrow(2, 0, padding.size(2)).add_(padding);
  return probabilities(scores).bmm(values);
}

/** Queries [B * H, G * Q, K]: one product with what they share, one per branch with its own, one softmax over both. */
function attendBoth(queries: Tensor, shared: KeysValues, own: KeysValues, padding: Tensor | null): Tensor {
  const [groups, groupRows, dim] = queries.shape as [number, number, number];
  const [singles, , tokens] = own.keys.shape as [number, number, number];
  const length = shared.keys.size(2);
  const each = [singles, (groups * groupRows) / singles];
  const onPrefix = queries.bmm(shared.keys);
  if (padding) onPrefix.add_(padding);
  const onOwn = queries.view([...each, dim]).bmm(own.keys);
  const weights = probabilities(op.cat([onPrefix.view([...each, length]), onOwn], { dim: 2 }));
  const context = weights
    .view([groups, groupRows, length + tokens])
    .narrow(2, 0, length)
    .bmm(shared.values);
  context.view([...each, dim]).add_(weights.narrow(2, length, tokens).bmm(own.values));
  return context;
}
