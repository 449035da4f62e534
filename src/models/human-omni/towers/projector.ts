// From the patches of a clip to three lists of tokens of the text's width, which the gate weighs. Two branches of
// convolutions, "video" and "body", look at the same patches with their own weights; "face" is a projection of every patch.
// B clips, T frames of each, P = s s patches of a frame, D width of the tower, W width of the text, n tokens of a frame
import { op, scope, type Tensor, tensor } from "../../../tensor/index.ts";
import type { WeightSource } from "../../decoder/projection.ts";
import type { ProjectorConfig } from "../config/config.ts";
import { NUM_LISTS, PROJECTOR } from "../parameters.ts";
import { layerNorm, twoLayers } from "./layers.ts";
import { slowFrames, tokensOfSide } from "./tokens.ts";

/** Of the norms in the blocks, which the reference's wrapper of convolutions gives them. */
const BLOCK_EPS = 1e-5;

export interface ProjectorShape {
  readonly clips: number;
  readonly frames: number;
  /** Patches of a side. */
  readonly side: number;
}

/** @param patches [B * T * P, D] @returns [B, tokens, 3 W]: the lists video, body and face of every token side by side */
export function tokenLists(
  weights: WeightSource,
  config: ProjectorConfig,
  patches: Tensor,
  shape: ProjectorShape,
): Tensor {
  const { clips, frames } = shape;
  const lists = [
    scope(() => convolutionBranch(weights, config, patches, shape, "video")),
    scope(() => convolutionBranch(weights, config, patches, shape, "body")),
    scope(() => faceBranch(weights, patches, shape)),
  ];
  const tokens = op.cat(lists, { dim: 1 }).view([clips, -1, NUM_LISTS * lists[0]!.size(1)]);
  return config.compresses ? compressed(tokens, frames, tokensOfSide(shape.side)) : tokens;
}

/** [B * T * n, W], in the order of time, row, column. */
export function convolutionBranch(
  weights: WeightSource,
  config: ProjectorConfig,
  patches: Tensor,
  { clips, frames, side }: ProjectorShape,
  branch: "video" | "body",
): Tensor {
  const rows = stage(weights, config, `s1_${branch}`, patches.view([clips * frames, side, side, -1]));
  const width = rows.size(3);
  const volume = rows.view([clips, frames, side, side, width]).permute([0, 4, 1, 2, 3]);
  const name = `${PROJECTOR}.sampler_${branch}.0`;
  const sampled = op.conv3d(volume, weights.get(`${name}.weight`)!, {
    bias: weights.get(`${name}.bias`)!,
    stride: [1, 2, 2],
    padding: config.padding,
  });
  // The padding makes time one longer; a frame sees itself and the one before it.
  const kept = sampled.silu().narrow(2, 0, frames).permute([0, 2, 3, 4, 1]);
  const [out, across] = [kept.size(2), kept.size(3)];
  const second = stage(weights, config, `s2_${branch}`, kept.reshape([clips * frames, out, across, width]));
  return twoLayers(weights, `${PROJECTOR}.readout_${branch}`, second.reshape([-1, width]));
}

function stage(weights: WeightSource, { depth }: ProjectorConfig, name: string, x: Tensor): Tensor {
  let rows = x;
  for (let i = 1; i <= depth; i++) {
    const before = rows;
    rows = scope(() => bottleneck(weights, `${PROJECTOR}.${name}.b${i}`, before));
  }
  return rows;
}

/** A block of RegNet's kind with channels last and norms over them: [N, s, s, C] -> [N, s, s, W]. */
export function bottleneck(weights: WeightSource, name: string, x: Tensor): Tensor {
  const [count, height, across] = x.shape as [number, number, number];
  const normed = (part: string, rows: Tensor) => layerNorm(weights, `${name}.${part}.bn`, rows, BLOCK_EPS);
  const input = x.reshape([-1, x.size(3)]);
  const first = normed("conv1", pointwise(weights, `${name}.conv1.conv`, input)).silu();
  const width = first.size(1);
  const spread = op.conv2d(
    first.view([count, height, across, width]).permute([0, 3, 1, 2]),
    weights.get(`${name}.conv2.conv.weight`)!,
    { padding: [1, 1], groups: width },
  );
  const second = normed("conv2", spread.permute([0, 2, 3, 1]).reshape([-1, width])).silu();
  const perFrame = second.view([count, height * across, width]);
  const mean = perFrame.mean(1); // [N, W]
  const squeezed = pointwise(weights, `${name}.se.fc1`, mean).silu();
  const share = pointwise(weights, `${name}.se.fc2`, squeezed).sigmoid().unsqueeze(1);
  const third = normed("conv3", pointwise(weights, `${name}.conv3.conv`, perFrame.mul(share).view([-1, width])));
  const shortcut = weights.get(`${name}.downsample.conv.weight`)
    ? normed("downsample", pointwise(weights, `${name}.downsample.conv`, input))
    : input;
  return third.add(shortcut).silu().view([count, height, across, width]);
}

/** A convolution of one pixel on rows [R, in] -> [R, out]. */
function pointwise(weights: WeightSource, name: string, x: Tensor): Tensor {
  const weight = weights.get(`${name}.weight`)!;
  const flat = weight.view([weight.size(0), weight.size(1)]);
  const bias = weights.get(`${name}.bias`);
  return bias ? op.linear(x, flat, { bias }) : op.linear(x, flat);
}

/** [B * T * n, W] */
export function faceBranch(weights: WeightSource, patches: Tensor, { clips, frames, side }: ProjectorShape): Tensor {
  const rows = twoLayers(weights, `${PROJECTOR}.mlp_2xgelu_face`, patches);
  const count = clips * frames;
  const width = rows.size(1);
  const out = tokensOfSide(side);
  const blend = halving(side, rows); // [n, s]
  const down = blend.matmul(rows.view([count, side, side * width])).view([count, out, side, width]);
  return blend.matmul(down).reshape([-1, width]);
}

/** Weights of a bilinear resizing to half the places, corners not aligned: [ceil(side / 2), side]. */
function halving(side: number, like: Tensor): Tensor {
  const out = tokensOfSide(side);
  const weights = new Float32Array(out * side);
  for (let i = 0; i < out; i++) {
    const at = Math.max(0, ((i + 0.5) * side) / out - 0.5);
    const low = Math.min(Math.floor(at), side - 1);
    const high = Math.min(low + 1, side - 1);
    weights[i * side + low]! += 1 - (at - low);
    weights[i * side + high]! += at - low;
  }
  return tensor(weights, [out, side]).to({ dtype: like.dtype, device: like.device });
}

/** All frames with their tokens pooled by 2 x 2, then the slow ones with all of them: [B, T n, W] -> [B, tokens, W]. */
export function compressed(tokens: Tensor, frames: number, side: number): Tensor {
  const [clips, , width] = tokens.shape as [number, number, number];
  const half = Math.floor(side / 2);
  const even = tokens
    .view([clips * frames, side, side, width])
    .narrow(1, 0, 2 * half)
    .narrow(2, 0, 2 * half);
  const pooled = even.reshape([clips * frames, half, 2, half, 2, width]).mean([2, 4]);
  const perFrame = tokens.view([clips, frames, side * side, width]);
  const slow = slowFrames(frames).map((frame) => perFrame.select(1, frame));
  return op.cat([pooled.reshape([clips, frames * half * half, width]), ...slow], { dim: 1 });
}
