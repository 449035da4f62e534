// The order of Qwen2.5-Omni's special tokens is that of the published ids.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  endTokens,
  lastTurn,
  omniSpecialTokens,
  replySpan,
  replyText,
  withoutLeadingPadding,
} from "../../src/text/special-tokens.ts";

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

test("a reply ends at the first end token of any family, whatever follows, and begins behind padding and the turn", () => {
  for (const token of endTokens) assert.equal(replyText(`a b ${token}\n${token}x`), "a b", token);
  assert.equal(replyText("<|endoftext|><|im_start|>assistant\nyes<|im_end|>"), "yes");
  assert.equal(replyText("<pad><s> [INST] q [/INST] a</s>"), "", "the other's turn is no reply");
  assert.equal(replyText("caf<unk> au lait<unk> <unk>"), "caf<unk> au lait");
  assert.deepEqual(replySpan(" <s>no</s>"), { start: 4, end: 6 });
  // What only looks like a token stays.
  for (const text of ["<end>", "<|x|>", "a < b", "</think>"]) assert.equal(replyText(text), text);
  assert.ok(replyText(`${" ".repeat(200_000)}x${" ".repeat(200_000)}`) === "x");
});

test("padding on the left goes, and the last turn is found", () => {
  assert.equal(withoutLeadingPadding("<pad><pad><bos><start_of_turn>user"), "<start_of_turn>user");
  assert.equal(lastTurn("<|im_start|>assistant\na<|im_end|><|im_start|>assistant\nb"), "\nb");
  assert.equal(lastTurn("<|im_start|>assistant<|im_sep|>b"), "b");
  assert.equal(lastTurn("b"), null);
});
