// The sequences that decode together and their cache: made by the prefill, made smaller when sequences have finished.
// B prompts, G branches per prompt, N = B * G rows, P prefix, S cache slots, H key heads, K head dim
import { indices, op, scope, type Tensor } from "../../tensor/index.ts";
import type { KeysValues } from "./attention-slices.ts";
import type { StepCache } from "./decode-attention.ts";
import { type LanguageModel, runPrefix } from "./language.ts";
import type { DecoderPrompt } from "./prompt.ts";
import { type RopeTable, stepRope } from "./rope.ts";
import type { SampleOptions } from "./sampling.ts";
import { seenIds } from "./token-choice.ts";

/** How much smaller the batch must become for a compaction to be worth its copy. */
const COMPACT_BELOW = 0.75;

/** Sequences that are still in the batch and where they are; replaced as a whole by a compaction. */
export interface DecodeBatch {
  readonly prompts: number;
  readonly branches: number;
  /** Row -> index into the results; a row that only fills up a prompt's branches has -1. */
  readonly owners: readonly number[];
  /** Per layer. */
  readonly cache: readonly StepCache[];
  /** Slots of a branch's own cache that its prefix takes. */
  readonly firstSlot: number;
  /** Additive over the prefixes, [B * H, 1, P]; null when no prompt is padded. */
  readonly padding: Tensor | null;
  /** For every remaining step, [steps * N, 1, K]. */
  readonly rope: RopeTable;
  readonly ropeStart: number;
  readonly lastPositions: Int32Array;
  readonly seen: Tensor | null;
}

/** Prefill, and a cache with room for every step. */
export function firstBatch(
  model: LanguageModel,
  prompts: readonly DecoderPrompt[],
  options: SampleOptions,
): DecodeBatch {
  const prefix = runPrefix(model, prompts);
  const branches = options.numSamples;
  const isSingle = branches === 1;
  const cache = prefix.layers.map((layer) => {
    if (isSingle) return { shared: null, own: roomFor(layer, prefix.length + options.maxNewTokens) };
    const shared = { keys: layer.keys.transpose(1, 2).contiguous(), values: layer.values };
    const none = { keys: layer.keys.narrow(1, 0, 0), values: layer.values.narrow(1, 0, 0) };
    return { shared, own: roomFor(none, options.maxNewTokens, branches) };
  });
  const penalised = options.repetitionPenalty !== undefined && options.repetitionPenalty !== 1;
  const promptIds = penalised
    ? prompts.flatMap(({ ids, isPenalised = true }) =>
        Array<Int32Array>(branches).fill(isPenalised ? ids : new Int32Array(0)),
      )
    : [];
  return {
    prompts: prompts.length,
    branches,
    owners: Array.from({ length: prompts.length * branches }, (_, row) => row),
    cache,
    firstSlot: isSingle ? prefix.length : 0,
    padding: prefix.padding?.repeatInterleave(model.config.numKvHeads, { dim: 0 }).unsqueeze(1) ?? null,
    ...decodeRope(model, prefix.lastPositions, branches, 0, options.maxNewTokens),
    lastPositions: prefix.lastPositions,
    seen: penalised ? seenIds(promptIds, model.config.vocabSize, model.embedding.device) : null,
  };
}

/** Keys and values [n, T, K] in the front of buffers with room for `slots`, keys transposed; `copies` of each row. */
function roomFor({ keys, values }: KeysValues, slots: number, copies = 1): KeysValues {
  const [groups, tokens, dim] = keys.shape as [number, number, number];
  const target = { dtype: keys.dtype, device: keys.device };
  const room = {
    keys: op.empty([groups * copies, dim, slots], target),
    values: op.empty([groups * copies, slots, dim], target),
  };
  if (tokens > 0) {
    room.keys.narrow(2, 0, tokens).copy_(keys.transpose(1, 2));
    room.values.narrow(1, 0, tokens).copy_(values);
  }
  return room;
}

function decodeRope(
  model: LanguageModel,
  lastPositions: Int32Array,
  branches: number,
  start: number,
  end: number,
): { rope: RopeTable; ropeStart: number } {
  const target = { dtype: model.embedding.dtype, device: model.embedding.device };
  const positions = Array.from(lastPositions).flatMap((position) => Array<number>(branches).fill(position));
  return { rope: stepRope(positions, start, end - start, model.config, target), ropeStart: start };
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
  step: number,
  options: SampleOptions,
): [DecodeBatch, Tensor] {
  const { numKvHeads } = model.config;
  const { device } = model.embedding;
  const branches = kept[0]!.branches.length;
  const heads = Array.from({ length: numKvHeads }, (_, head) => head);
  const onDevice = (values: readonly number[]) => indices(values).to({ device });
  const rows = onDevice(kept.flatMap((keep) => keep.branches.map((j) => keep.prompt * batch.branches + j)));
  const groups = kept.flatMap(({ prompt }) => heads.map((head) => prompt * numKvHeads + head));
  const ofGroups = onDevice(groups);
  const ofSingles = onDevice(
    kept.flatMap((keep, p) =>
      heads.flatMap((head) => keep.branches.map((j) => groups[p * numKvHeads + head]! * batch.branches + j)),
    ),
  );
  const cache = batch.cache.map(({ shared, own }) => scope(() => keptCache(shared, own, step)));
  const lastPositions = Int32Array.from(kept, ({ prompt }) => batch.lastPositions[prompt]!);
  const next: DecodeBatch = {
    prompts: kept.length,
    branches,
    owners: kept.flatMap(({ owners }) => owners),
    cache,
    firstSlot: batch.firstSlot,
    padding: batch.padding?.indexSelect(0, ofGroups) ?? null,
    ...decodeRope(model, lastPositions, branches, step, options.maxNewTokens),
    lastPositions,
    seen: batch.seen?.indexSelect(0, rows) ?? null,
  };
  return [next, ids.indexSelect(0, rows)];

  function keptCache(shared: KeysValues | null, own: KeysValues, used: number): StepCache {
    const tokens = batch.firstSlot + used;
    const moved = {
      keys: own.keys.narrow(2, 0, tokens).transpose(1, 2).indexSelect(0, ofSingles),
      values: own.values.narrow(1, 0, tokens).indexSelect(0, ofSingles),
    };
    const next: StepCache = {
      shared: shared && {
        keys: shared.keys.indexSelect(0, ofGroups),
        values: shared.values.indexSelect(0, ofGroups),
      },
      own: roomFor(moved, batch.firstSlot + options.maxNewTokens),
    };
    for (const part of [shared, own]) {
      part?.keys.dispose();
      part?.values.dispose();
    }
    return next;
  }
}
