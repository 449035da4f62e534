// New models: a configuration with every parameter drawn from a seed, and the small thinker that the demo trains from
// scratch. A parameter's numbers depend on the seed and its name only, so changing one layer leaves the others as they were.
import { Generator, keep, op, scope, type Tensor } from "../../tensor/index.ts";
import { createTokenizer } from "../../text/tokenizer.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { parseConfig, type ThinkerConfig } from "./config.ts";
import { parameterSpecs } from "./parameters.ts";

/** Standard deviation of fresh embeddings; weights get 1 / sqrt(inputs), which keeps the scale of what they multiply. */
const EMBEDDING_STD = 0.02;

/** Fresh float32 parameters; the caller owns them. */
export function initParameters(config: ThinkerConfig, seed: number): Map<string, Tensor> {
  const numResiduals = 2 * config.text.numLayers;
  return new Map(
    parameterSpecs(config).map(({ name, shape, role }) => {
      const numInputs = shape.slice(1).reduce((product, n) => product * n, 1);
      const tensor = scope(() => {
        if (role === "zero") return keep(op.zeros(shape));
        if (role === "one") return keep(op.ones(shape));
        using generator = new Generator(nameSeed(seed, name));
        const std = role === "embedding" ? EMBEDDING_STD : numInputs ** -0.5;
        return keep(op.randn(shape, { generator }).mul_(role === "residual" ? std * numResiduals ** -0.5 : std));
      });
      return [name, tensor];
    }),
  );
}

/** FNV-1a of the name, mixed with the seed. */
function nameSeed(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Parameters of every part of a model. */
export function countParameters(config: ThinkerConfig): {
  audio: number;
  vision: number;
  text: number;
  head: number;
  total: number;
} {
  const counts = { audio: 0, vision: 0, text: 0, head: 0, total: 0 };
  for (const { name, shape } of parameterSpecs(config)) {
    const count = shape.reduce((product, n) => product * n, 1);
    const part = name.startsWith("audio_tower.")
      ? "audio"
      : name.startsWith("visual.")
        ? "vision"
        : name === "lm_head.weight"
          ? "head"
          : "text";
    counts[part] += count;
    counts.total += count;
  }
  return counts;
}

/** What the tokenizer of a new model consists of. */
export interface TokenizerFiles {
  readonly tokenizerJson: Readonly<Record<string, unknown>>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  readonly chatTemplate: string;
}

/** Changes to the small configuration, by Hugging Face's names. */
export interface TinyOverrides {
  readonly text_config?: Readonly<Record<string, unknown>>;
  readonly audio_config?: Readonly<Record<string, unknown>>;
  readonly vision_config?: Readonly<Record<string, unknown>>;
  /** Of the video preprocessor: fps, min_frames, max_frames, min_pixels, max_pixels. */
  readonly video?: Readonly<Record<string, unknown>>;
}

/** 112 x 112: a square video becomes 8 x 8 patches, one attention window. */
const TINY_MAX_PIXELS = 112 * 112;
const TINY_MIN_PIXELS = 56 * 56;

/** Writes a fresh small thinker with this tokenizer as a Hugging Face directory. */
export function initTiny(directory: string, files: TokenizerFiles, seed: number, overrides: TinyOverrides = {}): void {
  const tokenizer = createTokenizer(files.tokenizerJson, files.tokenizerConfig);
  const config = parseConfig(tinyConfig(tokenizer.vocabSize, tokenizer.idOf, overrides), directory);
  const stop = tokenizer.idOf("<|im_end|>");
  const companions = new Map([
    ["tokenizer.json", json(files.tokenizerJson)],
    ["tokenizer_config.json", json(files.tokenizerConfig)],
    ["chat_template.jinja", files.chatTemplate],
    ["preprocessor_config.json", json(preprocessorConfig())],
  ]);
  companions.set(
    "generation_config.json",
    json({ eos_token_id: [stop, config.ids.pad], pad_token_id: config.ids.pad, do_sample: false }),
  );
  companions.set(
    "video_preprocessor_config.json",
    json({
      video_processor_type: "Qwen2VLVideoProcessor",
      patch_size: config.vision.patchSize,
      temporal_patch_size: config.vision.temporalPatchSize,
      merge_size: config.vision.mergeSize,
      fps: 2,
      min_frames: 4,
      max_frames: 768,
      min_pixels: TINY_MIN_PIXELS,
      max_pixels: TINY_MAX_PIXELS,
      ...overrides.video,
    }),
  );
  const parameters = initParameters(config, seed);
  writeCheckpoint(directory, { config, parameters, companions });
  for (const parameter of parameters.values()) parameter.dispose();
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
    min_pixels: TINY_MIN_PIXELS,
    max_pixels: TINY_MAX_PIXELS,
    merge_size: 2,
    patch_size: 14,
    temporal_patch_size: 2,
  };
}

/** The real topology with small numbers, in Hugging Face's words. */
export function tinyConfig(
  vocabSize: number,
  idOf: (token: string) => number,
  overrides: TinyOverrides = {},
): Record<string, unknown> {
  const width = Number(overrides.text_config?.hidden_size ?? 128);
  return {
    model_type: "qwen2_5_omni_thinker",
    audio_config: {
      model_type: "qwen2_5_omni_audio_encoder",
      num_mel_bins: 128,
      d_model: 64,
      encoder_layers: 2,
      encoder_attention_heads: 4,
      encoder_ffn_dim: 128,
      activation_function: "gelu",
      dropout: 0,
      attention_dropout: 0,
      activation_dropout: 0,
      scale_embedding: false,
      max_source_positions: 1500,
      n_window: 100,
      output_dim: width,
      ...overrides.audio_config,
    },
    vision_config: {
      model_type: "qwen2_5_omni_vision_encoder",
      depth: 3,
      hidden_size: 64,
      num_heads: 4,
      intermediate_size: 128,
      hidden_act: "silu",
      in_channels: 3,
      patch_size: 14,
      temporal_patch_size: 2,
      spatial_merge_size: 2,
      window_size: 112,
      fullatt_block_indexes: [2],
      out_hidden_size: width,
      ...overrides.vision_config,
    },
    text_config: {
      model_type: "qwen2_5_omni_text",
      hidden_size: width,
      num_hidden_layers: 3,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      head_dim: 32,
      intermediate_size: 288,
      vocab_size: vocabSize,
      rms_norm_eps: 1e-6,
      hidden_act: "silu",
      max_position_embeddings: 32768,
      rope_theta: 1000000,
      rope_scaling: { mrope_section: [4, 6, 6], rope_type: "default", type: "default" },
      use_sliding_window: false,
      attention_dropout: 0,
      tie_word_embeddings: false,
      ...overrides.text_config,
    },
    audio_token_index: idOf("<|AUDIO|>"),
    image_token_index: idOf("<|IMAGE|>"),
    video_token_index: idOf("<|VIDEO|>"),
    audio_start_token_id: idOf("<|audio_bos|>"),
    audio_end_token_id: idOf("<|audio_eos|>"),
    vision_start_token_id: idOf("<|vision_bos|>"),
    vision_end_token_id: idOf("<|vision_eos|>"),
    pad_token_id: idOf("<|endoftext|>"),
    eos_token_id: idOf("<|im_end|>"),
    position_id_per_seconds: 25,
    seconds_per_chunk: 2,
    tie_word_embeddings: false,
  };
}
