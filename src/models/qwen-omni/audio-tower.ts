// The audio tower: two convolutions, sinusoids that restart in every chunk, transformer layers that attend within a chunk
// of two seconds, pairwise averaging over the whole audio, projection to the text width.
// N chunks, M mels, F mel frames, R packed rows (half the frames), A width, D text width

import { OppoError } from "../../error.ts";
import { type DType, gelu, indices, op, scope, type Tensor, tensor } from "../../tensor/index.ts";
import { project, projectApart, projection, type WeightSource } from "../decoder/projection.ts";
import type { AudioConfig } from "./config/config.ts";
import { audioTokens, convLength, MIN_AUDIO_FRAMES } from "./layout.ts";
import { attendSegments, type Segments, segmentsOf } from "./segments.ts";

/** One audio: log-mel, row-major [M, numFrames]. */
export interface AudioInput {
  readonly mel: Float32Array;
  readonly numFrames: number;
}

interface Target {
  readonly dtype: DType;
  readonly device: string;
}

const ROOT = "audio_tower";
const NORM_EPS = 1e-5; // PyTorch's default; the configuration has no field for it

/** Rows of all audios in order, [sum of audioTokens(numFrames), D]. Honours the grad mode. */
export function encodeAudio(parameters: WeightSource, config: AudioConfig, audios: readonly AudioInput[]): Tensor {
  for (const { numFrames } of audios) {
    if (numFrames < MIN_AUDIO_FRAMES) {
      throw new OppoError(
        "ERR_AUDIO_TOO_SHORT",
        `audio tower: expected at least ${MIN_AUDIO_FRAMES} mel frames, got ${numFrames}. Leave the audio out or pad it.`,
      );
    }
  }
  const chunks = audios.flatMap(({ numFrames }) => chunkLengths(numFrames, 2 * config.windowFrames));
  let x = stem(parameters, config, audios, chunks);
  const segments = segmentsOf(chunks.map(convLength), x);
  for (let i = 0; i < config.numLayers; i++) {
    const rows = x;
    x = scope(() => layer(parameters, config, `${ROOT}.layers.${i}`, rows, segments));
  }
  const pooled = poolPairs(x, audios);
  const normed = layerNorm(parameters, `${ROOT}.ln_post`, pooled);
  return project(normed, projection(parameters, [`${ROOT}.proj`]));
}

function chunkLengths(numFrames: number, chunk: number): number[] {
  const lengths = new Array<number>(Math.floor(numFrames / chunk)).fill(chunk);
  if (numFrames % chunk > 0) lengths.push(numFrames % chunk);
  return lengths;
}

/** Convolutions over the chunks as one batch, padded to the longest chunk present; valid rows packed, [R, A]. */
function stem(
  parameters: WeightSource,
  config: AudioConfig,
  audios: readonly AudioInput[],
  chunks: readonly number[],
): Tensor {
  const longest = Math.max(...chunks);
  const weight = parameters.get(`${ROOT}.conv1.weight`)!;
  const target = { dtype: weight.dtype, device: weight.device };
  const { numMels } = config;
  const mel = new Float32Array(chunks.length * numMels * longest);
  let chunk = 0;
  for (const audio of audios) {
    for (let start = 0; start < audio.numFrames; start += 2 * config.windowFrames, chunk++) {
      const end = start + chunks[chunk]!;
      for (let m = 0; m < numMels; m++) {
        const row = m * audio.numFrames;
        mel.set(audio.mel.subarray(row + start, row + end), (chunk * numMels + m) * longest);
      }
    }
  }
  const uniform = chunks.every((n) => n === longest);
  let x = tensor(mel, [chunks.length, numMels, longest]).to(target);
  x = gelu(op.conv1d(x, weight, { bias: parameters.get(`${ROOT}.conv1.bias`)!, padding: [1] }));
  // The bias makes padding non-zero; the next convolution would read it.
  if (!uniform) x = x.mul(frameMask(chunks, longest, target));
  const second = parameters.get(`${ROOT}.conv2.weight`)!;
  x = gelu(op.conv1d(x, second, { bias: parameters.get(`${ROOT}.conv2.bias`)!, stride: [2], padding: [1] }));
  const length = x.size(2);
  x = x.transpose(1, 2).add(sinusoids(length, config.hiddenSize, target.device).to(target.dtype)); // [N, F / 2, A]
  const rows = x.reshape([chunks.length * length, config.hiddenSize]);
  if (uniform) return rows;
  const kept = chunks.flatMap((n, i) => Array.from({ length: convLength(n) }, (_, row) => i * length + row));
  return op.embedding(rows, indices(kept).to({ device: target.device }));
}

