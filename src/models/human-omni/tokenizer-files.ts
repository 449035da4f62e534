// Tokenizers of new models: the given one with Qwen2-VL's special tokens in the places of its own, at the published ids for a
// model of a published shape; and a vocabulary of WordPiece made of the same words.
import type { TokenizerFiles } from "../architecture.ts";

/** In the order of their ids, which begin after the ordinary tokens. */
const specialTokens: readonly string[] = [
  ...["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>"],
  ...["<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>"],
  ...["<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"],
];
/** Ordinary tokens of the published vocabulary. */
const NUM_ORDINARY = 151643;

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

/** @param isPublished special tokens have the published ids, and the ordinary ids below them are filled up */
export function humanOmniTokenizer(files: TokenizerFiles, isPublished: boolean): TokenizerFiles {
  const { tokenizerJson, tokenizerConfig, chatTemplate } = files;
  const model = tokenizerJson.model as { readonly vocab: Readonly<Record<string, number>> };
  const given = tokenizerJson.added_tokens as readonly AddedToken[];
  const vocab: Record<string, number> = { ...model.vocab };
  let next = Math.max(...Object.values(vocab)) + 1;
  const first = isPublished ? NUM_ORDINARY : next;
  const special = given.filter((token) => token.special);
  const named = specialTokens.map((content, place) => ({ ...special[0]!, content, id: first + place }));
  const tags = given.filter((token) => !token.special);
  const after = first + specialTokens.length;
  const placed = tags.map((tag, i) => {
    if (!isPublished) return { ...tag, id: after + i };
    vocab[tag.content] = next;
    return { ...tag, id: next++ };
  });
  if (isPublished) for (; next < NUM_ORDINARY; next++) vocab[`[${next}]`] = next;
  const added = [...named, ...placed].sort((a, b) => a.id - b.id);
  return {
    tokenizerJson: { ...tokenizerJson, added_tokens: added, model: { ...model, vocab } },
    tokenizerConfig: {
      tokenizer_class: "Qwen2Tokenizer",
      ...{ add_bos_token: false, add_prefix_space: false, clean_up_tokenization_spaces: false, errors: "replace" },
      ...{ bos_token: null, eos_token: "<|im_end|>", pad_token: "<|endoftext|>", unk_token: null },
      model_max_length: tokenizerConfig.model_max_length,
      additional_special_tokens: specialTokens.slice(1),
      added_tokens_decoder: Object.fromEntries(added.map(({ id, ...token }) => [String(id), token])),
    },
    chatTemplate,
  };
}

/** Where BERT's vocabulary has its special tokens. */
const bertSpecial: readonly (readonly [string, number])[] = [
  ["[PAD]", 0],
  ["[UNK]", 100],
  ["[CLS]", 101],
  ["[SEP]", 102],
  ["[MASK]", 103],
];

/** A vocab.txt: BERT's special tokens at their ids, printable characters, their continuations, and the words of a tokenizer. */
export function wordPieceVocabulary({ tokenizerJson }: TokenizerFiles): string {
  const model = tokenizerJson.model as { readonly vocab: Readonly<Record<string, number>> };
  const pieces = Array.from({ length: 104 }, (_, i) => `[unused${i}]`);
  for (const [token, id] of bertSpecial) pieces[id] = token;
  const printable = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i).toLowerCase());
  const continued = printable.filter((character) => /[a-z0-9]/.test(character)).map((character) => `##${character}`);
  const words = Object.keys(model.vocab)
    .filter((token) => /^[A-Za-z]{2,}$/.test(token))
    .map((token) => token.toLowerCase());
  const all = new Set([...pieces, ...printable, ...continued, ...words.sort()]);
  return `${[...all].join("\n")}\n`;
}
