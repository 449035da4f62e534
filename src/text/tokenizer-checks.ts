// What a tokenizer's files may say: they come from outside, and the library that reads them takes their word for it. Here
// they are checked before it sees them: ids of a size that a vocabulary has, settings that it does not follow, patterns on
// which its matcher would not end.
import { OppoError } from "../error.ts";
import { requireObject } from "./json-file.ts";

type Json = Readonly<Record<string, unknown>>;

const CODE = "ERR_TOKENIZER_UNSUPPORTED";
/** Sixteen times the largest vocabularies: tables are made of that length. */
const MAX_IDS = 2 ** 22;
const maxShown = 60;

/** @throws OppoError ERR_TOKENIZER_UNSUPPORTED */
export function requireTokenizerFiles(tokenizerJson: Json, tokenizerConfig: Json): void {
  const model = requireObject(tokenizerJson.model, "tokenizer.json: model", CODE);
  const decoder = requireObject(tokenizerJson.decoder, "tokenizer.json: decoder", CODE);
  if (model.type !== "BPE" || decoder.type !== "ByteLevel") {
    const got = `${shown(model.type)} with ${shown(decoder.type)}`;
    throw refusal(`a BPE model with a ByteLevel decoder, got ${got}`);
  }
  const vocab = requireObject(model.vocab, "tokenizer.json: model.vocab", CODE);
  for (const [token, id] of Object.entries(vocab)) requireId(id, token);
  for (const key of [
    "dropout",
    "continuing_subword_prefix",
    "continuing_subword_suffix",
    "end_of_word_suffix",
    "fuse_unk",
  ]) {
    if (model[key]) throw refusal(`model.${key} to be off, got ${shown(model[key])}`);
  }
  const added = requireAdded(tokenizerJson.added_tokens);
  requireSamePlaces(tokenizerConfig.added_tokens_decoder, vocab, added);
  for (const key of ["add_prefix_space", "add_bos_token", "split_special_tokens", "do_lower_case"]) {
    if (tokenizerConfig[key] === true) throw refusal(`${key} of tokenizer_config.json to be off, got true`);
  }
  for (const key of ["do_lowercase_and_remove_accent", "remove_space"]) {
    if (tokenizerConfig[key])
      throw refusal(`${key} of tokenizer_config.json to be off, got ${shown(tokenizerConfig[key])}`);
  }
  for (const key of ["normalizer", "pre_tokenizer", "post_processor"]) requireTamePatterns(tokenizerJson[key], key);
}

function refusal(expected: string): OppoError {
  return new OppoError(
    CODE,
    `tokenizer.json: expected ${expected}. Only tokenizers of the Qwen kind can be read; check the file.`,
  );
}

function shown(value: unknown): string {
  return String(typeof value === "object" ? JSON.stringify(value) : value).slice(0, maxShown);
}

function requireId(id: unknown, token: string): void {
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < MAX_IDS) return;
  throw refusal(`ids from 0 to ${MAX_IDS - 1}, got ${shown(id)} for ${shown(token)}`);
}

/** The added tokens' ids by their text. */
function requireAdded(entries: unknown): ReadonlyMap<string, number> {
  const added = new Map<string, number>();
  if (!Array.isArray(entries)) throw refusal(`a list of added_tokens, got ${shown(entries)}`);
  for (const entry of entries) {
    const { id, content, single_word } = requireObject(entry, "tokenizer.json: added_tokens entry", CODE);
    if (typeof content !== "string" || content === "") throw refusal(`added tokens with a text, got ${shown(content)}`);
    requireId(id, content);
    if (single_word) throw refusal(`added tokens that match anywhere, got single_word for ${shown(content)}`);
    added.set(content, id as number);
  }
  return added;
}

/** transformers adds what tokenizer_config.json names beside tokenizer.json: both must say the same. */
function requireSamePlaces(decoder: unknown, vocab: Json, added: ReadonlyMap<string, number>): void {
  if (typeof decoder !== "object" || decoder === null) return;
  for (const [id, entry] of Object.entries(decoder)) {
    const content = (entry as { content?: unknown } | null)?.content;
    const own = typeof content === "string" ? (added.get(content) ?? vocab[content]) : undefined;
    if (own === Number(id)) continue;
    throw refusal(
      `the tokens of tokenizer_config.json's added_tokens_decoder, got ${shown(own ?? "none")} for ${shown(content)} (${shown(id)})`,
    );
  }
}

/**
 * Patterns run over texts of any length in an engine that backtracks. None that is in use repeats a group without a bound,
 * which is what makes such an engine try exponentially many ways.
 */
function requireTamePatterns(node: unknown, where: string): void {
  if (typeof node !== "object" || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (key === "Regex" && typeof value === "string" && repeatsGroup(value)) {
      throw refusal(`patterns without a repeated group, got ${shown(value)} in ${where}`);
    }
    requireTamePatterns(value, `${where}.${key}`);
  }
}

function repeatsGroup(pattern: string): boolean {
  const bare = pattern.replace(/\\./gs, "x").replace(/\[\^?\]?[^\]]*\]/g, "x");
  return /\)(?:[*+]|\{\d*,?\d*\})/.test(bare);
}
