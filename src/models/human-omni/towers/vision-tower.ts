// SigLIP: patches with learned places, pre-norm layers in which every patch of a frame sees all of it. What one of the last
// layers gives is read as it is, without the norm that follows the last one.
// N frames, P patches of a frame, D width
import { geluTanh, op, scope, type Tensor } from "../../../tensor/index.ts";
import type { WeightSource } from "../../decoder/projection.ts";
import type { VisionConfig } from "../config/config.ts";
import { VISION } from "../parameters.ts";
import { attend, layerNorm, linear, runTower } from "./layers.ts";

/**
 * @param pixels [N, 3, side, side], -1 to 1
 * @returns [N * P, D], frame by frame
 */
export function encodeFrames(weights: WeightSource, config: VisionConfig, pixels: Tensor): Tensor {
  const start = scope(() => embedPatches(weights, config, pixels));
  return runTower(start, config.numUsedLayers, (rows, i) =>
    layer(weights, config, `${VISION}.encoder.layers.${i}`, rows, pixels.size(0)),
  );
}

function embedPatches(weights: WeightSource, { patchSize, hiddenSize }: VisionConfig, pixels: Tensor): Tensor {
  const weight = weights.get(`${VISION}.embeddings.patch_embedding.weight`)!;
  const bias = weights.get(`${VISION}.embeddings.patch_embedding.bias`)!;
  const patches = op.conv2d(pixels.to({ dtype: weight.dtype, device: weight.device }), weight, {
    bias,
    stride: [patchSize, patchSize],
  }); // [N, D, side, side]
  const rows = patches.flatten({ startDim: 2 }).transpose(1, 2);
  return rows.add(weights.get(`${VISION}.embeddings.position_embedding.weight`)!).reshape([-1, hiddenSize]);
}

function layer(weights: WeightSource, config: VisionConfig, name: string, x: Tensor, batch: number): Tensor {
  const { numHeads: heads, normEps } = config;
  const attention = `${name}.self_attn`;
  const attended = scope(() => {
    const normed = layerNorm(weights, `${name}.layer_norm1`, x, normEps);
    const [queries, keys, values] = ["q", "k", "v"].map((part) => linear(weights, `${attention}.${part}_proj`, normed));
    const context = scope(() => attend(queries!, keys!, values!, { batch, heads }));
    return x.add(linear(weights, `${attention}.out_proj`, context));
  });
  const inner = linear(weights, `${name}.mlp.fc1`, layerNorm(weights, `${name}.layer_norm2`, attended, normEps));
  return attended.add(linear(weights, `${name}.mlp.fc2`, geluTanh(inner)));
}
