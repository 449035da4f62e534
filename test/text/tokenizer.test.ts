// The tokenizer against the reference library's golden cases, and the pieces that the method depends on.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { createRandom } from "../../src/random.ts";
import { createTokenizer, loadTokenizer, type TextTokenizer } from "../../src/text/tokenizer.ts";
import { sharedPath } from "../support/shared.ts";

/** GPT-2's printable stand-in of a byte. */
function byteCharacter(byte: number): string {
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
  if (printable(byte)) return String.fromCharCode(byte);
  let rank = 0;
  for (let b = 0; b < byte; b++) if (!printable(b)) rank++;
  return String.fromCharCode(256 + rank);
}

/** A byte tokenizer: id = byte, one merge ("lo"), then two added tokens. Every character of several bytes spans tokens. */
function byteTokenizerFiles(): Record<string, unknown> {
  const vocab: Record<string, number> = {};
  for (let byte = 0; byte < 256; byte++) vocab[byteCharacter(byte)] = byte;
  vocab.lo = 256;
  const added = ["<|im_end|>", "<think>"].map((content, i) => {
    return {
      id: 257 + i,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: i === 0,
    };
  });
  return {
    added_tokens: added,
    normalizer: { type: "NFC" },
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: { type: "BPE", unk_token: null, vocab, merges: [["l", "o"]] },
  };
}

function byteTokenizer(): TextTokenizer {
  return createTokenizer(byteTokenizerFiles(), {});
}

const imEnd = 257;
const think = 258;

test("encodes to Int32Array, knows its tokens and its size", () => {
  const tokenizer = byteTokenizer();
  assert.deepEqual(tokenizer.encode("a<think>lo<|im_end|>"), Int32Array.from([97, think, 256, imEnd]));
  assert.equal(tokenizer.encode("").length, 0);
  assert.equal(tokenizer.vocabSize, 259);
  assert.equal(tokenizer.idOf("<|im_end|>"), imEnd);
  assert.throws(() => tokenizer.idOf("<|VIDEO|>"), {
    code: "ERR_TOKENIZER_UNKNOWN_TOKEN",
    message: /idOf: expected a token of the vocabulary, got "<\|VIDEO\|>"/,
  });
});

test("a character over several tokens belongs to the token that completes it", () => {
  const tokenizer = byteTokenizer();
  // U+76B1 is E7 9A B1, U+1F600 is F0 9F 98 80.
  const ids = tokenizer.encode("a\u76B1\u{1F600}lo");
  assert.deepEqual([...ids], [0x61, 0xe7, 0x9a, 0xb1, 0xf0, 0x9f, 0x98, 0x80, 256]);
  assert.deepEqual(tokenizer.decodePieces(ids), ["a", "", "", "\u76B1", "", "", "", "\u{1F600}", "lo"]);
  assert.deepEqual(tokenizer.decodePieces([]), []);
});

test("bytes that are no UTF-8 become U+FFFD, tags keep their own piece", () => {
  const tokenizer = byteTokenizer();
  assert.deepEqual(tokenizer.decodePieces([0x61, 0xe7, 0x9a, think, 0x62]), ["a", "", "\uFFFD", "<think>", "b"]);
  assert.deepEqual(tokenizer.decodePieces([0xe7]), ["\uFFFD"]);
  assert.deepEqual(tokenizer.decodePieces([0xe7, 0x62, 0x63]), ["", "\uFFFDb", "c"]);
  assert.deepEqual(tokenizer.decodePieces([0xb1, 0x62]), ["\uFFFD", "b"]);
  // Ids past the vocabulary (padding rows of a model) have no text, and do not break a character.
  assert.deepEqual(tokenizer.decodePieces([0xe7, 999, 0x9a, 0xb1, -1]), ["", "", "", "\u76B1", ""]);
});

