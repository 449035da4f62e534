// A tokenizer's files from outside: sizes, settings that the library does not follow, patterns without an end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildTheatreTokenizer } from "../../src/data/theatre/tokenizer.ts";
import { createTokenizer } from "../../src/text/tokenizer.ts";
import { requireTokenizerFiles } from "../../src/text/tokenizer-checks.ts";

const { tokenizerJson, tokenizerConfig } = buildTheatreTokenizer();
const model = tokenizerJson.model as Record<string, unknown>;
const added = tokenizerJson.added_tokens as Record<string, unknown>[];

test("ids of any size are refused at once", () => {
  const start = performance.now();
  for (const id of [1e9, 2 ** 22, -1, 1.5, "7", null]) {
    for (const change of [
      { model: { ...model, vocab: { ...(model.vocab as object), far: id } } },
      { added_tokens: [...added, { id, content: "<far>" }] },
    ]) {
      assert.throws(() => createTokenizer({ ...tokenizerJson, ...change }, tokenizerConfig), {
        code: "ERR_TOKENIZER_UNSUPPORTED",
        message: /ids from 0 to/,
      });
    }
  }
  assert.ok(performance.now() - start < 2000);
  assert.equal(createTokenizer(tokenizerJson, tokenizerConfig).tail.length, 0);
});

test("settings that would give other ids are refused by name", () => {
  const split = (Regex: string) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false });
  for (const [json, config, named] of [
    [{ model: { ...model, dropout: 0.1 } }, {}, /dropout/],
    [{ model: { ...model, continuing_subword_prefix: "##" } }, {}, /continuing_subword_prefix/],
    [{ model: { ...model, type: "Unigram" } }, {}, /Unigram/],
    [{ added_tokens: [{ ...added[0], single_word: true }] }, {}, /single_word/],
    [{ added_tokens: null }, {}, /added_tokens/],
    [{ added_tokens: [{ id: 1, content: "" }] }, {}, /with a text/],
    [{ pre_tokenizer: split("(a+)+$") }, {}, /repeated group/],
    [{ pre_tokenizer: split("(a|a)*b") }, {}, /repeated group/],
    [{ normalizer: { type: "Replace", pattern: { Regex: "(?:x+){3,}" }, content: "" } }, {}, /repeated group/],
    [{}, { add_prefix_space: true }, /add_prefix_space/],
    [{}, { split_special_tokens: true }, /split_special_tokens/],
    [{}, { remove_space: true }, /remove_space/],
    [{}, { added_tokens_decoder: { 3: { content: "<new>" } } }, /added_tokens_decoder/],
  ] as const) {
    assert.throws(
      () => requireTokenizerFiles({ ...tokenizerJson, ...json }, { ...tokenizerConfig, ...config }),
      { code: "ERR_TOKENIZER_UNSUPPORTED", message: named },
      JSON.stringify([json, config]).slice(0, 100),
    );
  }
  const qwen =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  requireTokenizerFiles({ ...tokenizerJson, pre_tokenizer: split(qwen) }, tokenizerConfig);
  requireTokenizerFiles({ ...tokenizerJson, pre_tokenizer: split("[)]+\\)*(?i:a)?") }, tokenizerConfig);
});
