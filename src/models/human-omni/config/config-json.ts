// config.json of new models and of their towers: the small one, and the published 0.5B and 7B.
import { publishedTowers } from "./published-towers.ts";
import type { Json, Towers } from "./towers.ts";

export type FreshSize = "tiny" | "0.5b" | "7b";

const TEXT: Readonly<Record<FreshSize, Json>> = {
  tiny: {
    ...{ hidden_size: 128, num_hidden_layers: 3, num_attention_heads: 4, num_key_value_heads: 2 },
    ...{ intermediate_size: 288, tie_word_embeddings: true },
  },
  "0.5b": {
    ...{ hidden_size: 896, num_hidden_layers: 24, num_attention_heads: 14, num_key_value_heads: 2 },
    ...{ intermediate_size: 4864, vocab_size: 151936, tie_word_embeddings: true },
  },
  "7b": {
    ...{ hidden_size: 3584, num_hidden_layers: 28, num_attention_heads: 28, num_key_value_heads: 4 },
    ...{ intermediate_size: 18944, vocab_size: 152064, tie_word_embeddings: false },
  },
};

const LOOK: Readonly<Record<FreshSize, Json>> = {
  tiny: { mm_projector_type: "all_in_one_small", mm_hidden_size: 64, audio_hidden_size: 64, num_frames: 4 },
  "0.5b": { mm_projector_type: "all_in_one_small", mm_hidden_size: 768, audio_hidden_size: 1280, num_frames: 8 },
  "7b": { mm_projector_type: "all_in_one", mm_hidden_size: 1152, audio_hidden_size: 1280, num_frames: 32 },
};

export function freshConfig(size: FreshSize, vocabSize: number, idOf: (token: string) => number): Json {
  const { vision, audio } = freshTowers(size, 0);
  return {
    ...{ architectures: ["HumanOmniQwen2ForCausalLM"], model_type: "HumanOmni_qwen2" },
    ...{ vocab_size: vocabSize, ...TEXT[size], ...LOOK[size] },
    ...{ mm_vision_tower: vision.folder, mm_audio_tower: audio.folder, mm_audio_projector_type: "mlp2x_gelu" },
    ...{ mm_vision_select_layer: -2, mm_vision_select_feature: "patch", mm_use_x_start_end: true },
    ...{ image_aspect_ratio: "pad", use_mm_proj: true, tokenizer_model_max_length: 2048 },
    ...{ bos_token_id: idOf("<|endoftext|>"), eos_token_id: idOf("<|im_end|>") },
    ...{ hidden_act: "silu", rms_norm_eps: 1e-6, rope_theta: 1e6, rope_scaling: null, attention_dropout: 0 },
    ...{ max_position_embeddings: 32768, use_sliding_window: false, sliding_window: null, use_cache: true },
  };
}

/** Windows of three seconds and frames of 112 pixels. @param numPieces of the question's vocabulary; published ones have theirs */
export function freshTowers(size: FreshSize, numPieces: number): Towers {
  if (size !== "tiny") {
    const published = (folder: string) => ({ folder, json: publishedTowers[folder]!.config });
    return {
      vision: published(size === "7b" ? "siglip-so400m-patch14-384" : "siglip-base-patch16-224"),
      audio: published("whisper-large-v3"),
      question: published("bert-base-uncased"),
    };
  }
  const seeing = {
    ...{ hidden_size: 64, intermediate_size: 128, num_hidden_layers: 3, num_attention_heads: 4 },
    ...{ image_size: 112, patch_size: 14 },
  };
  const hearing = {
    ...{ d_model: 64, encoder_layers: 2, encoder_attention_heads: 4, encoder_ffn_dim: 128 },
    ...{ num_mel_bins: 128, max_source_positions: 150, classifier_proj_size: 16, activation_function: "gelu" },
  };
  const reading = {
    ...{ hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 64 },
    ...{ vocab_size: numPieces, max_position_embeddings: 128, type_vocab_size: 2, layer_norm_eps: 1e-12 },
  };
  return {
    vision: { folder: "siglip-tiny", json: { model_type: "siglip", vision_config: seeing } },
    audio: { folder: "whisper-tiny", json: { model_type: "whisper", ...hearing } },
    question: { folder: "bert-tiny", json: { model_type: "bert", ...reading } },
  };
}
