// The sequences that decode together and their cache: made by the prefill, made smaller when sequences have finished.
// A prompt's cache is its prefix, then time-major slots (step t of branch j at P + t * G + j). Keys lie transposed: a step
// has few rows, and a product with them as they lie needs no packing.
// B prompts, G branches per prompt, N = B * G rows, P prefix, S cache slots, H key heads, Q query heads per key head, K head dim
import { indices, op, scope, type Tensor, tensor } from "../../tensor/index.ts";
import type { ModelPrompt, SampleOptions } from "../omni-model.ts";
import { type KeysValues, MASKED } from "./attention.ts";
import { type LanguageModel, type Prefix, runPrefix } from "./language.ts";
import { type RopeTable, textRope } from "./rope.ts";
import { seenIds } from "./token-choice.ts";

/** How much smaller the batch must become for a compaction to be worth its copy. */
const COMPACT_BELOW = 0.75;

/** Sequences that are still in the batch and where they are; replaced as a whole by a compaction. */
export interface DecodeBatch {
  readonly prompts: number;
  readonly branches: number;
  /** Row -> index into the results; a row that only fills up a prompt's branches has -1. */
  readonly owners: readonly number[];
  /** Per layer, keys [B * H, K, S], values [B * H, S, K]. */
  readonly cache: readonly KeysValues[];
  /** Additive, [1 or B * H, G * Q, S]. */
  readonly mask: Tensor;
  /** For every remaining step, [steps * N, 1, K]. */
  readonly rope: RopeTable;
  readonly ropeStart: number;
  readonly lastPositions: Int32Array;
  readonly padding: Tensor | null;
  readonly seen: Tensor | null;
}

/** Prefill, and a cache with room for every step. */
export function firstBatch(model: LanguageModel, prompts: readonly ModelPrompt[], options: SampleOptions): DecodeBatch {
  const prefix = runPrefix(model, prompts);
  const branches = options.numSamples;
  const slots = prefix.length + branches * options.maxNewTokens;
  const cache = prefix.layers.map(({ keys, values }) => cacheOf(keys, values, slots));
  const penalised = options.repetitionPenalty !== undefined && options.repetitionPenalty !== 1;
  const promptIds = penalised ? prompts.flatMap(({ tokens }) => Array<Int32Array>(branches).fill(tokens.ids)) : [];
  return {
    prompts: prompts.length,
    branches,
    owners: Array.from({ length: prompts.length * branches }, (_, row) => row),
    cache,
    mask: cacheMask(model, prefix, branches, slots),
    ...decodeRope(model, prefix.lastPositions, branches, 0, options.maxNewTokens),
    lastPositions: prefix.lastPositions,
    padding: prefix.padding,
    seen: penalised ? seenIds(promptIds, model.config.vocabSize, model.embedding.device) : null,
  };
}

/** Keys and values [B * H, T, K] in the front of buffers with room for `slots`. */
function cacheOf(keys: Tensor, values: Tensor, slots: number): KeysValues {
  const [groups, tokens, dim] = keys.shape as [number, number, number];
  const target = { dtype: keys.dtype, device: keys.device };
  const cache = { keys: op.empty([groups, dim, slots], target), values: op.empty([groups, slots, dim], target) };
  cache.keys.narrow(2, 0, tokens).copy_(keys.transpose(1, 2));
  cache.values.narrow(1, 0, tokens).copy_(values);
  return cache;
}

/** Hides the slots of other branches and the prompts' left padding. */
function cacheMask(
  model: LanguageModel,
  prefix: Pick<Prefix, "length" | "padding">,
  branches: number,
  slots: number,
): Tensor {
  const { config, embedding } = model;
  const perKey = config.numHeads / config.numKvHeads;
  const host = new Float32Array(branches * slots);
  for (let j = 0; j < branches; j++) {
    for (let slot = prefix.length; slot < slots; slot++) {
      if ((slot - prefix.length) % branches !== j) host[j * slots + slot] = MASKED;
    }
  }
  const target = { dtype: embedding.dtype, device: embedding.device };
  const own = tensor(host, [branches, 1, slots]).to(target).expand([branches, perKey, slots]);
  if (!prefix.padding) return own.reshape([1, branches * perKey, slots]);
  const batch = prefix.padding.size(0);
  const fill = op.zeros([batch, slots - prefix.length], target);
  const padding = op.cat([prefix.padding, fill], { dim: 1 }).view([batch, 1, 1, 1, slots]);
  return own
    .add(padding)
    .expand([batch, config.numKvHeads, branches, perKey, slots])
    .reshape([batch * config.numKvHeads, branches * perKey, slots]);
}

