// The language model over prompts and their completions. A prompt's tokens but its last are the prefix: they run once and
// leave keys and values. Everything after is a branch: the prompt's last token, then the completion. Branch row c therefore
// predicts completion token c, for training (all tokens at once) and for decoding (one at a time) alike.
// B prompts, P prefix length (left-padded), G branches per prompt, C branch tokens, D width, H key heads, K head dimension,
// A position axes
import { OppoError } from "../../error.ts";
import { indices, op, rmsNorm, type Tensor, tensor } from "../../tensor/index.ts";
import { attendBranches, attendPrefix, byKeyHead, MASKED } from "./attention.ts";
import { type BranchOperands, type KeysValues, MAX_SCORES, type PrefixMask } from "./attention-slices.ts";
import { layOutBranches } from "./branch-layout.ts";
import type { DecoderConfig } from "./config.ts";
import {
  type Attend,
  type DecoderLayer,
  type Heads,
  type KeyHeads,
  keysOf,
  layerForBranches,
  runLayers,
} from "./layers.ts";
import { EMBEDDING_NAME, HEAD_NAME } from "./parameters.ts";
import type { WeightSource } from "./projection.ts";
import type { DecoderPrompt } from "./prompt.ts";
import { lineRope, promptRope, type RopeTable } from "./rope.ts";

/** The language model's weights for one call. */
export interface LanguageModel {
  readonly config: DecoderConfig;
  readonly layers: readonly DecoderLayer[];
  readonly embedding: Tensor;
  readonly finalNorm: Tensor;
  readonly head: Tensor;
  /** Of attention at once; left out, MAX_SCORES. */
  readonly maxScores?: number;
}

/** Told what enters every layer, and what the last one gives where that is read. */
export type OnRows = (rows: Tensor) => void;

export function languageModel(
  parameters: WeightSource,
  config: DecoderConfig,
  layers: readonly DecoderLayer[],
): LanguageModel {
  const embedding = parameters.get(EMBEDDING_NAME)!;
  const head = parameters.get(HEAD_NAME) ?? embedding;
  return { config, layers, embedding, finalNorm: parameters.get("model.norm.weight")!, head };
}

/** What the prefixes of a batch of prompts leave behind. */
export interface Prefix {
  readonly batch: number;
  readonly length: number;
  /** Per layer, [B * H, P, K]. */
  readonly layers: readonly KeysValues[];
  /** Additive over prefix keys, [B, P]; null when no prompt is padded. */
  readonly padding: Tensor | null;
  /** Per prompt: its last id and that token's position, where its branches begin. */
  readonly lastIds: Int32Array;
  readonly lastPositions: Int32Array;
}

/** Embedded prefixes (every prompt without its last token) and what their layers need. */
export function embedPrefix(model: Pick<LanguageModel, "config" | "embedding">, prompts: readonly DecoderPrompt[]) {
  const packed = packPrompts(prompts, 1);
  const { batch, length } = packed;
  return { batch, length, ...embedPrompts(model, packed) };
}

/** Runs every prompt's prefix once. Gradients flow into the result in grad mode. */
export function runPrefix(model: LanguageModel, prompts: readonly DecoderPrompt[], onRows?: OnRows): Prefix {
  const { config } = model;
  const { batch, length, x, rope, mask, padding } = embedPrefix(model, prompts);
  const layers: KeysValues[] = [];
  const store = ({ keys, values }: KeyHeads) => {
    const own = { keys: byKeyHead(keys, batch), values: byKeyHead(values, batch) };
    layers.push(own);
    return own;
  };
  const last = config.numLayers - 1;
  const attend: Attend = (_, heads) => {
    const kept = store(heads);
    return { context: attendPrefix(heads.queries, kept, mask, batch, model.maxScores), kept };
  };
  const rows = runLayers(model.layers.slice(0, last), x, rope, config, attend, onRows);
  onRows?.(rows);
  store(keysOf(model.layers[last]!, rows, rope, config)); // nothing reads the prefix's own output
  const lastIds = Int32Array.from(prompts, ({ ids }) => ids.at(-1)!);
  const lastPositions = Int32Array.from(prompts, ({ ids, positions }) => positions[ids.length - 1]!);
  return { batch, length, layers, padding, lastIds, lastPositions };
}

/**
 * Hidden states (after the final norm) of every token of the prompts, left-padded, [B, T, D]. Pad rows are undefined.
 * @param isCausal false: every token also sees what comes after it
 */
export function runPrompts(model: LanguageModel, prompts: readonly DecoderPrompt[], isCausal = true): Tensor {
  const { config } = model;
  const packed = packPrompts(prompts, 0);
  const { batch, length } = packed;
  const { x, rope, mask } = embedPrompts(model, packed, isCausal);
  const rows = runLayers(model.layers, x, rope, config, (_, { queries, keys, values }) => {
    const own = { keys: byKeyHead(keys, batch), values: byKeyHead(values, batch) };
    return { context: attendPrefix(queries, own, mask, batch) };
  });
  return rmsNorm(rows, model.finalNorm, config.normEps).view([batch, length, config.hiddenSize]);
}

