// The order of Qwen2.5-Omni's special tokens is that of the published ids.
import assert from "node:assert/strict";
import { test } from "node:test";
import { omniSpecialTokens } from "../../src/text/special-tokens.ts";

const firstId = 151643;
const published = {
  "<|endoftext|>": 151643,
  "<|im_start|>": 151644,
  "<|im_end|>": 151645,
  "<|AUDIO|>": 151646,
  "<|audio_bos|>": 151647,
  "<|audio_eos|>": 151648,
  "<|vision_bos|>": 151652,
  "<|vision_eos|>": 151653,
  "<|IMAGE|>": 151655,
  "<|VIDEO|>": 151656,
};

test("special tokens stand in the order of their published ids, each once", () => {
  for (const [token, id] of Object.entries(published)) {
    assert.equal(omniSpecialTokens[id - firstId], token);
    assert.notEqual(omniSpecialTokens[id - firstId + 1], token);
  }
  assert.equal(new Set(omniSpecialTokens).size, 14);
});