/** 1 for real frames, 0 for padding, [N, 1, F]. */
function frameMask(chunks: readonly number[], longest: number, { dtype, device }: Target): Tensor {
  const lengths = indices(chunks, [chunks.length, 1, 1]).to({ device });
  return op.arange(0, longest, { dtype: "int64", device }).lt(lengths).to(dtype);
}

/**
 * Whisper's positions: sines then cosines, float32 [length, width]. Angles are float32 numbers, as the reference has them, and
 * their sines are rounded once.
 */
export function sinusoids(length: number, width: number, device: string): Tensor {
  const half = width / 2;
  const step = Math.log(10000) / (half - 1);
  const frequencies = Float32Array.from({ length: half }, (_, i) => Math.exp(-Math.fround(Math.fround(step) * i)));
  const times = op.arange(0, length, { dtype: "float32", device }).unsqueeze(1);
  const angles = times.mul(tensor(frequencies, [half], { device })).to("float64");
  return op.cat([angles.sin(), angles.cos()], { dim: 1 }).to("float32");
}

function layerNorm(parameters: WeightSource, name: string, x: Tensor): Tensor {
  const weight = parameters.get(`${name}.weight`)!;
  return op.layerNorm(x, [x.size(1)], { weight, bias: parameters.get(`${name}.bias`)!, eps: NORM_EPS });
}

function layer(parameters: WeightSource, config: AudioConfig, name: string, x: Tensor, segments: Segments): Tensor {
  const attention = `${name}.self_attn`;
  const { numHeads: heads, hiddenSize } = config;
  const normed = layerNorm(parameters, `${attention}_layer_norm`, x);
  const qkv = projection(parameters, [`${attention}.q_proj`, `${attention}.k_proj`, `${attention}.v_proj`]);
  const [queries, keys, values] = projectApart(normed, qkv, [hiddenSize, hiddenSize, hiddenSize]).map((part) =>
    part.view([x.size(0), heads, hiddenSize / heads]),
  ) as [Tensor, Tensor, Tensor];
  const context = attendSegments(queries, keys, values, segments);
  const attended = x.add(project(context, projection(parameters, [`${attention}.out_proj`])));
  const inner = gelu(
    project(layerNorm(parameters, `${name}.final_layer_norm`, attended), projection(parameters, [`${name}.fc1`])),
  );
  return attended.add(project(inner, projection(parameters, [`${name}.fc2`])));
}

/** Mean of consecutive row pairs of each audio (across chunk borders); a trailing odd row is dropped. */
function poolPairs(x: Tensor, audios: readonly AudioInput[]): Tensor {
  const width = x.size(1);
  const rows = audios.map(({ numFrames }) => convLength(numFrames));
  const pairs = audios.map(({ numFrames }) => audioTokens(numFrames));
  const total = pairs.reduce((sum, n) => sum + n, 0);
  let paired = x;
  if (rows.some((n, i) => n !== 2 * pairs[i]!)) {
    const kept: number[] = [];
    let start = 0;
    rows.forEach((n, i) => {
      for (let row = 0; row < 2 * pairs[i]!; row++) kept.push(start + row);
      start += n;
    });
    paired = op.embedding(x, indices(kept).to({ device: x.device }));
  }
  return paired.view([total, 2, width]).mean(1);
}
