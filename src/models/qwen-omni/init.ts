// New models: the small thinker that the demo trains from scratch, and thinkers of the published shapes with random
// weights. Weights are drawn and written one at a time, so a model may be larger than the memory.
import { byteSize, scope } from "../../tensor/index.ts";
import { createTokenizer } from "../../text/tokenizer.ts";
import type { FreshOptions, TokenizerFiles } from "../architecture.ts";
import { drawParameter } from "../checkpoint/draw-parameter.ts";
import { writeModelFiles } from "../checkpoint/model-directory.ts";
import { writeWeights } from "../checkpoint/weight-files.ts";
import { savedConfig } from "./checkpoint.ts";
import { parseConfig, type ThinkerConfig } from "./config/config.ts";
import { type PublishedSize, publishedConfig, type TinyOverrides, tinyConfig } from "./config/config-json.ts";
import { publishedIds } from "./config/published-ids.ts";
import { parameterSpecs } from "./parameters.ts";

/** 112 x 112: a square video becomes 8 x 8 patches, one attention window. */
const TINY_PIXELS = { min_pixels: 56 * 56, max_pixels: 112 * 112 };

/** Writes a fresh small thinker with this tokenizer as a Hugging Face directory. */
export function initTiny(directory: string, files: TokenizerFiles, seed: number, overrides: TinyOverrides = {}): void {
  const tokenizer = createTokenizer(files.tokenizerJson, files.tokenizerConfig);
  const config = parseConfig(tinyConfig(tokenizer.vocabSize, tokenizer.idOf, overrides), directory);
  const companions = companionsOf(files, config);
  const video = { ...TINY_PIXELS, ...overrides.video };
  companions.set("preprocessor_config.json", json({ ...preprocessorConfig(), ...TINY_PIXELS }));
  companions.set("video_preprocessor_config.json", json(videoPreprocessorConfig(config, video)));
  writeFresh(directory, config, companions, { seed, dtype: "float32" });
}

/**
 * Writes a thinker of a published shape with random weights: for tests and speed, not for answers. Its special tokens
 * have the published ids; its other tokens are those of the given tokenizer.
 */
export function initPublished(
  directory: string,
  size: PublishedSize,
  files: TokenizerFiles,
  options: FreshOptions,
): void {
  const { config, companions } = publishedFiles(size, files);
  writeFresh(directory, config, companions, options);
}

/** All of a published shape but the weights: its configuration and the files beside it. */
export function publishedFiles(
  size: PublishedSize,
  files: TokenizerFiles,
): { readonly config: ThinkerConfig; readonly companions: ReadonlyMap<string, string> } {
  const published = publishedIds(files);
  const tokenizer = createTokenizer(published.tokenizerJson, published.tokenizerConfig);
  const config = parseConfig(publishedConfig(size, tokenizer.idOf), `qwen2.5-omni-${size}`);
  const companions = companionsOf(published, config);
  companions.set("preprocessor_config.json", json(preprocessorConfig()));
  return { config, companions };
}

function writeFresh(
  directory: string,
  config: ThinkerConfig,
  companions: ReadonlyMap<string, string>,
  { seed, dtype, onProgress }: FreshOptions,
): void {
  const specs = new Map(parameterSpecs(config).map((spec) => [spec.name, spec]));
  const shapes = new Map([...specs].map(([name, { shape }]) => [name, { dtype, shape }]));
  let numBytes = 0;
  const make = (name: string) => {
    const spec = specs.get(name)!;
    const parameter = scope(() => drawParameter(spec, config.text.numLayers, seed, dtype));
    numBytes += parameter.numel * byteSize(dtype);
    onProgress?.(numBytes);
    return parameter;
  };
  writeWeights(directory, shapes, make);
  writeModelFiles(directory, savedConfig(config, dtype), companions);
}

/** Tokenizer, chat template and stop ids. */
function companionsOf(files: TokenizerFiles, config: ThinkerConfig): Map<string, string> {
  const { pad } = config.ids;
  return new Map([
    ["tokenizer.json", json(files.tokenizerJson)],
    ["tokenizer_config.json", json(files.tokenizerConfig)],
    ["chat_template.jinja", files.chatTemplate],
    ["generation_config.json", json({ eos_token_id: [...config.stopIds, pad], pad_token_id: pad, do_sample: false })],
  ]);
}

function videoPreprocessorConfig(config: ThinkerConfig, settings: object): Record<string, unknown> {
  const { patchSize, temporalPatchSize, mergeSize } = config.vision;
  return {
    video_processor_type: "Qwen2VLVideoProcessor",
    patch_size: patchSize,
    temporal_patch_size: temporalPatchSize,
    merge_size: mergeSize,
    fps: 2,
    min_frames: 4,
    max_frames: 768,
    ...settings,
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function preprocessorConfig(): Record<string, unknown> {
  return {
    processor_class: "Qwen2_5OmniProcessor",
    feature_extractor_type: "WhisperFeatureExtractor",
    image_processor_type: "Qwen2VLImageProcessor",
    chunk_length: 300,
    dither: 0,
    feature_size: 128,
    hop_length: 160,
    n_fft: 400,
    n_samples: 4800000,
    nb_max_frames: 30000,
    padding_side: "right",
    padding_value: 0,
    return_attention_mask: true,
    sampling_rate: 16000,
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_std: [0.26862954, 0.26130258, 0.27577711],
    min_pixels: 3136,
    max_pixels: 12845056,
    merge_size: 2,
    patch_size: 14,
    temporal_patch_size: 2,
  };
}