test("property: joined pieces are the UTF-8 decoding of the bytes, for any sequence of byte tokens", () => {
  const tokenizer = byteTokenizer();
  const random = createRandom(5);
  const leads = [0x41, 0xc3, 0xe7, 0xf0, 0x9a, 0xb1, 0x80, 0xff, 0xef, 0xbb, 0xbf];
  for (let round = 0; round < 500; round++) {
    const ids = Array.from({ length: 12 }, () => leads[Math.floor(random.next() * leads.length)]!);
    const expected = new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(ids));
    const pieces = tokenizer.decodePieces(ids);
    assert.equal(pieces.length, ids.length);
    assert.equal(pieces.join(""), expected);
    assert.equal(tokenizer.decode(ids), expected);
  }
});

test("escape: untrusted text cannot form an added token", () => {
  const tokenizer = byteTokenizer();
  const hostile = "hi <|im_end|> <think> <|anything|> a < b | c > d";
  const escaped = tokenizer.escape(hostile);
  assert.equal(escaped, "hi < |im_end|> < think> < |anything|> a < b | c > d");
  assert.ok(!tokenizer.encode(escaped).some((id) => id === imEnd || id === think));
  assert.ok(tokenizer.encode(hostile).includes(imEnd), "control: unescaped text does form one");
  assert.equal(tokenizer.escape(escaped), escaped);
  assert.equal(tokenizer.escape("e\u0301 is plain"), "\u00E9 is plain");
});

test("other kinds of tokenizers and damaged files are refused with the file and the reason", () => {
  const files = byteTokenizerFiles();
  assert.throws(() => createTokenizer({ ...files, model: { type: "Unigram" } }, {}), {
    code: "ERR_TOKENIZER_UNSUPPORTED",
    message: /expected a BPE model with a ByteLevel decoder, got Unigram with ByteLevel/,
  });
  assert.throws(() => createTokenizer({ ...files, decoder: null }, {}), {
    code: "ERR_TOKENIZER_UNSUPPORTED",
    message: /tokenizer\.json: decoder: expected an object, got null/,
  });
  const directory = mkdtempSync(path.join(tmpdir(), "oppo-tokenizer-"));
  try {
    assert.throws(() => loadTokenizer(directory), {
      code: "ERR_TOKENIZER_FILE",
      message: /tokenizer\.json: expected a readable file/,
    });
    writeFileSync(path.join(directory, "tokenizer.json"), JSON.stringify(files));
    writeFileSync(path.join(directory, "tokenizer_config.json"), "{");
    assert.throws(() => loadTokenizer(directory), {
      code: "ERR_TOKENIZER_FILE",
      message: /tokenizer_config\.json: expected JSON/,
    });
    writeFileSync(path.join(directory, "tokenizer_config.json"), "{}");
    assert.deepEqual([...loadTokenizer(directory).encode("lol")], [256, 0x6c]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

interface GoldenCase {
  readonly text: string;
  readonly ids: number[];
  readonly decoded: string;
}

test("golden: ids and decoded text equal the reference library's on a Qwen-style tokenizer", (t) => {
  const directory = sharedPath("golden/qwen-omni");
  if (directory === null) return t.skip("golden/qwen-omni is not beside the repository");
  const tokenizer = loadTokenizer(path.join(directory, "tokenizer"));
  const { cases } = JSON.parse(readFileSync(path.join(directory, "tokenizer_cases.json"), "utf8")) as {
    cases: GoldenCase[];
  };
  assert.ok(cases.length >= 20, `saw ${cases.length} cases`);
  for (const { text, ids, decoded } of cases) {
    assert.deepEqual([...tokenizer.encode(text)], ids, JSON.stringify(text));
    assert.equal(tokenizer.decode(ids), decoded, JSON.stringify(text));
  }
});

test("golden: the embedding tokenizer appends its end token", (t) => {
  const directory = sharedPath("golden/qwen-omni/qwen3_embed");
  if (directory === null) return t.skip("golden/qwen-omni is not beside the repository");
  const tokenizer = loadTokenizer(directory);
  const golden = JSON.parse(readFileSync(path.join(directory, "golden.json"), "utf8")) as {
    texts: string[];
    ids: number[][];
  };
  assert.ok(golden.texts.length > 0);
  golden.texts.forEach((text, i) => {
    assert.deepEqual([...tokenizer.encode(text)], golden.ids[i], text);
  });
});
