// Text <-> token ids for Hugging Face tokenizers of the byte-level BPE kind (Qwen2, Qwen2.5-Omni, Qwen3, the theatre's).
// Encoding is @huggingface/tokenizers'; decoding is ours, because the method needs the text of every single token: pieces
// that join to exactly the decoded text, also when a character's bytes are spread over several tokens.
import { TextDecoder } from "node:util";
import { Tokenizer } from "@huggingface/tokenizers";
import { OppoError } from "../error.ts";
import { readJsonFile } from "./json-file.ts";
import { requireTokenizerFiles } from "./tokenizer-checks.ts";

export interface TextTokenizer {
  /** One more than the highest id, added tokens included. A model may have more embedding rows than that. */
  readonly vocabSize: number;
  /** Ids that end every encoded text (Qwen3-Embedding's <|endoftext|>); of most tokenizers none. */
  readonly tail: readonly number[];
  /** Ids of a text. Added tokens (`<|im_end|>`, `<think>`) written in the text are recognised: escape untrusted text. */
  encode(text: string): Int32Array;
  /**
   * One piece per id; joined they are the decoded text, special tokens included. A token that only begins a character has
   * an empty piece, and the token that completes it has the character. Bytes that are no UTF-8 become U+FFFD. Ids without
   * a token have an empty piece.
   */
  decodePieces(ids: ArrayLike<number>): string[];
  /** The joined pieces. */
  decode(ids: ArrayLike<number>): string;
  /**
   * Id of a token as it is written in the vocabulary (`<|VIDEO|>`, byte-level form for ordinary ones).
   * @throws OppoError ERR_TOKENIZER_UNKNOWN_TOKEN
   */
  idOf(token: string): number;
  /** The text with a space put into whatever would read as an added token or as `<|...|>`. For untrusted text. */
  escape(text: string): string;
  /** The same for `<|...|>` only: a model's earlier answers, whose tags are tokens, cannot open or close turns with it. */
  escapeControl(text: string): string;
}

/** Reads `tokenizer.json` and `tokenizer_config.json`. @throws OppoError ERR_TOKENIZER_FILE, ERR_TOKENIZER_UNSUPPORTED */
export function loadTokenizer(directory: string): TextTokenizer {
  return createTokenizer(
    readJsonFile(directory, "tokenizer.json", "ERR_TOKENIZER_FILE"),
    readJsonFile(directory, "tokenizer_config.json", "ERR_TOKENIZER_FILE"),
  );
}

/**
 * @param tokenizerJson contents of a tokenizer.json with a BPE model and a ByteLevel decoder.
 * @param tokenizerConfig contents of a tokenizer_config.json.
 * @throws OppoError ERR_TOKENIZER_UNSUPPORTED when the file describes another kind of tokenizer.
 */
export function createTokenizer(
  tokenizerJson: Readonly<Record<string, unknown>>,
  tokenizerConfig: Readonly<Record<string, unknown>>,
): TextTokenizer {
  requireTokenizerFiles(tokenizerJson, tokenizerConfig);
  const inner = openTokenizer(tokenizerJson, tokenizerConfig);
  const addedTokens = addedTokenContents(tokenizerJson);
  const tokenOf: (string | undefined)[] = [];
  for (const [token, id] of inner.get_vocab(true)) tokenOf[id] = token;
  for (const [id, content] of addedTokens) tokenOf[id] = content;
  const decodePieces = pieceDecoder(tokenOf, new Set(addedTokens.keys()));
  const contents = [...addedTokens.values()];
  return {
    vocabSize: tokenOf.length,
    tail: endingIds(inner, tokenizerConfig),
    encode: (text) => Int32Array.from(inner.encode(text).ids),
    decodePieces,
    decode: (ids) => decodePieces(ids).join(""),
    idOf: (token) => requireTokenId(inner.token_to_id(token), token),
    escape: (text) => escapeTokens(text, contents),
    escapeControl: (text) => escapeTokens(text, []),
  };
}

