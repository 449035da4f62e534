// The smallest thinker that still has everything, for tests that learn.
import type { TinyOverrides } from "../../src/models/qwen-omni/config/config-json.ts";

/** Half the demo's width, one layer per tower: a step takes milliseconds. */
export const verySmall: TinyOverrides = {
  text_config: {
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    intermediate_size: 128,
  },
  vision_config: { depth: 1, hidden_size: 32, num_heads: 2, intermediate_size: 64, fullatt_block_indexes: [0] },
  audio_config: { d_model: 32, encoder_layers: 1, encoder_attention_heads: 2, encoder_ffn_dim: 64 },
};
