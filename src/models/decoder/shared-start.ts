// Prompts that begin like others which were run before: another clip's sound behind the same picture. What is the same, ids,
// positions and the very rows of media, has the same keys and values, so only the rest runs, over keys and values that are
// borrowed; and their gradient goes to the lender, which sends it on with its own.
// B prompts, P prefix length (left-padded), S borrowed columns, L = P - S columns that run, D width, H key heads, K head dimension
import { indices, op, type Tensor } from "../../tensor/index.ts";
import { attendBranches, byKeyHead } from "./attention.ts";
import type { BranchOperands, KeysValues } from "./attention-slices.ts";
import {
  causalMask,
  embedRows,
  type LanguageModel,
  type OnRows,
  type PackedPrompts,
  type Prefix,
  packPrompts,
} from "./language.ts";
import { type Attend, type Heads, type KeyHeads, keysOf, runLayers } from "./layers.ts";
import type { DecoderPrompt, MediaRows } from "./prompt.ts";
import { promptRope, type RopeTable } from "./rope.ts";

/** What a batch of prompts lends. */
export interface Lent {
  readonly prompts: readonly DecoderPrompt[];
  /** Its keys and values are leaves: `.grad` is what borrowers sent. */
  readonly prefix: Prefix;
}

/** What a batch of prompts borrows. */
export interface Borrowed {
  /** P, the lender's. */
  readonly length: number;
  /** S */
  readonly columns: number;
  /** Additive over prefix keys, [B, P]; null when no prompt is padded. */
  readonly padding: Tensor | null;
  /** Of a layer, [B * H, S, K], in the current grad mode in the graph of the lender's leaves. */
  keysValues(layer: number): KeysValues;
}

/** Fewer columns than this share of the prefix are not worth the copies. */
const LEAST_SHARE = 0.25;

/** @param from per prompt, the lender's prompt that it may begin like @returns null where too little is the same */
export function borrow(lent: Lent, prompts: readonly DecoderPrompt[], from: readonly number[]): Borrowed | null {
  const { prefix } = lent;
  const { length } = prefix;
  let columns = length - 1; // something has to run
  for (const [b, prompt] of prompts.entries()) {
    const other = lent.prompts[from[b]!]!;
    const start = length - (other.ids.length - 1);
    columns = Math.min(columns, start + numSame(prompt, other));
  }
  if (columns < LEAST_SHARE * length) return null;
  const like = prefix.layers[0]!.keys;
  const keyHeads = like.size(0) / prefix.batch;
  const rows = (perPrompt: number) =>
    indices(from.flatMap((f) => Array.from({ length: perPrompt }, (_, h) => f * perPrompt + h))).to({
      device: like.device,
    });
  const isWhole = from.length === prefix.batch && from.every((f, b) => f === b);
  const taken = (x: Tensor, perPrompt: number) => (isWhole ? x : x.indexSelect(0, rows(perPrompt)));
  return {
    length,
    columns,
    padding: prefix.padding && taken(prefix.padding, 1),
    keysValues(layer) {
      const { keys, values } = prefix.layers[layer]!;
      const some = (x: Tensor) => taken(x.narrow(1, 0, columns), keyHeads);
      return { keys: some(keys), values: some(values) };
    },
  };
}

/** Tokens before the first one that differs, 0 where the prompts are not laid out alike; the last one is no prefix's. */
function numSame(a: DecoderPrompt, b: DecoderPrompt): number {
  const isAlike = equal(a.ids, b.ids) && equal(a.positions, b.positions) && a.media.length === b.media.length;
  if (!isAlike) return 0;
  let same = a.ids.length - 1;
  const sourceOf = ({ rows, source = rows }: MediaRows): object => source;
  for (const [i, own] of a.media.entries()) {
    const { places } = own;
    if (sourceOf(own) !== sourceOf(b.media[i]!)) same = Math.min(same, places[0] ?? same);
  }
  return same;
}