function decodeRope(
  model: LanguageModel,
  lastPositions: Int32Array,
  branches: number,
  start: number,
  end: number,
): { rope: RopeTable; ropeStart: number } {
  const numRows = lastPositions.length * branches;
  const total = numRows * (end - start);
  const positions = new Int32Array(3 * total);
  for (let i = 0; i < total; i++) {
    const position = lastPositions[Math.floor((i % numRows) / branches)]! + start + Math.floor(i / numRows);
    positions[i] = position;
    positions[total + i] = position;
    positions[2 * total + i] = position;
  }
  const target = { dtype: model.embedding.dtype, device: model.embedding.device };
  return { rope: textRope(positions, model.config, target), ropeStart: start };
}

/** Rows to keep, per kept prompt; null when dropping the finished ones is not worth it. */
export interface Kept {
  readonly prompt: number;
  /** Branches of the old batch, all prompts equally many; the surplus repeats the first. */
  readonly branches: readonly number[];
  readonly owners: readonly number[];
}

export function compactionOf(batch: DecodeBatch, isRunning: (owner: number) => boolean): Kept[] | null {
  const active: { prompt: number; branches: number[] }[] = [];
  for (let prompt = 0; prompt < batch.prompts; prompt++) {
    const branches: number[] = [];
    for (let j = 0; j < batch.branches; j++) {
      const owner = batch.owners[prompt * batch.branches + j]!;
      if (owner >= 0 && isRunning(owner)) branches.push(j);
    }
    if (branches.length > 0) active.push({ prompt, branches });
  }
  const width = Math.max(...active.map(({ branches }) => branches.length));
  if (active.length * width > COMPACT_BELOW * batch.prompts * batch.branches) return null;
  return active.map(({ prompt, branches }) => ({
    prompt,
    branches: Array.from({ length: width }, (_, j) => branches[j] ?? branches[0]!),
    owners: Array.from({ length: width }, (_, j) =>
      j < branches.length ? batch.owners[prompt * batch.branches + branches[j]!]! : -1,
    ),
  }));
}

/** The batch with only the kept rows, their cache copied together. */
export function compacted(
  model: LanguageModel,
  batch: DecodeBatch,
  ids: Tensor,
  kept: readonly Kept[],
  prefixLength: number,
  step: number,
  options: SampleOptions,
): [DecodeBatch, Tensor] {
  const { config, embedding } = model;
  const device = embedding.device;
  const branches = kept[0]!.branches.length;
  const oldSlots = batch.cache[0]!.values.size(1);
  const used = prefixLength + step * branches;
  const slots = prefixLength + options.maxNewTokens * branches;
  const groups = kept.length * config.numKvHeads;
  const source = new Int32Array(groups * used);
  kept.forEach((keep, p) => {
    for (let head = 0; head < config.numKvHeads; head++) {
      const to = (p * config.numKvHeads + head) * used;
      const from = (keep.prompt * config.numKvHeads + head) * oldSlots;
      for (let i = 0; i < prefixLength; i++) source[to + i] = from + i;
      for (let i = 0; i < step * branches; i++) {
        const slot = Math.floor(i / branches) * batch.branches + keep.branches[i % branches]!;
        source[to + prefixLength + i] = from + prefixLength + slot;
      }
    }
  });
  const gather = indices(source).to({ device });
  const moved = (x: Tensor) =>
    x.reshape([-1, config.headDim]).indexSelect(0, gather).view([groups, used, config.headDim]);
  const cache = batch.cache.map(({ keys, values }) => {
    const next = scope(() => cacheOf(moved(keys.transpose(1, 2)), moved(values), slots));
    keys.dispose();
    values.dispose();
    return next;
  });
  const prompts = indices(kept.map(({ prompt }) => prompt)).to({ device });
  const rows = indices(kept.flatMap((keep) => keep.branches.map((j) => keep.prompt * batch.branches + j))).to({
    device,
  });
  const padding = batch.padding?.indexSelect(0, prompts) ?? null;
  const lastPositions = Int32Array.from(kept, ({ prompt }) => batch.lastPositions[prompt]!);
  const next: DecodeBatch = {
    prompts: kept.length,
    branches,
    owners: kept.flatMap(({ owners }) => owners),
    cache,
    mask: cacheMask(model, { length: prefixLength, padding }, branches, slots),
    ...decodeRope(model, lastPositions, branches, step, options.maxNewTokens),
    lastPositions,
    padding,
    seen: batch.seen?.indexSelect(0, rows) ?? null,
  };
  return [next, ids.indexSelect(0, rows)];
}