/** Embedded prompts with their media in place, [B * P, D], and what their layers need. */
function embedPrompts(
  { config, embedding }: Pick<LanguageModel, "config" | "embedding">,
  packed: PackedPrompts,
  isCausal = true,
): { x: Tensor; rope: RopeTable; mask: PrefixMask; padding: Tensor | null } {
  const { batch, length } = packed;
  const target = { dtype: embedding.dtype, device: embedding.device };
  const padding = packed.padding ? tensor(packed.padding, [batch, length]).to(target) : null;
  const mask = prefixMask(length, padding, target, isCausal);
  return { x: embedRows(embedding, packed), rope: promptRope(packed.positions, config, target), mask, padding };
}

/** Tokens of packed prompts with their media in place, [B * P, D]. */
export function embedRows(
  embedding: Tensor,
  { ids, mediaRows, media }: Pick<PackedPrompts, "ids" | "mediaRows" | "media">,
): Tensor {
  const { dtype, device } = embedding;
  const x = op.embedding(embedding, indices(ids).to({ device }));
  if (mediaRows.length > 0) {
    const rows = media.length === 1 ? media[0]! : op.cat(media, { dim: 0 });
    x.indexCopy_(0, indices(mediaRows).to({ device }), rows.to({ dtype, device }));
  }
  return x;
}

/**
 * Hidden states (after the final norm) that predict the completions, [N, C, D]. completions[b] belong to the prefix's
 * prompt b; rows past a completion's end are undefined.
 */
export function runBranches(
  model: LanguageModel,
  prefix: Prefix,
  completions: readonly (readonly Int32Array[])[],
  onRows?: OnRows,
): Tensor {
  const branches = layBranches(model, prefix, completions);
  const attend: Attend = (layer, heads) => {
    const operands = branches.operands(heads, prefix.layers[layer]!);
    return { context: branches.packed(attendBranches(operands, model.maxScores)) };
  };
  const x = op.embedding(model.embedding, branches.ids);
  const rows = runLayers(model.layers.map(layerForBranches), x, branches.rope, model.config, attend, onRows);
  onRows?.(rows);
  return branchOutput(model, branches, rows);
}

/** What every layer needs of a batch of branches. */
export interface Branches {
  /** int64 [R] */
  readonly ids: Tensor;
  readonly rope: RopeTable;
  /** Row of every (branch, token), int64 [N * C]; null when the rows are exactly these. */
  readonly output: Tensor | null;
  readonly tokens: number;
  /** What attention reads of the packed rows' heads, in the places of all branches. */
  operands(heads: Heads, prefix: KeysValues): BranchOperands;
  /** Its result [N * C, H Q K] as packed rows [R, H Q K]. */
  packed(context: Tensor): Tensor;
}

export function layBranches(
  { config, embedding }: Pick<LanguageModel, "config" | "embedding">,
  prefix: Prefix,
  completions: readonly (readonly Int32Array[])[],
): Branches {
  const target = { dtype: embedding.dtype, device: embedding.device };
  const layout = layOutBranches(prefix.lastIds, prefix.lastPositions, completions);
  const onDevice = (values: Int32Array) => indices(values).to({ device: target.device });
  const { packing } = layout;
  const rowOf = packing && onDevice(packing.rowOf);
  const placeOf = packing && onDevice(packing.placeOf);
  // [R, heads, K] -> [B G C, heads, K]. An embedding picks rows, and its backward is the fastest that adds rows up.
  const spread = (x: Tensor) => {
    const [rows, heads, dim] = x.shape as [number, number, number];
    return rowOf ? op.embedding(x.reshape([rows, heads * dim]), rowOf).view([-1, heads, dim]) : x;
  };
  const mask = branchMask(prefix, layout.tokens, target);
  return {
    ids: onDevice(layout.ids),
    rope: lineRope(layout.positions, config, target),
    output: layout.output && onDevice(layout.output),
    tokens: layout.tokens,
    operands({ queries, keys, values }, kept) {
      const own = { keys: spread(keys), values: spread(values) };
      return { queries: spread(queries), prefix: kept, own, mask, shape: layout };
    },
    packed: (context) => (placeOf ? op.embedding(context, placeOf) : context),
  };
}

/** Rows [R, D] that leave the last layer, as hidden states [N, C, D]. */
export function branchOutput(
  { config, finalNorm }: Pick<LanguageModel, "config" | "finalNorm">,
  { output, tokens }: Branches,
  rows: Tensor,
): Tensor {
  const hidden = rmsNorm(rows, finalNorm, config.normEps);
  const ordered = output ? op.embedding(hidden, output) : hidden;
  return ordered.view([-1, tokens, config.hiddenSize]);
}