/** The library takes the files' word for their form, and fails in many ways where it is another. */
function openTokenizer(...files: ConstructorParameters<typeof Tokenizer>): Tokenizer {
  try {
    const tokenizer = new Tokenizer(...files);
    // Parts that it does not understand show when they are used.
    tokenizer.encode("a 1\n");
    return tokenizer;
  } catch (cause) {
    throw new OppoError(
      "ERR_TOKENIZER_UNSUPPORTED",
      `tokenizer.json: expected a tokenizer of the Qwen kind, got one that cannot be read (${(cause as Error).message}). Fetch the file again.`,
      { cause },
    );
  }
}

/** What the file's post-processor, or the token that tokenizer_config.json asks for, puts behind a text. */
function endingIds(inner: Tokenizer, { add_eos_token, eos_token }: Readonly<Record<string, unknown>>): number[] {
  const ids = [...inner.encode("").ids];
  if (ids.length > 0 || add_eos_token !== true) return ids;
  const content = (eos_token as { content?: unknown } | null | undefined)?.content ?? eos_token;
  return [requireTokenId(inner.token_to_id(String(content)), String(content))];
}

const tokenLike = /<(?=\|[^<>\s]*\|>)/g;

function escapeTokens(text: string, addedTokens: readonly string[]): string {
  // The encoder composes characters (NFC) before it looks for added tokens, so do that first.
  let escaped = text.normalize("NFC").replace(tokenLike, "< ");
  for (const token of addedTokens) {
    if (token.length > 1) escaped = escaped.replaceAll(token, `${token[0]} ${token.slice(1)}`);
  }
  return escaped;
}

function requireTokenId(id: number | undefined, token: string): number {
  if (id !== undefined) return id;
  throw new OppoError(
    "ERR_TOKENIZER_UNKNOWN_TOKEN",
    `idOf: expected a token of the vocabulary, got ${JSON.stringify(token)}. Check that the tokenizer belongs to the model.`,
  );
}

/** Checked by requireTokenizerFiles. */
function addedTokenContents(tokenizerJson: Readonly<Record<string, unknown>>): Map<number, string> {
  const entries = tokenizerJson.added_tokens as readonly { readonly id: number; readonly content: string }[];
  return new Map(entries.map(({ id, content }) => [id, content]));
}

/** Builds decodePieces over id -> vocabulary string; ids in `added` are text already, the others are byte-level. */
function pieceDecoder(
  tokenOf: readonly (string | undefined)[],
  added: ReadonlySet<number>,
): (ids: ArrayLike<number>) => string[] {
  const byteOf = byteLevelTable();
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** Per id: its text when it stands alone, null when it is part of a character. */
  const standalone: (string | null | undefined)[] = [];

  function standalonePiece(id: number): string | null {
    const known = standalone[id];
    if (known !== undefined) return known;
    const token = tokenOf[id];
    if (token === undefined) return "";
    let piece: string | null = token;
    if (!added.has(id)) {
      try {
        piece = strict.decode(tokenBytes(token, byteOf));
      } catch {
        piece = null; // Not UTF-8 on its own: decoded together with its neighbours.
      }
    }
    standalone[id] = piece;
    return piece;
  }

  return (ids) => {
    const pieces: string[] = [];
    let pending: TextDecoder | null = null;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      const piece = standalonePiece(id);
      if (piece !== null && (pending === null || added.has(id))) {
        if (pending !== null) pieces[i - 1] += pending.decode();
        pending = null;
        pieces.push(piece);
        continue;
      }
      pending ??= new TextDecoder("utf-8", { ignoreBOM: true });
      pieces.push(pending.decode(tokenBytes(tokenOf[id] ?? "", byteOf), { stream: true }));
      // A token that is text on its own leaves nothing behind.
      if (piece !== null && piece !== "") pending = null;
    }
    if (pending !== null) pieces[pieces.length - 1] += pending.decode();
    return pieces;
  };
}

/** Bytes of a byte-level token; a token written in other characters stands for its own UTF-8. */
function tokenBytes(token: string, byteOf: ReadonlyMap<string, number>): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = byteOf.get(character);
    if (byte === undefined) return Buffer.from(token, "utf8");
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** GPT-2's byte-level alphabet: printable Latin-1 stands for itself, the other bytes for U+0100 and up. */
function byteLevelTable(): ReadonlyMap<string, number> {
  const table = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
    table.set(String.fromCharCode(printable ? byte : next++), byte);
  }
  return table;
}
