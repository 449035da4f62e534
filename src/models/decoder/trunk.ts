// The language model's layers between its inputs and its hidden states, with two ways back. As a graph: autograd keeps all that
// every layer computed. Recomputed: only what enters each layer is kept, and the way back is written out: one layer at a time is
// computed again, from the last to the first, the branches before the prefix, whose keys and values get what all branches send
// them. Attention goes back by slices of its own, so that one slice's probabilities are the most that ever exist.
// B prompts, P prefix length, R rows, D width, H key heads, Q query heads per key head, K head dimension
import { enableGrad, noGrad, op, scope, type Tensor } from "../../tensor/index.ts";
import { attendBranches, attendPrefix, attendPrefixSlice, byKeyHead } from "./attention.ts";
import { type KeysValues, partOf, prefixSlices, rowsAndColumns, slicesOf } from "./attention-slices.ts";
import type { DecoderConfig } from "./config.ts";
import { fusedAttention } from "./fused-attention.ts";
import {
  type Branches,
  branchOutput,
  embedPrefix,
  type LanguageModel,
  layBranches,
  type Prefix,
  runBranches,
  runPrefix,
} from "./language.ts";
import { afterAttention, type DecoderLayer, headsOf, keysOf, layerForBranches } from "./layers.ts";
import type { DecoderPrompt } from "./prompt.ts";

/** Hidden states that are to be learned from. */
export interface Trunk {
  /** [N, C, D]; a backward from it, or from what was made of it, comes before `backward`. */
  readonly hidden: Tensor;
  /** Sends the gradient that `hidden` collected through the layers, where their graph is not kept. Once. */
  backward(): void;
  /** Tensors that live as long as the trunk. */
  readonly kept: unknown;
}

/** Of hidden states that have their graph. */
export function graphTrunk(hidden: Tensor): Trunk {
  return { hidden, kept: null, backward: () => undefined };
}

/** A model whose layers are had one at a time, in the current grad mode. */
export interface LayeredModel extends Omit<LanguageModel, "layers" | "maxScores"> {
  layerAt(index: number): DecoderLayer;
}

/** Scores that exist at once, going and coming back. */
const maxScores = 1 << 23;

interface Kept {
  /** What enters every layer, and what leaves the last one that is read: [B * P, D] each. */
  readonly prefixRows: Tensor[];
  /** The same of the branches, [R, D]. */
  readonly branchRows: Tensor[];
  readonly prefix: Prefix;
}

/** @param whole the same model with all of its layers, for the way there */
export function recomputedTrunk(
  model: LayeredModel,
  whole: LanguageModel,
  prompts: readonly DecoderPrompt[],
  completions: readonly (readonly Int32Array[])[],
): Trunk {
  return noGrad(() =>
    scope(() => {
      const prefixRows: Tensor[] = [];
      const branchRows: Tensor[] = [];
      const sliced = { ...whole, maxScores };
      const prefix = runPrefix(sliced, prompts, (rows) => void prefixRows.push(rows));
      const hidden = runBranches(sliced, prefix, completions, (rows) => void branchRows.push(rows)).detach();
      hidden.requiresGrad = true;
      const kept: Kept = { prefixRows, branchRows, prefix };
      return { hidden, kept, backward: () => backwardTrunk(model, kept, hidden, prompts, completions) };
    }),
  );
}

function backwardTrunk(
  model: LayeredModel,
  { prefix, prefixRows, branchRows }: Kept,
  hidden: Tensor,
  prompts: readonly DecoderPrompt[],
  completions: readonly (readonly Int32Array[])[],
): void {
  const { config, embedding } = model;
  const gradient = hidden.grad;
  if (gradient === null) return; // nothing was asked of these rows
  const branches = layBranches(model, prefix, completions);
  const { x: _, ...prompt } = noGrad(() => embedPrefix(model, prompts));
  let onBranches = scope(() => outputBackward(model, branches, branchRows.pop()!, gradient));
  let onPrefix: Tensor | null = null;
  for (let i = config.numLayers - 1; i >= 0; i--) {
    const above: { branches: Tensor; prefix: Tensor | null } = { branches: onBranches, prefix: onPrefix };
    [onBranches, onPrefix] = scope((): [Tensor, Tensor] => {
      const layer = enableGrad(() => model.layerAt(i));
      const rows = { branches: branchRows.pop()!, prefix: prefixRows.pop()! };
      const kept = prefix.layers[i]!;
      const sent = scope(() =>
        branchLayerBackward(layerForBranches(layer), branches, rows.branches, kept, above.branches, config),
      );
      for (const done of [above.branches, rows.branches, kept.keys, kept.values]) done.dispose();
      const below = scope(() => prefixLayerBackward(layer, prompt, rows.prefix, sent.keysValues, above.prefix, config));
      for (const done of [above.prefix, rows.prefix]) done?.dispose();
      return [sent.rows, below];
    });
  }
  if (embedding.requiresGrad) enableGrad(() => op.embedding(embedding, branches.ids)).backward(onBranches);
  // Media rows that learn get theirs here too.
  const start = enableGrad(() => embedPrefix(model, prompts).x);
  if (start.requiresGrad) start.backward(onPrefix);
}

