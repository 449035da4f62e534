// The golden cases of the real topology (tiny checkpoint run by Hugging Face transformers) as inputs of our own code:
// unpadded samples, their share of the media, tower inputs.
import { readFileSync } from "node:fs";
import path from "node:path";
import { type LanguageModel, languageModel } from "../../../src/models/decoder/language.ts";
import { decoderLayers } from "../../../src/models/decoder/layers.ts";
import type { WeightSource } from "../../../src/models/decoder/projection.ts";
import type { DecoderPrompt } from "../../../src/models/decoder/prompt.ts";
import type { ModelPrompt } from "../../../src/models/omni-model.ts";
import type { AudioInput } from "../../../src/models/qwen-omni/audio-tower.ts";
import { encodeAudio } from "../../../src/models/qwen-omni/audio-tower.ts";
import type { ThinkerTokens } from "../../../src/models/qwen-omni/clips.ts";
import type { ThinkerConfig, VisionConfig } from "../../../src/models/qwen-omni/config/config.ts";
import { audioTokens, type Grid, type MediaLayout, visionTokens } from "../../../src/models/qwen-omni/layout.ts";
import { patchValues } from "../../../src/models/qwen-omni/patches.ts";
import { ropePositions } from "../../../src/models/qwen-omni/positions.ts";
import { decoderPrompts } from "../../../src/models/qwen-omni/prompt.ts";
import { encodeVision, visionTarget } from "../../../src/models/qwen-omni/vision-tower.ts";
import { op, openSafetensors, type SafetensorsFile, type Tensor, tensor } from "../../../src/tensor/index.ts";
import { onHost } from "../../support/device.ts";

export type Parameters = ReadonlyMap<string, Tensor>;

/** One row of a case's batch without its padding. */
export interface GoldenSample {
  readonly ids: Int32Array;
  readonly padding: number;
  readonly media: MediaLayout;
}

export interface GoldenCase {
  readonly name: string;
  readonly file: SafetensorsFile;
  readonly samples: readonly GoldenSample[];
  readonly audios: readonly AudioInput[];
  readonly videos: readonly VisionInput[];
  readonly images: readonly VisionInput[];
}

const opened: SafetensorsFile[] = [];

/** A golden file; it stays open until closeGoldens. */
export function openGolden(...parts: readonly string[]): SafetensorsFile {
  const file = openSafetensors(path.join(...parts));
  opened.push(file);
  return file;
}

export function closeGoldens(): void {
  for (const file of opened.splice(0)) file[Symbol.dispose]();
}

export interface CaseInfo {
  readonly text: readonly string[];
  readonly use_audio_in_video: boolean;
}

export function caseIndex(root: string): Readonly<Record<string, CaseInfo>> {
  return (JSON.parse(readFileSync(path.join(root, "INDEX.json"), "utf8")) as { cases: Record<string, CaseInfo> }).cases;
}

export function openCase(root: string, name: string, config: ThinkerConfig, info: CaseInfo): GoldenCase {
  const file = openGolden(root, "cases", `${name}.safetensors`);
  const audios = audioInputs(file);
  const videos = visionInputs(file, "video");
  const images = visionInputs(file, "image");
  const seconds = file.entries.has("in.video_second_per_grid")
    ? file.tensor("in.video_second_per_grid").toNumbers()
    : [];
  const ids = file.tensor("in.input_ids");
  const mask = file.tensor("in.attention_mask").toInt32Array();
  const [batch, length] = ids.shape as [number, number];
  const all = ids.toInt32Array();
  let audio = 0;
  let video = 0;
  let image = 0;
  const samples = Array.from({ length: batch }, (_, b): GoldenSample => {
    const padding = length - mask.subarray(b * length, (b + 1) * length).reduce((sum, kept) => sum + kept, 0);
    const own = all.subarray(b * length + padding, (b + 1) * length);
    const count = (id: number) => own.reduce((sum, token) => sum + Number(token === id), 0);
    const take = <T>(items: readonly T[], from: number, tokens: number, size: (item: T) => number): T[] => {
      const taken: T[] = [];
      for (let left = tokens; left > 0; left -= size(taken.at(-1)!)) taken.push(items[from + taken.length]!);
      return taken;
    };
    const merged = (grid: Grid) => visionTokens(grid, config.vision.mergeSize);
    const ownAudios = take(audios, audio, count(config.ids.audio), (a) => audioTokens(a.numFrames));
    const ownVideos = take(videos, video, count(config.ids.video), (v) => merged(v.grid));
    const ownImages = take(images, image, count(config.ids.image), (v) => merged(v.grid));
    const media: MediaLayout = {
      images: ownImages.map(({ grid }) => grid),
      videos: ownVideos.map(({ grid }, i) => ({ grid, secondsPerGrid: seconds[video + i]! })),
      audioFrames: ownAudios.map(({ numFrames }) => numFrames),
      audioInVideo: info.use_audio_in_video,
    };
    audio += ownAudios.length;
    video += ownVideos.length;
    image += ownImages.length;
    return { ids: own, padding, media };
  });
  return { name, file, samples, audios, videos, images };
}

function audioInputs(file: SafetensorsFile): AudioInput[] {
  if (!file.entries.has("in.input_features")) return [];
  const features = file.tensor("in.input_features"); // [audios, mels, frames]
  const mask = file.tensor("in.feature_attention_mask").sum(1).toNumbers();
  return mask.map((numFrames, i) => ({
    mel: features.select(0, i).narrow(1, 0, numFrames).toFloat32Array(),
    numFrames,
  }));
}

