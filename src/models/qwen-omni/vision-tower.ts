// The vision tower: patches of frame pairs, rotary rows and columns, attention inside 112-pixel windows except in the
// blocks listed as full, where a frame pair sees itself; 2x2 patches merge into one row of the text width.
// R patches (window order), D width, K head dimension
import { type DType, gelu, indices, op, rmsNorm, scope, type Tensor } from "../../tensor/index.ts";
import { project, projectApart, projection, type WeightSource } from "../decoder/projection.ts";
import { applyRope, inverseFrequencies, type RopeTable, ropeTable } from "../decoder/rope.ts";
import type { VisionConfig } from "./config/config.ts";
import type { Grid } from "./layout.ts";
import { attendSegments, type Segments, segmentsOf } from "./segments.ts";

/** The order in which merged cells are processed, and where attention may look. */
export interface WindowPlan {
  /** Merged cell (4 patches) at every place. */
  readonly order: Int32Array;
  /** Patches of every window, in order. */
  readonly windows: readonly number[];
  /** Patches of every frame pair, in order. */
  readonly frames: readonly number[];
}

const ROOT = "visual";
const NORM_EPS = 1e-6; // hard-coded in the reference
const ROPE_THETA = 10000; // likewise

/** What the tower computes with, and where. */
export function visionTarget(parameters: WeightSource): { readonly dtype: DType; readonly device: string } {
  const { dtype, device } = parameters.get(`${ROOT}.patch_embed.proj.weight`)!;
  return { dtype, device };
}

/**
 * Rows of all videos and images in order, [sum of t * h * w / 4, text width]. Honours the grad mode.
 * @param pixels their patch rows in merge-block order, [sum of t * h * w, 3 * 2 * 14 * 14] @param grids of each
 */
export function encodeVision(
  parameters: WeightSource,
  config: VisionConfig,
  pixels: Tensor,
  grids: readonly Grid[],
): Tensor {
  const plan = windowPlan(grids, config);
  const embedding = parameters.get(`${ROOT}.patch_embed.proj.weight`)!;
  const { device } = embedding;
  const perCell = config.mergeSize ** 2;
  // A convolution whose stride is its kernel is a matrix product.
  let x = op.linear(pixels, embedding.reshape([config.hiddenSize, -1]));
  const shuffled = plan.order.some((cell, place) => cell !== place);
  if (shuffled) {
    const cells = x.view([plan.order.length, perCell * config.hiddenSize]);
    x = op.embedding(cells, indices(plan.order).to({ device })).view([-1, config.hiddenSize]);
  }
  const rope = patchRope(grids, plan, config, device);
  const windows = segmentsOf(plan.windows, x);
  const frames = segmentsOf(plan.frames, x);
  for (let i = 0; i < config.depth; i++) {
    const segments = config.fullAttentionBlocks.includes(i) ? frames : windows;
    // A block's intermediate rows go when it is done: all of them together are many times the weights' size.
    const rows = x;
    x = scope(() => block(parameters, config, `${ROOT}.blocks.${i}`, rows, rope, segments));
  }
  const merged = merge(parameters, config, x);
  if (!shuffled) return merged;
  const inverse = new Int32Array(plan.order.length);
  plan.order.forEach((cell, place) => {
    inverse[cell] = place;
  });
  return op.embedding(merged, indices(inverse).to({ device }));
}

/** Windows of windowSize pixels over the merged cells of every frame pair, row by row; border windows are smaller. */
export function windowPlan(
  grids: readonly Grid[],
  config: Pick<VisionConfig, "mergeSize" | "patchSize" | "windowSize">,
): WindowPlan {
  const side = config.windowSize / config.patchSize / config.mergeSize;
  const perCell = config.mergeSize ** 2;
  const order: number[] = [];
  const windows: number[] = [];
  const frames: number[] = [];
  let base = 0;
  for (const [t, h, w] of grids) {
    const height = h / config.mergeSize;
    const width = w / config.mergeSize;
    for (let step = 0; step < t; step++, base += height * width) {
      frames.push(h * w);
      for (let top = 0; top < height; top += side) {
        for (let left = 0; left < width; left += side) {
          const before = order.length;
          for (let y = top; y < Math.min(top + side, height); y++) {
            for (let x = left; x < Math.min(left + side, width); x++) order.push(base + y * width + x);
          }
          windows.push((order.length - before) * perCell);
        }
      }
    }
  }
  return { order: Int32Array.from(order), windows, frames };
}

