// The published towers of HumanOmni: what their config.json says of their shapes, and where to fetch them.
import type { Json } from "./towers.ts";

export interface PublishedTower {
  /** On the Hugging Face Hub. */
  readonly repository: string;
  readonly config: Json;
}

const siglip = (shape: Json): Json => ({ model_type: "siglip", vision_config: shape });

export const publishedTowers: Readonly<Record<string, PublishedTower>> = {
  "siglip-base-patch16-224": {
    repository: "google/siglip-base-patch16-224",
    config: siglip({}),
  },
  "siglip-so400m-patch14-384": {
    repository: "google/siglip-so400m-patch14-384",
    config: siglip({
      ...{ hidden_size: 1152, intermediate_size: 4304, num_hidden_layers: 27, num_attention_heads: 16 },
      ...{ image_size: 384, patch_size: 14 },
    }),
  },
  "whisper-large-v3": {
    repository: "openai/whisper-large-v3",
    config: {
      model_type: "whisper",
      ...{ d_model: 1280, encoder_layers: 32, encoder_attention_heads: 20, encoder_ffn_dim: 5120 },
      ...{ num_mel_bins: 128, max_source_positions: 1500, activation_function: "gelu" },
    },
  },
  "bert-base-uncased": {
    repository: "google-bert/bert-base-uncased",
    config: {
      model_type: "bert",
      ...{ hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072 },
      ...{ vocab_size: 30522, max_position_embeddings: 512, type_vocab_size: 2, layer_norm_eps: 1e-12 },
    },
  },
};
