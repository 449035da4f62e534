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
import { afterAttention, type DecoderLayer, headsOf, type KeyHeads, keysOf, layerForBranches } from "./layers.ts";
import type { DecoderPrompt } from "./prompt.ts";
import { type Borrowed, borrow, continuePrefix, embedRest, type Lent, type Rest } from "./shared-start.ts";

/** Hidden states that are to be learned from. */
export interface Trunk {
  /** [N, C, D]; a backward from it, or from what was made of it, comes before `backward`. */
  readonly hidden: Tensor;
  /** Sends the gradient that `hidden` collected through the layers, where their graph is not kept. Once. */
  backward(): void;
  /** Tensors that live as long as the trunk. */
  readonly kept: unknown;
  /** What other trunks may begin with; their backward comes before this one's. */
  readonly lent?: Lent;
}

/** Prompts that may begin like another trunk's: what is the same is not computed again. */
export interface TrunkStart {
  readonly trunk: Trunk;
  /** Per prompt, that trunk's prompt. */
  readonly prompts: readonly number[];
}

export interface TrunkOptions {
  /** Keep what enters every layer and compute the rest again on the way back. */
  readonly recomputes?: boolean;
  /** Other trunks may begin like this one. */
  readonly lends?: boolean;
  readonly start?: TrunkStart | null;
}

/** Of hidden states that have their graph. */
export function graphTrunk(hidden: Tensor): Trunk {
  return { hidden, kept: null, backward: () => undefined };
}

/** The same of prompts and completions; a trunk that lends has a cut between the two. */
export function graphTrunkOf(
  model: LanguageModel,
  prompts: readonly DecoderPrompt[],
  completions: readonly (readonly Int32Array[])[],
  { lends = false, start = null }: TrunkOptions,
): Trunk {
  const borrowed = borrowedFrom(start, prompts);
  const prefix = borrowed === null ? runPrefix(model, prompts) : continuePrefix(model, prompts, borrowed);
  if (!lends) return graphTrunk(runBranches(model, prefix, completions));
  const lent = { prompts, prefix: { ...prefix, layers: prefix.layers.map(leaves) } };
  const backward = () =>
    backwardFrom(
      prefix.layers.flatMap(({ keys, values }, i): [Tensor, Tensor | null][] => {
        const own = lent.prefix.layers[i]!;
        return [
          [keys, own.keys.grad],
          [values, own.values.grad],
        ];
      }),
    );
  return { hidden: runBranches(model, lent.prefix, completions), kept: prefix, backward, lent };
}

function borrowedFrom(start: TrunkStart | null, prompts: readonly DecoderPrompt[]): Borrowed | null {
  const lent = start?.trunk.lent;
  return start === null || lent === undefined ? null : borrow(lent, prompts, start.prompts);
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
  /** What of the prefix another trunk computed: prefixRows are the rest's then. */
  readonly borrowed: Borrowed | null;
}

/** @param whole the same model with all of its layers, for the way there */
export function recomputedTrunk(
  model: LayeredModel,
  whole: LanguageModel,
  prompts: readonly DecoderPrompt[],
  completions: readonly (readonly Int32Array[])[],
  { lends = false, start = null }: TrunkOptions = {},
): Trunk {
  return noGrad(() =>
    scope(() => {
      const prefixRows: Tensor[] = [];
      const branchRows: Tensor[] = [];
      const sliced = { ...whole, maxScores };
      const borrowed = borrowedFrom(start, prompts);
      const onRows = (rows: Tensor) => void prefixRows.push(rows);
      const run =
        borrowed === null ? runPrefix(sliced, prompts, onRows) : continuePrefix(sliced, prompts, borrowed, onRows);
      const prefix = lends ? { ...run, layers: run.layers.map(leaves) } : run;
      const hidden = runBranches(sliced, prefix, completions, (rows) => void branchRows.push(rows)).detach();
      hidden.requiresGrad = true;
      const kept: Kept = { prefixRows, branchRows, prefix, borrowed };
      const backward = () => backwardTrunk(model, kept, hidden, prompts, completions);
      return { hidden, kept, backward, ...(lends ? { lent: { prompts, prefix } } : {}) };
    }),
  );
}

function backwardTrunk(
  model: LayeredModel,
  { prefix, prefixRows, branchRows, borrowed }: Kept,
  hidden: Tensor,
  prompts: readonly DecoderPrompt[],
  completions: readonly (readonly Int32Array[])[],
): void {
  const { config, embedding } = model;
  const gradient = hidden.grad;
  if (gradient === null) return; // nothing was asked of these rows
  const branches = layBranches(model, prefix, completions);
  const belowOf = noGrad(() => prefixBackward(model, prompts, borrowed));
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
      const onKeysValues = withBorrowers(sent.keysValues, kept);
      for (const done of [above.branches, rows.branches, kept.keys, kept.values]) done.dispose();
      const below = scope(() => belowOf(layer, i, rows.prefix, onKeysValues, above.prefix));
      for (const done of [above.prefix, rows.prefix]) done?.dispose();
      return [sent.rows, below];
    });
  }
  if (embedding.requiresGrad) enableGrad(() => op.embedding(embedding, branches.ids)).backward(onBranches);
  // Media rows that learn get theirs here too.
  const start = enableGrad(
    () => (borrowed === null ? embedPrefix(model, prompts) : embedRest(model, prompts, borrowed)).x,
  );
  if (start.requiresGrad) start.backward(onPrefix);
}

