// The lengths that everything else is a product of.
// B prompts of a micro-batch, P prefix rows of a prompt, G completions, C tokens of one, D width, F feed-forward width
import type { DecoderConfig } from "../../models/decoder/config.ts";
import { typeBytes } from "./standing.ts";
import type { MemoryTask } from "./task.ts";

export interface Sizes {
  /** B of one GPU and micro-batch; of sampling, all of its prompts. */
  readonly prompts: number;
  /** P: all tokens of a prompt but its last. */
  readonly prefix: number;
  /** G and C. */
  readonly group: number;
  readonly tokens: number;
  readonly prefixRows: number;
  readonly branchRows: number;
  /** Attention scores of a layer: of all prefixes, of all branches. */
  readonly prefixScores: number;
  readonly branchScores: number;
  /** D, F, and the widths of all query heads and all key heads. */
  readonly width: number;
  readonly feedForward: number;
  readonly queries: number;
  readonly keys: number;
  readonly layers: number;
  /** Bytes of a number that is computed with. */
  readonly bytes: number;
}

/** @param prompts at once @param group completions of each */
export function sizesOf(
  { model, batch, learner }: MemoryTask,
  prompts: number,
  group: number = batch.groupSize,
): Sizes {
  const { decoder } = model;
  const prefix = Math.max(1, batch.promptTokens - 1);
  const tokens = batch.newTokens;
  const branchRows = prompts * group * tokens;
  return {
    prompts,
    prefix,
    group,
    tokens,
    prefixRows: prompts * prefix,
    branchRows,
    prefixScores: prompts * decoder.numHeads * prefix ** 2,
    branchScores: branchRows * decoder.numHeads * (prefix + tokens),
    width: decoder.hiddenSize,
    feedForward: decoder.intermediateSize,
    ...headWidths(decoder),
    layers: decoder.numLayers,
    bytes: typeBytes[learner.dtype],
  };
}

function headWidths({ numHeads, numKvHeads, headDim }: DecoderConfig): { queries: number; keys: number } {
  return { queries: numHeads * headDim, keys: numKvHeads * headDim };
}

/** Prompts of one GPU in an optimiser step. */
export function promptsOfGpu({ batch, place }: MemoryTask): number {
  return Math.ceil(batch.prompts / place.gpus);
}

/** Prompts whose graphs are alive at once. */
export function promptsAtOnce(task: MemoryTask): number {
  return Math.min(promptsOfGpu(task), task.learner.promptsPerMicroBatch ?? Number.POSITIVE_INFINITY);
}

/** Prompts of a step about a degraded clip, whoever samples of them. */
export function degradedPrompts({ batch: { shown, counterfactuals } }: MemoryTask): number {
  return Math.ceil(shown * counterfactuals.degradedShare);
}

/** Passes over masked inputs, one after the other: of views, then of other ways in which a modality is gone. */
export function maskedPasses({ batch: { views, viewsAtOnce, counterfactuals } }: MemoryTask): number {
  return Math.ceil(views / viewsAtOnce) + Math.max(...Object.values(counterfactuals.mostAlike));
}

/** Of the pass that takes most; null where there is none. Views of one pass are prompts of their own. */
export function sizesOfMasked(task: MemoryTask): Sizes | null {
  const { views, viewsAtOnce, maskedShare, groupSize, counterfactuals } = task.batch;
  const prompts = promptsAtOnce(task);
  const isAlike = Math.max(...Object.values(counterfactuals.mostAlike)) > 0;
  const passes = [
    ...(views > 0 ? [sizesOf(task, prompts * Math.min(views, viewsAtOnce), Math.ceil(groupSize * maskedShare))] : []),
    ...(isAlike ? [sizesOf(task, Math.min(prompts, degradedPrompts(task)))] : []),
  ];
  return passes.reduce<Sizes | null>(
    (most, sizes) => (most !== null && rowsOf(most) >= rowsOf(sizes) ? most : sizes),
    null,
  );
}

const rowsOf = ({ prefixRows, branchRows }: Sizes): number => prefixRows + branchRows;
