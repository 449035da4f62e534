// Special tokens as texts: those of Qwen2.5-Omni in the order of their ids, a fact that a tokenizer of its kind and a model of
// its published shape both need; and those of all families that stand around a decoded reply.
import type { Span } from "./clause.ts";

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

/**
 * Tokens that end a turn or fill up a batch, as decoded texts show them where special tokens are kept: Qwen, GPT, Phi and InternLM; Llama 2 and 3; Gemma; Mistral; DeepSeek; GLM; Command R. None is a part of an answer.
 */
export const endTokens: readonly string[] = [
  ...["<|im_end|>", "<|endoftext|>", "<|end|>", "<|return|>", "<|eot|>", "<|eos|>", "<|pad|>", "<|vision_pad|>"],
  ...["<|eot_id|>", "<|end_of_text|>", "<|eom_id|>", "<|finetune_right_pad_id|>", "<|reserved_special_token_0|>"],
  ...["</s>", "<eos>", "<pad>", "<end_of_turn>", "<turn|>", "[PAD]", "[EOS]"],
  ...["<|END_OF_TURN_TOKEN|>", "<EOS_TOKEN>", "<PAD>", "<eop>", "<eod>", "<|EOT|>"],
  ...["<\uFF5Cend\u2581of\u2581sentence\uFF5C>", "<\uFF5C\u2581pad\u2581\uFF5C>"],
];

/** Begin the next turn: a reply ends there too. */
const turnStarts: readonly string[] = [
  ...["<|im_start|>", "<|start_header_id|>", "<start_of_turn>", "<|turn>", "[INST]", "<\uFF5CUser\uFF5C>"],
  ...["<|user|>", "<|observation|>", "<|START_OF_TURN_TOKEN|>"],
];

/** Openings of the assistant's turn in the templates of the same families; white space may follow. */
export const assistantTurns: readonly string[] = [
  ...["<|im_start|>assistant", "<|im_start|>assistant<|im_sep|>", "<start_of_turn>model", "<|turn>model", "[/INST]"],
  ...["<|start_header_id|>assistant<|end_header_id|>", "<|assistant|>", "<\uFF5CAssistant\uFF5C>"],
  "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
];

/** May begin a text, before its first turn. */
const startTokens: readonly string[] = [
  ...["<|begin_of_text|>", "<|startoftext|>", "<s>", "<bos>", "[gMASK]", "<sop>", "[BOS]", "<BOS_TOKEN>"],
  "<\uFF5Cbegin\u2581of\u2581sentence\uFF5C>",
];
/** Fills up batches of models that have no padding token; elsewhere it stands for a character that they do not know. */
const unknownToken = "<unk>";

const anyOf = (tokens: readonly string[]) =>
  [...tokens]
    .sort((a, b) => b.length - a.length)
    .map((token) => token.replace(/[|[\]/\\^$.*+?(){}]/g, "\\$&"))
    .join("|");
const ending = new RegExp(anyOf([...endTokens, ...turnStarts]), "g");
const padding = new RegExp(`\\s+|${anyOf([...endTokens, ...startTokens, unknownToken])}`, "y");
const beginning = new RegExp(`${padding.source}|${anyOf(assistantTurns)}`, "y");

/** Without the white space, padding and begin tokens at a text's front. */
export function withoutLeadingPadding(text: string): string {
  return text.slice(skipped(text, padding));
}

/**
 * Where a reply stands in a decoded text: behind white space, padding and the opening of its turn, and before the first
 * end or padding token that follows; what comes after that one (padding, the next turn) was never said.
 */
export function replySpan(text: string): Span {
  const start = skipped(text, beginning);
  ending.lastIndex = start;
  let end = ending.exec(text)?.index ?? text.length;
  // By hand: a pattern at the end of a text could take quadratic time.
  for (let before = -1; before !== end; ) {
    before = end;
    while (end > start && /\s/.test(text[end - 1]!)) end--;
    if (text.slice(start, end).endsWith(unknownToken)) end -= unknownToken.length;
  }
  return { start, end };
}

/** The reply alone. */
export function replyText(text: string): string {
  const { start, end } = replySpan(text);
  return text.slice(start, end);
}

/** Up to the first token that ends a reply, as it stands: white space is kept. */
export function untilEnd(text: string): string {
  ending.lastIndex = 0;
  return text.slice(0, ending.exec(text)?.index ?? text.length);
}

/** What follows the last opening of an assistant's turn; null where there is none. */
export function lastTurn(text: string): string | null {
  const ends = assistantTurns.map((turn) => {
    const at = text.lastIndexOf(turn);
    return at < 0 ? -1 : at + turn.length;
  });
  const end = Math.max(...ends);
  return end < 0 ? null : text.slice(end);
}

function skipped(text: string, pattern: RegExp): number {
  let at = 0;
  for (pattern.lastIndex = 0; pattern.test(text); ) at = pattern.lastIndex;
  return at;
}
