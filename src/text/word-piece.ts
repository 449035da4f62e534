// Text -> token ids of BERT: WordPiece as @huggingface/tokenizers does it, made of a vocab.txt.
import { Tokenizer } from "@huggingface/tokenizers";
import { OppoError } from "../error.ts";

export interface WordPiece {
  /** `[CLS]`, the text's pieces, `[SEP]`; cut to the longest length with `[SEP]` kept. */
  encode(text: string): Int32Array;
}

export interface WordPieceOptions {
  /** Ids of the longest text, the two around it included. */
  readonly maxTokens: number;
  readonly lowercase: boolean;
  /** Rows of the embedding. */
  readonly maxPieces: number;
}

const [pad, unknown, start, end, mask] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;
/** Of a word; longer ones are unknown. */
const MAX_WORD = 100;

/**
 * @param vocabulary contents of a vocab.txt: one piece a line, in the order of their ids
 * @param path of that file, for errors
 * @throws OppoError ERR_TOKENIZER_FILE
 */
export function createWordPiece(
  vocabulary: string,
  path: string,
  { maxTokens, lowercase, maxPieces }: WordPieceOptions,
): WordPiece {
  const pieces = vocabulary.replace(/\r?\n$/, "").split(/\r?\n/);
  const vocab: Record<string, number> = Object.create(null);
  for (const [id, piece] of pieces.entries()) vocab[piece] ??= id;
  const special = [pad, unknown, start, end, mask];
  const absent = special.find((token) => vocab[token] === undefined);
  if (absent !== undefined || pieces.length > maxPieces) {
    const got = absent === undefined ? `${pieces.length} lines` : `no ${absent} among ${pieces.length} lines`;
    throw new OppoError(
      "ERR_TOKENIZER_FILE",
      `${path}: expected a vocabulary of BERT, at most ${maxPieces} pieces, one a line, got ${got}. Fetch the file again.`,
    );
  }
  const inner = new Tokenizer(wordPieceJson(vocab, special, lowercase), { tokenizer_class: "BertTokenizer" });
  return {
    encode: (text) => {
      const { ids } = inner.encode(text);
      return Int32Array.from(ids.length <= maxTokens ? ids : [...ids.slice(0, maxTokens - 1), vocab[end]!]);
    },
  };
}

function wordPieceJson(vocab: Readonly<Record<string, number>>, special: readonly string[], lowercase: boolean) {
  const around = (token: string) => ({ SpecialToken: { id: token, type_id: 0 } });
  const described = (token: string) => [token, { id: token, ids: [vocab[token]!], tokens: [token] }];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map((content) => ({
      id: vocab[content]!,
      content,
      ...{ single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [around(start), { Sequence: { id: "A", type_id: 0 } }, around(end)],
      pair: [],
      special_tokens: Object.fromEntries([described(start), described(end)]),
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: unknown,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: MAX_WORD,
      vocab,
    },
  };
}
