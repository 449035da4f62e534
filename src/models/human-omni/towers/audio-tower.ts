// Whisper's encoder on windows of one length, silence at their end included, then the mean of every three rows and a
// projection to the text's width.
// B sounds, M mels, F mel frames of a window, L = F / 2 rows of it, A width, W width of the text
import { gelu, op, scope, type Tensor } from "../../../tensor/index.ts";
import type { WeightSource } from "../../decoder/projection.ts";
import type { AudioConfig } from "../config/config.ts";
import { AUDIO, AUDIO_PROJECTOR } from "../parameters.ts";
import { attend, layerNorm, linear, runTower, twoLayers } from "./layers.ts";
import { audioTokens, ROWS_PER_TOKEN } from "./tokens.ts";

const NORM_EPS = 1e-5; // PyTorch's default

/** @param mel [B, M, F] @returns [B * tokens, W] */
export function encodeSounds(weights: WeightSource, config: AudioConfig, mel: Tensor): Tensor {
  const batch = mel.size(0);
  const tokens = audioTokens(config);
  const rows = hearSounds(weights, config, mel)
    .view([batch, config.maxPositions, config.hiddenSize])
    .narrow(1, 0, tokens * ROWS_PER_TOKEN)
    .reshape([batch * tokens, ROWS_PER_TOKEN, config.hiddenSize]);
  return twoLayers(weights, AUDIO_PROJECTOR, rows.mean(1));
}

/** The encoder alone, normed: [B * L, A]. */
export function hearSounds(weights: WeightSource, config: AudioConfig, mel: Tensor): Tensor {
  const batch = mel.size(0);
  const start = scope(() => stem(weights, config, mel));
  const x = runTower(start, config.numLayers, (rows, i) => layer(weights, config, `${AUDIO}.layers.${i}`, rows, batch));
  return layerNorm(weights, `${AUDIO}.layer_norm`, x, NORM_EPS);
}

function stem(weights: WeightSource, { hiddenSize }: AudioConfig, mel: Tensor): Tensor {
  const get = (name: string) => weights.get(`${AUDIO}.${name}`)!;
  const first = get("conv1.weight");
  const given = mel.to({ dtype: first.dtype, device: first.device });
  const wide = gelu(op.conv1d(given, first, { bias: get("conv1.bias"), padding: [1] }));
  const half = gelu(op.conv1d(wide, get("conv2.weight"), { bias: get("conv2.bias"), stride: [2], padding: [1] }));
  return half.transpose(1, 2).add(get("embed_positions.weight")).reshape([-1, hiddenSize]);
}

function layer(
  weights: WeightSource,
  { numHeads: heads }: AudioConfig,
  name: string,
  x: Tensor,
  batch: number,
): Tensor {
  const attention = `${name}.self_attn`;
  const attended = scope(() => {
    const normed = layerNorm(weights, `${attention}_layer_norm`, x, NORM_EPS);
    const [queries, keys, values] = ["q", "k", "v"].map((part) => linear(weights, `${attention}.${part}_proj`, normed));
    const context = scope(() => attend(queries!, keys!, values!, { batch, heads }));
    return x.add(linear(weights, `${attention}.out_proj`, context));
  });
  const inner = linear(weights, `${name}.fc1`, layerNorm(weights, `${name}.final_layer_norm`, attended, NORM_EPS));
  return attended.add(linear(weights, `${name}.fc2`, gelu(inner)));
}
