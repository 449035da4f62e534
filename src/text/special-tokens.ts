// Qwen2.5-Omni's special tokens, a fact that a tokenizer of its kind and a model of its published shape both need.

/** In the order of their ids, which begin after the ordinary tokens. */
export const omniSpecialTokens = [
  "<|endoftext|>",
  "<|im_start|>",
  "<|im_end|>",
  "<|AUDIO|>",
  "<|audio_bos|>",
  "<|audio_eos|>",
  "<|box_end|>",
  "<|quad_start|>",
  "<|quad_end|>",
  "<|vision_bos|>",
  "<|vision_eos|>",
  "<|vision_pad|>",
  "<|IMAGE|>",
  "<|VIDEO|>",
] as const;