/** The way back through a layer of the prefix, or of what of it is not borrowed: the gradient of what enters it. */
type PrefixBackward = (
  layer: DecoderLayer,
  index: number,
  rows: Tensor,
  onKeysValues: KeysValues,
  above: Tensor | null,
) => Tensor;

function prefixBackward(
  model: LayeredModel,
  prompts: readonly DecoderPrompt[],
  borrowed: Borrowed | null,
): PrefixBackward {
  const { config } = model;
  if (borrowed === null) {
    const { x: _, ...prompt } = embedPrefix(model, prompts);
    return (layer, __, rows, onKeysValues, above) =>
      prefixLayerBackward(layer, prompt, rows, onKeysValues, above, config);
  }
  const rest = embedRest(model, prompts, borrowed);
  return (layer, index, rows, onKeysValues, above) => {
    const { columns, length } = borrowed;
    const part = (start: number, count: number) => ({
      keys: onKeysValues.keys.narrow(1, start, count),
      values: onKeysValues.values.narrow(1, start, count),
    });
    const start = enableGrad(() => borrowed.keysValues(index));
    const [onStart, onOwn] = [part(0, columns), part(columns, length - columns)];
    if (above === null) {
      sendTo(start, onStart);
      return keysBackward(layer, rest, rows, onOwn, config);
    }
    const sent = restLayerBackward(layer, rest, rows, start, onOwn, above, config);
    sendTo(start, { keys: sent.keysValues.keys.add(onStart.keys), values: sent.keysValues.values.add(onStart.values) });
    return sent.rows;
  };
}

/** Adds what borrowers sent to a layer's keys and values. */
function withBorrowers(own: KeysValues, { keys, values }: KeysValues): KeysValues {
  const sum = (x: Tensor, borrowers: Tensor | null) => (borrowers === null ? x : x.add(borrowers));
  return { keys: sum(own.keys, keys.grad), values: sum(own.values, values.grad) };
}

function sendTo({ keys, values }: KeysValues, gradient: KeysValues): void {
  for (const [x, g] of [
    [keys, gradient.keys],
    [values, gradient.values],
  ] as const) {
    if (x.requiresGrad) x.backward(g);
  }
}

/** A tensor cut from what made it, that collects its gradient. */
function leaf(x: Tensor): Tensor {
  const cut = x.detach();
  cut.requiresGrad = true;
  return cut;
}

/** One backward from several roots: d(sum of y g)/dy is g itself, exactly. */
function backwardFrom(roots: readonly Root[]): void {
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

/** Of a rest, whose own keys and values the branches read too. */
function restLayerBackward(
  layer: DecoderLayer,
  rest: Rest,
  rows: Tensor,
  start: KeysValues,
  onOwn: KeysValues,
  above: Tensor,
  config: DecoderConfig,
) {
  return branchLayerBackward(layer, rest, rows, start, above, config, ({ keys, values }) => [
    [byKeyHead(keys, rest.batch), onOwn.keys],
    [byKeyHead(values, rest.batch), onOwn.values],
  ]);
}

type Root = readonly [Tensor, Tensor | null];

/**
 * @param more of the layer's own keys and values, what else has a gradient
 * @returns the gradient of what enters the layer, and of the prefix's keys and values
 */
function branchLayerBackward(
  layer: DecoderLayer,
  branches: Pick<Branches, "rope" | "operands" | "packed">,
  rows: Tensor,
  kept: KeysValues,
  above: Tensor,
  config: DecoderConfig,
  more: (own: KeyHeads) => readonly Root[] = () => [],
): { rows: Tensor; keysValues: KeysValues } {
  const input = leaf(rows);
  const whole = enableGrad(() => branches.operands(headsOf(layer, input, branches.rope, config), kept));
  const others = enableGrad(() => more(whole.own));
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
    ...others,
  ]);
  return { rows: input.grad!, keysValues: { keys: cut.prefix.keys.grad!, values: cut.prefix.values.grad! } };
}

type PrefixInputs = Omit<ReturnType<typeof embedPrefix>, "x">;

/** Of the last layer, of which only keys and values are read. */
function keysBackward(
  layer: DecoderLayer,
  { rope, batch }: Pick<PrefixInputs, "rope" | "batch">,
  rows: Tensor,
  onKeysValues: KeysValues,
  config: DecoderConfig,
): Tensor {
  const input = leaf(rows);
  const { keys, values } = enableGrad(() => keysOf(layer, input, rope, config));
  backwardFrom([
    [enableGrad(() => byKeyHead(keys, batch)), onKeysValues.keys],
    [enableGrad(() => byKeyHead(values, batch)), onKeysValues.values],
  ]);
  return input.grad!;
}

/** @param above null at the last layer, of which only keys and values are read @returns the gradient of what enters it */
function prefixLayerBackward(
  layer: DecoderLayer,
  { rope, mask, batch, length }: PrefixInputs,
  rows: Tensor,
  onKeysValues: KeysValues,
  above: Tensor | null,
  config: DecoderConfig,
): Tensor {
  if (above === null) return keysBackward(layer, { rope, batch }, rows, onKeysValues, config);
  const input = leaf(rows);
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
