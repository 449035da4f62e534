// The theatre's tokenizer: a regular Hugging Face tokenizer.json of the Qwen2 kind (NFC, Qwen's split pattern, byte level,
// BPE) whose merges are constructed instead of trained, so that every word of the theatre is one token with and without a
// leading space, while any other text still encodes through bytes. Special tokens are Qwen2.5-Omni's, with compact ids.
import { omniSpecialTokens } from "../../text/special-tokens.ts";
import { defaultSystemPrompt, theatreChatTemplate } from "./chat-template.ts";
import { theatreTexts } from "./script.ts";

/** Contents of the three files of a Hugging Face tokenizer directory, not yet serialised. */
export interface TokenizerFiles {
  readonly tokenizerJson: Readonly<Record<string, unknown>>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  readonly chatTemplate: string;
}

const splitPattern =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Kept when special tokens are skipped: they are part of a completion's text. */
const responseTags = ["<think>", "</think>", "<answer>", "</answer>"] as const;

const chatWords = ["system", "user", "assistant", "yes", "no"];

/** ByteLevel's character for a space. */
const spaceCharacter = "\u0120";

/** Builds the tokenizer. Pure and deterministic: the same world gives the same ids. */
export function buildTheatreTokenizer(): TokenizerFiles {
  const merges = buildMerges(theatreWords());
  const vocab: Record<string, number> = {};
  for (const character of byteCharacters()) vocab[character] = Object.keys(vocab).length;
  let nextId = Object.keys(vocab).length;
  for (const [left, right] of merges) vocab[left + right] ??= nextId++;
  const addedTokens = [...omniSpecialTokens, ...responseTags].map((content, i) => ({
    id: nextId + i,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: i < omniSpecialTokens.length,
  }));
  return {
    tokenizerJson: tokenizerJson(vocab, merges, addedTokens),
    tokenizerConfig: tokenizerConfig(addedTokens),
    chatTemplate: theatreChatTemplate,
  };
}

/** Every distinct word, letters only, sorted. */
export function theatreWords(): readonly string[] {
  const text = [...theatreTexts(), ...chatWords, defaultSystemPrompt].join(" ");
  const words = new Set(text.match(/\p{L}+/gu) ?? []);
  return [...words].sort();
}

type Merge = readonly [left: string, right: string];

/**
 * Ordinary BPE training, run until every word is one piece: the most frequent pair of neighbours becomes a merge (ties by
 * text). Encoding applies merges in the same order, so it ends at the same single piece. A space joins a word last.
 */
function buildMerges(words: readonly string[]): readonly Merge[] {
  const merges: Merge[] = [];
  let unfinished = words.map((word) => [...word]).filter((pieces) => pieces.length > 1);
  while (unfinished.length > 0) {
    const [left, right] = mostFrequentPair(unfinished);
    merges.push([left, right]);
    unfinished = unfinished.map((pieces) => joinPair(pieces, left, right)).filter((pieces) => pieces.length > 1);
  }
  return [...merges, ...words.map((word): Merge => [spaceCharacter, word])];
}

function mostFrequentPair(words: readonly (readonly string[])[]): Merge {
  const counts = new Map<string, number>();
  for (const pieces of words) {
    for (let i = 0; i + 1 < pieces.length; i += 1) {
      const pair = `${pieces[i]} ${pieces[i + 1]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
  }
  const [best] = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const [left, right] = best![0].split(" ");
  return [left!, right!];
}

function joinPair(pieces: readonly string[], left: string, right: string): string[] {
  const joined: string[] = [];
  for (let i = 0; i < pieces.length; i += 1) {
    if (pieces[i] === left && pieces[i + 1] === right) {
      joined.push(left + right);
      i += 1;
    } else joined.push(pieces[i]!);
  }
  return joined;
}

/** GPT-2's printable stand-in for each of the 256 bytes, in the order of Qwen's vocabulary. */
function byteCharacters(): readonly string[] {
  const isPrintable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const printable = bytes.filter(isPrintable).map((byte) => String.fromCharCode(byte));
  const others = bytes.filter((byte) => !isPrintable(byte)).map((_, i) => String.fromCharCode(256 + i));
  return [...printable, ...others];
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

function tokenizerJson(
  vocab: Readonly<Record<string, number>>,
  merges: readonly Merge[],
  addedTokens: readonly AddedToken[],
): Record<string, unknown> {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens,
    normalizer: { type: "NFC" },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: splitPattern }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    post_processor: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
}

function tokenizerConfig(addedTokens: readonly AddedToken[]): Record<string, unknown> {
  const omniTokens = {
    image_token: "<|IMAGE|>",
    audio_token: "<|AUDIO|>",
    video_token: "<|VIDEO|>",
    vision_bos_token: "<|vision_bos|>",
    vision_eos_token: "<|vision_eos|>",
    audio_bos_token: "<|audio_bos|>",
    audio_eos_token: "<|audio_eos|>",
  };
  return {
    tokenizer_class: "Qwen2Tokenizer",
    processor_class: "Qwen2_5OmniProcessor",
    add_bos_token: false,
    add_prefix_space: false,
    bos_token: null,
    eos_token: "<|im_end|>",
    pad_token: "<|endoftext|>",
    unk_token: null,
    errors: "replace",
    clean_up_tokenization_spaces: false,
    split_special_tokens: false,
    model_max_length: 32768,
    additional_special_tokens: omniSpecialTokens.slice(1).filter((token) => token !== "<|im_end|>"),
    extra_special_tokens: omniTokens,
    ...omniTokens,
    added_tokens_decoder: Object.fromEntries(addedTokens.map(({ id, ...token }) => [String(id), token])),
  };
}
