// Batched decoding: every prompt is prefilled once, its G sequences share one cache, and all sequences advance together.
// The cache of a prompt is its prefix, then time-major slots (step t of branch j at P + t * G + j), so that a step is one
// matrix product per key head over everything seen so far, with a mask that hides the other branches. Finished sequences
// are compacted away now and then.
// Keys lie transposed: a step has few rows, and a product with them as they lie needs no packing.
// B prompts, G branches per prompt, N = B * G rows, P prefix, S cache slots, H key heads, Q query heads per key head, K head dim
import { indices, inference, op, rmsNorm, scope, type Tensor, tensor } from "../../tensor/index.ts";
import type { ModelPrompt, SampledCompletion, SampleOptions } from "../omni-model.ts";
import { type KeysValues, MASKED, probabilities } from "./attention.ts";
import { type LanguageModel, type Prefix, runPrefix } from "./language.ts";
import { type RopeTable, textRope } from "./rope.ts";
import { type Heads, runLayers } from "./text.ts";
import { chooseTokens, seenIds, uniformAt } from "./token-choice.ts";

export interface StopRules {
  readonly stopIds: readonly number[];
  /** Ids that are never sampled: media tokens and untrained vocabulary rows. */
  readonly bannedIds: readonly number[];
}

/** How often finished rows are looked for, and how much smaller the batch must become to be worth the copy. */
const COMPACT_EVERY = 8;
const COMPACT_BELOW = 0.75;