/** One video or image: patch rows in merge-block order, Float32 [t * h * w, 3 * 2 * 14 * 14]. */
export interface VisionInput {
  readonly patches: Float32Array;
  readonly grid: Grid;
}

/** Rows of the vision tower. */
export function visionRows(parameters: WeightSource, config: VisionConfig, inputs: readonly VisionInput[]): Tensor {
  const pixels = op.cat(
    inputs.map(({ patches, grid }) => tensor(patches, [grid[0] * grid[1] * grid[2], patchValues])),
    { dim: 0 },
  );
  const grids = inputs.map(({ grid }) => grid);
  return encodeVision(parameters, config, pixels.to(visionTarget(parameters)), grids);
}

function visionInputs(file: SafetensorsFile, kind: "video" | "image"): VisionInput[] {
  if (!file.entries.has(`in.${kind}_grid_thw`)) return [];
  const grids = file.tensor(`in.${kind}_grid_thw`).toInt32Array();
  const key = kind === "video" ? "in.pixel_values_videos" : "in.pixel_values";
  const stored = file.entries.has(key) ? file.tensor(key) : null;
  let start = 0;
  return Array.from({ length: grids.length / 3 }, (_, i) => {
    const grid: Grid = [grids[3 * i]!, grids[3 * i + 1]!, grids[3 * i + 2]!];
    const rows = grid[0] * grid[1] * grid[2];
    // Compact goldens leave pixels out: they follow from the raw frames.
    const patches = stored
      ? stored.narrow(0, start, rows).toFloat32Array()
      : patchRows(kind === "video" ? file.tensor(`raw.video_${i}`) : file.tensor(`raw.image_${i}`).unsqueeze(0), grid);
    start += rows;
    return { patches, grid };
  });
}

const MEANS = [0.48145466, 0.4578275, 0.40821073];
const DEVIATIONS = [0.26862954, 0.26130258, 0.27577711];

/** Patches of raw frames [T, 3, H, W] with plain tensor operations: independent of the media layer. */
function patchRows(given: Tensor, [t, h, w]: Grid): Float32Array {
  const numFrames = given.size(0);
  const frames = numFrames % 2 === 0 ? given : op.cat([given, given.narrow(0, numFrames - 1, 1)], { dim: 0 });
  const channels = MEANS.map((mean, c) =>
    frames
      .select(1, c)
      .to("float32")
      .sub(Math.fround(Math.fround(mean) * 255))
      .div(Math.fround(Math.fround(DEVIATIONS[c]!) * 255)),
  );
  return op
    .stack(channels, { dim: 1 })
    .view([t, 2, 3, h / 2, 2, 14, w / 2, 2, 14])
    .permute([0, 3, 6, 4, 7, 2, 1, 5, 8])
    .reshape([-1])
    .toFloat32Array();
}

/** Prompts with their tower rows, videos and images in the order of their placeholders. */
export function goldenPrompts(golden: GoldenCase, parameters: WeightSource, config: ThinkerConfig): DecoderPrompt[] {
  const { audios, videos, images } = golden;
  const audio = audios.length > 0 ? encodeAudio(parameters, config.audio, audios) : null;
  const towers = {
    video: videos.length > 0 ? visionRows(parameters, config.vision, videos) : null,
    image: images.length > 0 ? visionRows(parameters, config.vision, images) : null,
  };
  const starts = { audio: 0, video: 0, image: 0 };
  const prompts = golden.samples.map(({ ids, media }): ModelPrompt => {
    const numAudio = media.audioFrames.reduce((sum, frames) => sum + audioTokens(frames), 0);
    const audioRows = audio && numAudio > 0 ? audio.narrow(0, starts.audio, numAudio) : null;
    starts.audio += numAudio;
    const looks: Tensor[] = [];
    const take = (kind: "video" | "image", grid: Grid) => {
      const rows = visionTokens(grid, config.vision.mergeSize);
      looks.push(towers[kind]!.narrow(0, starts[kind], rows));
      starts[kind] += rows;
    };
    // Every medium opens with <|vision_bos|>; the sound of an interleaved video with <|audio_bos|> behind it.
    let video = 0;
    let image = 0;
    ids.forEach((id, i) => {
      if (id !== config.ids.visionStart) return;
      if (ids[i + 1] === config.ids.image) take("image", media.images[image++]!);
      else take("video", media.videos[video++]!.grid);
    });
    const rows = {
      audio: audioRows,
      video: looks.length > 0 ? op.cat(looks, { dim: 0 }) : null,
      [Symbol.dispose]() {},
    };
    return { tokens: { ids, positions: ropePositions(ids, media, config).positions } as ThinkerTokens, rows };
  });
  return decoderPrompts(prompts, config.ids);
}

export function goldenLanguage(parameters: WeightSource, config: ThinkerConfig): LanguageModel {
  return languageModel(parameters, config.text, decoderLayers(parameters, config.text));
}

/** Largest difference at real (unpadded) rows of [B, T, n], relative to the largest expected value. */
export function worstError(got: Tensor, want: Tensor, samples: readonly GoldenSample[]): number {
  let worst = 0;
  let scale = 0;
  samples.forEach(({ padding, ids }, b) => {
    const left = onHost(got.select(0, b).narrow(0, padding, ids.length));
    const right = want.select(0, b).narrow(0, padding, ids.length);
    worst = Math.max(worst, left.sub(right).abs().max().item());
    scale = Math.max(scale, right.abs().max().item());
  });
  return worst / scale;
}

/** Largest difference of two equally shaped tensors, relative to the largest expected value. */
export function relativeError(got: Tensor, want: Tensor): number {
  const right = onHost(want);
  return onHost(got).sub(right).abs().max().item() / Math.max(right.abs().max().item(), 1e-12);
}