export interface PackedPrompts {
  readonly batch: number;
  readonly length: number;
  /** [B * P], left-padded. */
  readonly ids: Int32Array;
  /** [A, B * P] */
  readonly positions: Int32Array;
  /** [B, P] additive, or null. */
  readonly padding: Float32Array | null;
  /** Rows of the packed batch that media replace, in the order of `media`. */
  readonly mediaRows: readonly number[];
  readonly media: readonly Tensor[];
}

/** The prompts without their last `dropped` tokens as one left-padded batch, of at least `least` columns. */
export function packPrompts(prompts: readonly DecoderPrompt[], dropped: number, least = 1): PackedPrompts {
  const batch = prompts.length;
  const lengths = prompts.map(({ ids }) => ids.length - dropped);
  const length = Math.max(least, ...lengths);
  const [first] = prompts;
  const numAxes = first === undefined || first.ids.length === 0 ? 1 : first.positions.length / first.ids.length;
  // Pads are token 0 at position 1: no row sees them, and theirs are never read.
  const packedIds = new Int32Array(batch * length);
  const positions = new Int32Array(numAxes * batch * length).fill(1);
  const padded = lengths.some((n) => n !== length);
  const padding = padded ? new Float32Array(batch * length) : null;
  const mediaRows: number[] = [];
  prompts.forEach((prompt, b) => {
    requirePrompt(prompt, b, dropped);
    const kept = lengths[b]!;
    const start = b * length + length - kept;
    packedIds.set(prompt.ids.subarray(0, kept), start);
    for (let axis = 0; axis < numAxes; axis++) {
      const from = axis * prompt.ids.length;
      positions.set(prompt.positions.subarray(from, from + kept), axis * batch * length + start);
    }
    padding?.fill(MASKED, b * length, start);
    for (const { places } of prompt.media) for (const place of places) mediaRows.push(start + place);
  });
  const media = prompts.flatMap((prompt) => prompt.media.map(({ rows }) => rows));
  return { batch, length, ids: packedIds, positions, padding, mediaRows, media };
}

/** A prompt needs a token, as many rows as places, and text at its end. */
function requirePrompt({ ids, media }: DecoderPrompt, index: number, dropped: number): void {
  if (ids.length === 0) {
    throw new OppoError(
      "ERR_EMPTY_PROMPT",
      `prompt ${index}: expected at least one token, got none. Give every prompt a text.`,
    );
  }
  for (const { places, rows } of media) {
    const usable = places.filter((place) => place < ids.length - dropped).length;
    if (rows.size(0) === places.length && usable === places.length) continue;
    throw new OppoError(
      "ERR_MEDIA_ROW_COUNT",
      `prompt ${index}: expected ${usable} media rows (its placeholders before the last token), got ${rows.size(0)}. ` +
        "Encode the clip that the prompt was made for; a prompt must end in text.",
    );
  }
}

type Target = { readonly dtype: Tensor["dtype"]; readonly device: string };

/** MASKED above the diagonal, [n, n]. */
export function causalMask(n: number, target: Target): Tensor {
  return op.triu(op.full([n, n], MASKED, target), { diagonal: 1 });
}

/** Of long prompts no mask is made as a whole. */
function prefixMask(length: number, padding: Tensor | null, target: Target, isCausal: boolean): PrefixMask {
  const padded = padding?.view([padding.size(0), 1, 1, 1, length]);
  const rows = (start: number, count: number) => {
    const own = isCausal
      ? op.triu(op.full([count, length], MASKED, target), { diagonal: start + 1 })
      : op.zeros([count, length], target);
    return padded === undefined ? own.view([1, 1, 1, count, length]) : own.add(padded);
  };
  const facts = { isCausal, isPadded: padding !== null };
  if ((padding?.size(0) ?? 1) * length * length > MAX_SCORES) return { ...facts, rows };
  const whole = rows(0, length);
  return { ...facts, rows: (start, count) => (count === length ? whole : whole.narrow(3, start, count)) };
}

/** [1 or B, 1, 1, 1, C, P + C] */
function branchMask({ padding, batch, length }: Prefix, tokens: number, target: Target): Tensor {
  const causal = causalMask(tokens, target);
  if (!padding) {
    return op.cat([op.zeros([tokens, length], target), causal], { dim: 1 }).view([1, 1, 1, 1, tokens, length + tokens]);
  }
  const onPrefix = padding.view([batch, 1, length]).expand([batch, tokens, length]);
  const onOwn = causal.unsqueeze(0).expand([batch, tokens, tokens]);
  return op.cat([onPrefix, onOwn], { dim: 2 }).view([batch, 1, 1, 1, tokens, length + tokens]);
}
