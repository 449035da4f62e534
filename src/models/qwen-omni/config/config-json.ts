// config.json of new thinkers, in Hugging Face's words: the small one that the demo trains, and the published 3B and 7B.

/** Changes to the small configuration, by Hugging Face's names. */
export interface TinyOverrides {
  readonly text_config?: Readonly<Record<string, unknown>>;
  readonly audio_config?: Readonly<Record<string, unknown>>;
  readonly vision_config?: Readonly<Record<string, unknown>>;
  /** Of the video preprocessor: fps, min_frames, max_frames, min_pixels, max_pixels. */
  readonly video?: Readonly<Record<string, unknown>>;
}

export type PublishedSize = "3b" | "7b";

const AUDIO = {
  d_model: 1280,
  encoder_layers: 32,
  encoder_attention_heads: 20,
  encoder_ffn_dim: 5120,
};

const VISION = {
  depth: 32,
  hidden_size: 1280,
  num_heads: 16,
  intermediate_size: 3420,
  fullatt_block_indexes: [7, 15, 23, 31],
};

const TEXT = {
  "3b": {
    hidden_size: 2048,
    num_hidden_layers: 36,
    num_attention_heads: 16,
    num_key_value_heads: 2,
    intermediate_size: 11008,
    vocab_size: 151936,
  },
  "7b": {
    hidden_size: 3584,
    num_hidden_layers: 28,
    num_attention_heads: 28,
    num_key_value_heads: 4,
    intermediate_size: 18944,
    vocab_size: 152064,
  },
};

/** The published shapes of Qwen2.5-Omni's thinker. */
export function publishedConfig(size: PublishedSize, idOf: (token: string) => number): Record<string, unknown> {
  const text = TEXT[size];
  return tinyConfig(text.vocab_size, idOf, {
    audio_config: AUDIO,
    vision_config: VISION,
    text_config: {
      ...text,
      head_dim: 128,
      rope_scaling: { mrope_section: [16, 24, 24], rope_type: "default", type: "default" },
    },
  });
}

/** The real topology with small numbers. */
export function tinyConfig(
  vocabSize: number,
  idOf: (token: string) => number,
  overrides: TinyOverrides = {},
): Record<string, unknown> {
  const width = Number(overrides.text_config?.hidden_size ?? 128);
  return {
    model_type: "qwen2_5_omni_thinker",
    audio_config: { ...TINY_AUDIO, output_dim: width, ...overrides.audio_config },
    vision_config: { ...TINY_VISION, out_hidden_size: width, ...overrides.vision_config },
    text_config: { ...TINY_TEXT, hidden_size: width, vocab_size: vocabSize, ...overrides.text_config },
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

const TINY_AUDIO = {
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
};

const TINY_VISION = {
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
};

const TINY_TEXT = {
  model_type: "qwen2_5_omni_text",
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 32,
  intermediate_size: 288,
  rms_norm_eps: 1e-6,
  hidden_act: "silu",
  max_position_embeddings: 32768,
  rope_theta: 1000000,
  rope_scaling: { mrope_section: [4, 6, 6], rope_type: "default", type: "default" },
  use_sliding_window: false,
  attention_dropout: 0,
  tie_word_embeddings: false,
};
