// The decoder of the Qwen family: RMSNorm, grouped-query attention (biases on q, k, v, or norms per head), SwiGLU. Layers
// run on packed rows [R, D]; how rows see each other is the caller's `attend`, so prefill, branches and decoding share
// one body.
// R rows, D width, H key heads, Q query heads per key head, K head dimension, F feed-forward width
import { rmsNorm, scope, type Tensor } from "../../tensor/index.ts";
import type { DecoderConfig } from "./config.ts";
import {
  addProjected,
  drawnAnew,
  type LinearPart,
  linearPart,
  type Projection,
  project,
  projectApart,
  projection,
  projectionFrom,
  type WeightSource,
} from "./projection.ts";
import { applyRope, type RopeTable } from "./rope.ts";

/** One layer's weights, ready to multiply. */
export interface DecoderLayer {
  readonly inputNorm: Tensor;
  /** q, k, v: (H Q + 2 H) K outputs. */
  readonly qkv: Projection;
  /** Norms over every head's dimension, before the rotation (Qwen3). */
  readonly queryNorm: Tensor | null;
  readonly keyNorm: Tensor | null;
  readonly output: LinearPart;
  readonly postNorm: Tensor;
  /** gate, up: 2 F outputs. */
  readonly gateUp: Projection;
  readonly down: LinearPart;
}

/** Rotated keys and plain values of one layer's rows, [R, H, K] each. */
export interface KeyHeads {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/** The same with rotated queries [R, H Q, K]. */
export interface Heads extends KeyHeads {
  readonly queries: Tensor;
}

/** Attention of one layer, and what of it outlives the layer. */
export interface Attended {
  /** [R, H Q K] */
  readonly context: Tensor;
  readonly kept?: KeyHeads;
}

export type Attend = (layer: number, heads: Heads) => Attended;

/**
 * The layers' weights in the current grad mode: gradients reach the named parameters.
 * @param fewRows stack everything: what decoding wants. With many rows gate and up are as fast apart, and their backward
 *   needs no joining.
 */
export function decoderLayers(parameters: WeightSource, config: DecoderConfig, fewRows = false): DecoderLayer[] {
  return Array.from({ length: config.numLayers }, (_, i) => decoderLayer(parameters, i, fewRows));
}

/** One of them. */
export function decoderLayer(parameters: WeightSource, index: number, fewRows = false): DecoderLayer {
  const name = `model.layers.${index}`;
  const get = (part: string) => parameters.get(`${name}.${part}.weight`)!;
  const joint = (group: string, parts: readonly string[], stack: boolean) =>
    projection(
      parameters,
      parts.map((part) => `${name}.${group}.${part}`),
      stack,
      fewRows,
    );
  return {
    inputNorm: get("input_layernorm"),
    qkv: joint("self_attn", ["q_proj", "k_proj", "v_proj"], true),
    queryNorm: parameters.get(`${name}.self_attn.q_norm.weight`) ?? null,
    keyNorm: parameters.get(`${name}.self_attn.k_norm.weight`) ?? null,
    output: linearPart(parameters, `${name}.self_attn.o_proj`),
    postNorm: get("post_attention_layernorm"),
    gateUp: joint("mlp", ["gate_proj", "up_proj"], fewRows),
    down: linearPart(parameters, `${name}.mlp.down_proj`),
  };
}

/** The same layer for the other rows of a pass (branches beside prefixes): its adapters leave out other inputs. */
export function layerForBranches(layer: DecoderLayer): DecoderLayer {
  return {
    ...layer,
    qkv: layer.qkv.map(drawnAnew),
    output: drawnAnew(layer.output),
    gateUp: layer.gateUp.map(drawnAnew),
    down: drawnAnew(layer.down),
  };
}

/**
 * All layers over rows x [R, D]; returns the residual stream [R, D] before the final norm.
 * @param onRows told what enters every layer
 */
export function runLayers(
  layers: readonly DecoderLayer[],
  x: Tensor,
  rope: RopeTable,
  config: DecoderConfig,
  attend: Attend,
  onRows?: (rows: Tensor) => void,
): Tensor {
  let rows = x;
  layers.forEach((layer, i) => {
    onRows?.(rows);
    // Only the rows and what attention keeps outlive a layer: the rest of all layers together would fill the memory.
    const before = rows;
    const after = scope(() => {
      const { context, kept } = attend(i, headsOf(layer, before, rope, config));
      return { rows: afterAttention(layer, before, context, config), kept };
    });
    rows = after.rows;
  });
  return rows;
}

/** Keys and values of rows x [R, D], for a layer whose output nobody reads. */
export function keysOf(layer: DecoderLayer, x: Tensor, rope: RopeTable, config: DecoderConfig): KeyHeads {
  const { numHeads, numKvHeads, headDim } = config;
  const normed = rmsNorm(x, layer.inputNorm, config.normEps);
  const kv = project(normed, projectionFrom(layer.qkv, numHeads * headDim)).view([x.size(0), 2 * numKvHeads, headDim]);
  const keys = kv.narrow(1, 0, numKvHeads);
  return { keys: rotated(keys, layer.keyNorm, rope, config), values: kv.narrow(1, numKvHeads, numKvHeads) };
}

/** Queries, keys and values of rows x [R, D]. */
export function headsOf(layer: DecoderLayer, x: Tensor, rope: RopeTable, config: DecoderConfig): Heads {
  const { numHeads, numKvHeads, headDim } = config;
  const rows = x.size(0);
  const normed = rmsNorm(x, layer.inputNorm, config.normEps);
  const heads = (part: Tensor) => part.view([rows, part.size(1) / headDim, headDim]);
  if (layer.qkv.length === 1 && layer.queryNorm === null && layer.keyNorm === null) {
    // Stacked: queries and keys lie together and rotate together.
    const numRotated = (numHeads + numKvHeads) * headDim;
    const [both, values] = project(normed, layer.qkv).splitWithSizes([numRotated, numKvHeads * headDim], { dim: 1 });
    const [queries, keys] = applyRope(heads(both!), rope).splitWithSizes([numHeads, numKvHeads], { dim: 1 });
    return { queries: queries!, keys: keys!, values: heads(values!) };
  }
  const widths = [numHeads, numKvHeads, numKvHeads].map((count) => count * headDim);
  const [queries, keys, values] = projectApart(normed, layer.qkv, widths).map(heads) as [Tensor, Tensor, Tensor];
  return {
    queries: rotated(queries, layer.queryNorm, rope, config),
    keys: rotated(keys, layer.keyNorm, rope, config),
    values,
  };
}

function rotated(heads: Tensor, norm: Tensor | null, rope: RopeTable, config: DecoderConfig): Tensor {
  return applyRope(norm ? rmsNorm(heads, norm, config.normEps) : heads, rope);
}

/** What a layer makes of its rows x [R, D] and their attention [R, H Q K]. */
export function afterAttention(layer: DecoderLayer, x: Tensor, context: Tensor, config: DecoderConfig): Tensor {
  return feedForward(layer, addProjected(x, context, layer.output), config);
}

function feedForward(layer: DecoderLayer, x: Tensor, config: DecoderConfig): Tensor {
  const width = config.intermediateSize;
  const normed = rmsNorm(x, layer.postNorm, config.normEps);
  const [gate, up] = projectApart(normed, layer.gateUp, [width, width]) as [Tensor, Tensor];
  return addProjected(x, gate.silu().mul(up), layer.down);
}