/** A tensor cut from what made it, that collects its gradient. */
function leaf(x: Tensor): Tensor {
  const cut = x.detach();
  cut.requiresGrad = true;
  return cut;
}

/** One backward from several roots: d(sum of y g)/dy is g itself, exactly. */
function backwardFrom(roots: readonly (readonly [Tensor, Tensor | null])[]): void {
  const sums = roots.flatMap(([y, g]) =>
    g === null || !y.requiresGrad ? [] : [op.sum(y.mul(g), { dtype: "float32" })],
  );
  if (sums.length > 0) sums.reduce((total, sum) => total.add(sum)).backward();
}

function outputBackward(model: LayeredModel, branches: Branches, rows: Tensor, gradient: Tensor): Tensor {
  const output = leaf(rows);
  enableGrad(() => branchOutput(model, branches, output)).backward(gradient);
  rows.dispose();
  return output.grad!;
}

/** @returns the gradient of what enters the layer, and of the prefix's keys and values */
function branchLayerBackward(
  layer: DecoderLayer,
  branches: Branches,
  rows: Tensor,
  kept: KeysValues,
  above: Tensor,
  config: DecoderConfig,
): { rows: Tensor; keysValues: KeysValues } {
  const input = leaf(rows);
  const whole = enableGrad(() => branches.operands(headsOf(layer, input, branches.rope, config), kept));
  const cut = {
    ...whole,
    queries: leaf(whole.queries),
    own: leaves(whole.own),
    prefix: leaves(kept),
  };
  const context = leaf(noGrad(() => attendBranches(cut, maxScores)));
  scope(() => enableGrad(() => afterAttention(layer, input, branches.packed(context), config)).backward(above));
  const slices = slicesOf(cut, fusedAttention(cut.queries) === null ? maxScores : Number.POSITIVE_INFINITY);
  for (const slice of slices) {
    scope(() => {
      const part = enableGrad(() => attendBranches(partOf(cut, slice), Number.POSITIVE_INFINITY));
      part.backward(rowsAndColumns(context.grad!, slice, cut.shape, cut.own.keys.size(1)));
    });
  }
  backwardFrom([
    [whole.queries, cut.queries.grad],
    [whole.own.keys, cut.own.keys.grad],
    [whole.own.values, cut.own.values.grad],
  ]);
  return { rows: input.grad!, keysValues: { keys: cut.prefix.keys.grad!, values: cut.prefix.values.grad! } };
}

type PrefixInputs = Omit<ReturnType<typeof embedPrefix>, "x">;

/** @param above null at the last layer, of which only keys and values are read @returns the gradient of what enters it */
function prefixLayerBackward(
  layer: DecoderLayer,
  { rope, mask, batch, length }: PrefixInputs,
  rows: Tensor,
  onKeysValues: KeysValues,
  above: Tensor | null,
  config: DecoderConfig,
): Tensor {
  const input = leaf(rows);
  if (above === null) {
    const { keys, values } = enableGrad(() => keysOf(layer, input, rope, config));
    backwardFrom([
      [enableGrad(() => byKeyHead(keys, batch)), onKeysValues.keys],
      [enableGrad(() => byKeyHead(values, batch)), onKeysValues.values],
    ]);
    return input.grad!;
  }
  const heads = enableGrad(() => headsOf(layer, input, rope, config));
  const whole = enableGrad(() => ({ keys: byKeyHead(heads.keys, batch), values: byKeyHead(heads.values, batch) }));
  const [queries, own] = [leaf(heads.queries), leaves(whole)];
  own.keys.grad = onKeysValues.keys;
  own.values.grad = onKeysValues.values;
  const context = leaf(noGrad(() => attendPrefix(queries, own, mask, batch, maxScores)));
  scope(() => enableGrad(() => afterAttention(layer, input, context, config)).backward(above));
  if (fusedAttention(queries) !== null) {
    enableGrad(() => attendPrefix(queries, own, mask, batch)).backward(context.grad);
  } else {
    for (const slice of prefixSlices(batch, config.numHeads, length, maxScores)) {
      scope(() => {
        const part = enableGrad(() => attendPrefixSlice(queries, own, mask, batch, slice));
        part.backward(context.grad!.narrow(0, slice.prompt * length + slice.row, slice.prompts * slice.rows));
      });
    }
  }
  backwardFrom([
    [heads.queries, queries.grad],
    [whole.keys, own.keys.grad],
    [whole.values, own.values.grad],
  ]);
  return input.grad!;
}

function leaves({ keys, values }: KeysValues): KeysValues {
  return { keys: leaf(keys), values: leaf(values) };
}