/** Sequences that are still in the batch and where they are; replaced as a whole by a compaction. */
interface Batch {
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

/** Result under construction. */
interface Sequence {
  readonly ids: number[];
  readonly logprobs: number[];
  readonly seed: number;
  stopped: boolean;
}

/** Samples options.numSamples completions of every prompt; result [prompt][sample]. */
export function generate(
  model: LanguageModel,
  prompts: readonly ModelPrompt[],
  options: SampleOptions,
  rules: StopRules,
): SampledCompletion[][] {
  const sequences = prompts.flatMap((_, b) =>
    Array.from({ length: options.numSamples }, (_, i): Sequence => {
      const seed = options.seeds?.[b * options.numSamples + i] ?? 0;
      return { ids: [], logprobs: [], seed, stopped: false };
    }),
  );
  if (sequences.length > 0 && options.maxNewTokens > 0) {
    inference(() => scope(() => decode(model, prompts, options, rules, sequences)));
  }
  return prompts.map((_, b) =>
    sequences.slice(b * options.numSamples, (b + 1) * options.numSamples).map(({ ids, logprobs, stopped }) => ({
      ids: Int32Array.from(ids),
      logprobs: Float32Array.from(logprobs),
      truncated: !stopped,
    })),
  );
}

function decode(
  model: LanguageModel,
  prompts: readonly ModelPrompt[],
  options: SampleOptions,
  rules: StopRules,
  sequences: readonly Sequence[],
): void {
  const prefixLength = prompts.reduce((longest, { tokens }) => Math.max(longest, tokens.ids.length - 1), 1);
  const device = model.embedding.device;
  const banned = rules.bannedIds.length > 0 ? indices(rules.bannedIds).to({ device }) : null;
  const stop = new Set(rules.stopIds);
  let ids = indices(prompts.flatMap(({ tokens }) => Array(options.numSamples).fill(tokens.ids.at(-1)!))).to({ device });
  let batch = scope(() => firstBatch(model, prompts, options));
  for (let step = 0; step < options.maxNewTokens; step++) {
    const choice = scope(() => {
      const hidden = advance(model, batch, ids, prefixLength, step);
      const logits = op.linear(hidden, model.head).to({ dtype: "float32" });
      const uniforms = Float32Array.from(batch.owners, (owner) => uniformAt(sequences[Math.max(owner, 0)]!.seed, step));
      return chooseTokens(logits, options, banned, batch.seen, uniforms);
    });
    record(batch, choice.tokens.toInt32Array(), choice.logprobs.toFloat32Array(), sequences, stop);
    if (sequences.every(({ stopped }) => stopped)) return;
    choice.logprobs.dispose();
    ids.dispose();
    ids = choice.tokens;
    batch.seen?.scatter_(1, ids.unsqueeze(1), 1);
    if ((step + 1) % COMPACT_EVERY === 0 && step + 1 < options.maxNewTokens) {
      const kept = compactionOf(batch, sequences);
      if (kept) {
        const previous = ids;
        [batch, ids] = scope(() => compacted(model, batch, previous, kept, prefixLength, step + 1, options));
      }
    }
  }
}

function record(
  batch: Batch,
  tokens: Int32Array,
  logprobs: Float32Array,
  sequences: readonly Sequence[],
  stop: ReadonlySet<number>,
): void {
  batch.owners.forEach((owner, row) => {
    const sequence = sequences[owner];
    if (!sequence || sequence.stopped) return;
    sequence.ids.push(tokens[row]!);
    sequence.logprobs.push(logprobs[row]!);
    sequence.stopped = stop.has(tokens[row]!);
  });
}

/** Prefill, and a cache with room for every step. */
function firstBatch(model: LanguageModel, prompts: readonly ModelPrompt[], options: SampleOptions): Batch {
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

/** One step: hidden states [N, D] that predict the next token of every row. */
function advance(model: LanguageModel, batch: Batch, ids: Tensor, prefixLength: number, step: number): Tensor {
  const { config } = model;
  const { prompts, branches } = batch;
  const rows = prompts * branches;
  const perKey = config.numHeads / config.numKvHeads;
  const groups = prompts * config.numKvHeads;
  const first = (step - batch.ropeStart) * rows;
  const rope = { cos: batch.rope.cos.narrow(0, first, rows), sin: batch.rope.sin.narrow(0, first, rows) };
  const start = prefixLength + step * branches;
  const visible = start + branches;
  const mask = batch.mask.narrow(2, 0, visible);
  const attend = (layer: number, { queries, keys, values }: Heads) => {
    const cache = batch.cache[layer]!;
    const { numKvHeads, headDim } = config;
    const perPrompt = [prompts, branches, numKvHeads, headDim];
    const newKeys = cache.keys.narrow(2, start, branches).view([prompts, numKvHeads, headDim, branches]);
    newKeys.copy_(keys.view(perPrompt).permute([0, 2, 3, 1]));
    const newValues = cache.values.narrow(1, start, branches).view([prompts, numKvHeads, branches, headDim]);
    newValues.copy_(values.view(perPrompt).transpose(1, 2));
    const grouped = queries
      .mul(headDim ** -0.5)
      .view([prompts, branches, numKvHeads, perKey, headDim])
      .transpose(1, 2)
      .reshape([groups, branches * perKey, headDim]);
    const scores = grouped.bmm(cache.keys.narrow(2, 0, visible)).add_(mask);
    const context = probabilities(scores).bmm(cache.values.narrow(1, 0, visible));
    return context
      .view([prompts, config.numKvHeads, branches, perKey, config.headDim])
      .transpose(1, 2)
      .reshape([rows, config.numHeads * config.headDim]);
  };
  const x = runLayers(model.layers, op.embedding(model.embedding, ids), rope, config, attend);
  return rmsNorm(x, model.finalNorm, config.normEps);
}

/** Rows to keep, per kept prompt; null when dropping the finished ones is not worth it. */
interface Kept {
  readonly prompt: number;
  /** Branches of the old batch, all prompts equally many; the surplus repeats the first. */
  readonly branches: readonly number[];
  readonly owners: readonly number[];
}

function compactionOf(batch: Batch, sequences: readonly Sequence[]): Kept[] | null {
  const active: { prompt: number; branches: number[] }[] = [];
  for (let prompt = 0; prompt < batch.prompts; prompt++) {
    const branches: number[] = [];
    for (let j = 0; j < batch.branches; j++) {
      const sequence = sequences[batch.owners[prompt * batch.branches + j]!];
      if (sequence && !sequence.stopped) branches.push(j);
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
function compacted(
  model: LanguageModel,
  batch: Batch,
  ids: Tensor,
  kept: readonly Kept[],
  prefixLength: number,
  step: number,
  options: SampleOptions,
): [Batch, Tensor] {
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
  const next: Batch = {
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