/** Angles by patch row (first half) and patch column (second half), in window order. */
function patchRope(grids: readonly Grid[], plan: WindowPlan, config: VisionConfig, device: string): RopeTable {
  const { mergeSize } = config;
  const perCell = mergeSize ** 2;
  const numPatches = plan.order.length * perCell;
  const places = new Int32Array(plan.order.length);
  plan.order.forEach((cell, place) => {
    places[cell] = place;
  });
  const positions = new Float32Array(2 * numPatches);
  let cell = 0;
  for (const [t, h, w] of grids) {
    const width = w / mergeSize;
    const cellsPerFrame = (h / mergeSize) * width;
    for (let i = 0; i < t * cellsPerFrame; i++, cell++) {
      const y = Math.floor((i % cellsPerFrame) / width) * mergeSize;
      const x = ((i % cellsPerFrame) % width) * mergeSize;
      for (let p = 0; p < perCell; p++) {
        const row = places[cell]! * perCell + p;
        positions[row] = y + Math.floor(p / mergeSize);
        positions[numPatches + row] = x + (p % mergeSize);
      }
    }
  }
  const headDim = config.hiddenSize / config.numHeads;
  const inverse = inverseFrequencies(headDim / 2, ROPE_THETA);
  return ropeTable(positions, [inverse, inverse], { dtype: "float32", device });
}

function block(
  parameters: WeightSource,
  config: VisionConfig,
  name: string,
  x: Tensor,
  rope: RopeTable,
  segments: Segments,
): Tensor {
  const { numHeads: heads, hiddenSize, intermediateSize } = config;
  const rows = x.size(0);
  const parts = (names: readonly string[], stack = true) =>
    projection(
      parameters,
      names.map((part) => `${name}.${part}`),
      stack,
    );
  const normed = rmsNorm(x, parameters.get(`${name}.norm1.weight`)!, NORM_EPS);
  const [queries, keys, values] = projectApart(normed, parts(["attn.q", "attn.k", "attn.v"]), [
    hiddenSize,
    hiddenSize,
    hiddenSize,
  ]).map((part) => part.view([rows, heads, hiddenSize / heads])) as [Tensor, Tensor, Tensor];
  // Rotated in float32 whatever the model's dtype.
  const rotated = (part: Tensor) => applyRope(part.to("float32"), rope).to(x.dtype);
  const context = attendSegments(rotated(queries), rotated(keys), values, segments);
  const attended = x.add(project(context, parts(["attn.proj"])));
  const inner = rmsNorm(attended, parameters.get(`${name}.norm2.weight`)!, NORM_EPS);
  const [gate, up] = projectApart(inner, parts(["mlp.gate_proj", "mlp.up_proj"], false), [
    intermediateSize,
    intermediateSize,
  ]) as [Tensor, Tensor];
  return attended.add(project(gate.silu().mul(up), parts(["mlp.down_proj"])));
}

/** 2x2 patches -> one row of the text width. */
function merge(parameters: WeightSource, config: VisionConfig, x: Tensor): Tensor {
  const normed = rmsNorm(x, parameters.get(`${ROOT}.merger.ln_q.weight`)!, NORM_EPS);
  const cells = normed.view([-1, config.mergeSize ** 2 * config.hiddenSize]);
  const inner = gelu(project(cells, projection(parameters, [`${ROOT}.merger.mlp.0`])));
  return project(inner, projection(parameters, [`${ROOT}.merger.mlp.2`]));
}