function equal(a: Int32Array, b: Int32Array): boolean {
  return a === b || (a.length === b.length && a.every((value, i) => value === b[i]));
}

/** The columns that run, and how they see the borrowed ones and themselves. */
export interface Rest {
  readonly batch: number;
  /** [B * L, D] */
  readonly x: Tensor;
  readonly rope: RopeTable;
  operands(heads: Heads, borrowed: KeysValues): BranchOperands;
  /** Attention's result is packed already. */
  packed(context: Tensor): Tensor;
}

export function embedRest(
  { config, embedding }: Pick<LanguageModel, "config" | "embedding">,
  prompts: readonly DecoderPrompt[],
  { length, columns, padding }: Borrowed,
): Rest {
  const target = { dtype: embedding.dtype, device: embedding.device };
  const packed = columnsFrom(packPrompts(prompts, 1, length), columns);
  const { batch, length: tokens } = packed;
  const plain = op.cat([op.zeros([tokens, columns], target), causalMask(tokens, target)], { dim: 1 });
  const whole = padding === null ? plain : plain.add(padding.view([batch, 1, length]));
  const mask = whole.view([padding === null ? 1 : batch, 1, 1, 1, tokens, length]);
  return {
    batch,
    x: embedRows(embedding, packed),
    rope: promptRope(packed.positions, config, target),
    operands: ({ queries, keys, values }, prefix) => ({
      queries,
      prefix,
      own: { keys, values },
      mask,
      shape: { prompts: batch, branches: 1, tokens },
    }),
    packed: (context) => context,
  };
}

/** Runs what is not borrowed. Gradients flow into the result, and through what is borrowed, in grad mode. */
export function continuePrefix(
  model: LanguageModel,
  prompts: readonly DecoderPrompt[],
  borrowed: Borrowed,
  onRows?: OnRows,
): Prefix {
  const { config } = model;
  const { batch, x, rope, operands } = embedRest(model, prompts, borrowed);
  const layers: KeysValues[] = [];
  const store = (start: KeysValues, own: KeyHeads) => {
    const joined = (a: Tensor, b: Tensor) => op.cat([a, byKeyHead(b, batch)], { dim: 1 });
    const kept = { keys: joined(start.keys, own.keys), values: joined(start.values, own.values) };
    layers.push(kept);
    return kept;
  };
  const attend: Attend = (layer, heads) => {
    const start = borrowed.keysValues(layer);
    return { context: attendBranches(operands(heads, start), model.maxScores), kept: store(start, heads) };
  };
  const last = config.numLayers - 1;
  const rows = runLayers(model.layers.slice(0, last), x, rope, config, attend, onRows);
  onRows?.(rows);
  store(borrowed.keysValues(last), keysOf(model.layers[last]!, rows, rope, config));
  return {
    batch,
    length: borrowed.length,
    layers,
    padding: borrowed.padding,
    lastIds: Int32Array.from(prompts, ({ ids }) => ids.at(-1)!),
    lastPositions: Int32Array.from(prompts, ({ ids, positions }) => positions[ids.length - 1]!),
  };
}

/** The same prompts from a column on. */
function columnsFrom({ batch, length, ids, positions, mediaRows, media }: PackedPrompts, from: number): PackedPrompts {
  const kept = length - from;
  const cut = (whole: Int32Array) => whole.filter((_, i) => i % length >= from);
  const rows: number[] = [];
  const parts: Tensor[] = [];
  let at = 0;
  for (const medium of media) {
    const places = mediaRows.slice(at, at + medium.size(0));
    at += places.length;
    const first = places.findIndex((row) => row % length >= from);
    if (first < 0) continue;
    for (const row of places.slice(first)) rows.push(Math.floor(row / length) * kept + (row % length) - from);
    parts.push(first === 0 ? medium : medium.narrow(0, first, places.length - first));
  }
  return {
    ...{ batch, length: kept, ids: cut(ids), positions: cut(positions), padding: null },
    ...{ mediaRows: rows, media: parts },
  };
}
