// A small tokenizer at the ids of the published models: its special tokens stand where Qwen2.5-Omni has them, and the
// ordinary ids that it does not use are filled up, so that ids run without a gap as every tokenizer library expects.
import { omniSpecialTokens } from "../../../text/special-tokens.ts";
import type { TokenizerFiles } from "../../architecture.ts";

/** Ordinary tokens of the published vocabulary; special tokens follow. */
const NUM_ORDINARY = 151643;

const specialTokens: readonly string[] = omniSpecialTokens;

interface AddedToken {
  readonly id: number;
  readonly content: string;
}

export function publishedIds({ tokenizerJson, tokenizerConfig, chatTemplate }: TokenizerFiles): TokenizerFiles {
  const model = tokenizerJson.model as { readonly vocab: Readonly<Record<string, number>> };
  const vocab: Record<string, number> = { ...model.vocab };
  let next = Math.max(...Object.values(vocab)) + 1;
  const added = (tokenizerJson.added_tokens as readonly AddedToken[]).map((token) => {
    const place = specialTokens.indexOf(token.content);
    if (place >= 0) return { ...token, id: NUM_ORDINARY + place };
    vocab[token.content] = next;
    return { ...token, id: next++ };
  });
  for (; next < NUM_ORDINARY; next++) vocab[`[${next}]`] = next;
  const byId = [...added].sort((a, b) => a.id - b.id);
  return {
    tokenizerJson: { ...tokenizerJson, added_tokens: byId, model: { ...model, vocab } },
    tokenizerConfig: {
      ...tokenizerConfig,
      added_tokens_decoder: Object.fromEntries(byId.map(({ id, ...token }) => [String(id), token])),
    },
    chatTemplate,
  };
}
